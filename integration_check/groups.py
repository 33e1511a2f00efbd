"""Consumer groups, as far as the check has to do with them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from broker import Broker, client_config
from config import Settings
from errors import BrokerUnavailable
from topics import INPUTS

#: Offsets by topic and partition.
Offsets = Mapping[tuple[str, int], int]

_TOPICS = [spec.name for spec in INPUTS]
_POLL_S = 0.2


class Groups:
    """Moves, watches and deletes consumer groups.

    Every method raises BrokerUnavailable if no broker answers within ``kafka_timeout_s``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout_s = settings.kafka_timeout_s
        self._admin = AdminClient(client_config(settings))

    def start_at_the_end(self, group: str) -> Offsets:
        """Let a group that does not exist yet begin with what is sent from now on.

        Returns:
            Where that is.
        """
        with Broker(self._settings) as broker:
            ends = broker.end_offsets(_TOPICS)
        if ends:
            places = [Place(*place, offset) for place, offset in ends.items()]
            wanted = ConsumerGroupTopicPartitions(group, places)
            with self._explained():
                futures = self._admin.alter_consumer_group_offsets(
                    [wanted], request_timeout=self._timeout_s
                )
                futures[group].result()
        return ends

    def wait_for(self, group: str, since: Offsets, patience_s: float) -> str | None:
        """Wait until a group, if it is at work, has committed everything sent up to now.

        Args:
            group: the group.
            since: offsets; a partition in which nothing was sent after them does not matter.
            patience_s: most seconds to wait.

        Returns:
            None if there is nothing to wait for any more; else what is still missing, in words.
        """
        with Broker(self._settings) as broker:
            ends = broker.end_offsets(_TOPICS)
            goals = {place: end for place, end in ends.items() if end > since.get(place, 0)}
            until = time.monotonic() + patience_s
            while self._at_work(group):
                done = broker.committed(group)
                missing = sum(
                    max(0, end - max(done.get(place, 0), since.get(place, 0)))
                    for place, end in goals.items()
                )
                if missing == 0:
                    return None
                if time.monotonic() > until:
                    return f"group {group!r} still has {missing} messages to read"
                time.sleep(_POLL_S)
        return None

    def delete(self, group: str) -> None:
        """Delete a group and its offsets, if it exists and nobody is in it."""
        with self._explained():
            futures = self._admin.delete_consumer_groups([group], request_timeout=self._timeout_s)
            try:
                futures[group].result()
            except KafkaException:
                # Untidy, and no more: the broker forgets a group without members by itself.
                return

    def _at_work(self, group: str) -> bool:
        with self._explained():
            futures = self._admin.describe_consumer_groups([group], request_timeout=self._timeout_s)
            try:
                found = futures[group].result()
            except KafkaException as error:
                if error.args[0].name() == "GROUP_ID_NOT_FOUND":
                    return False
                raise
        return found.state not in (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            address = self._settings.kafka_bootstrap_servers
            raise BrokerUnavailable(address, error.args[0].str()) from error
