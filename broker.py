"""Talking to the Kafka brokers outside the Faust app: topics, offsets, lag.

Everything here blocks, for at most ``kafka_timeout_s``; call it from an executor in async code.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    ConsumerGroupState,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from config import Settings
from errors import BrokerUnavailable, ConfigurationError, TopicMismatch
from kafka_security import Trouble, client_options, metadata
from topics import ALL_TOPICS, TopicSpec, durability

#: Of a topic's id of 22 characters so many are enough to tell it from another one.
_ID_LENGTH = 8

_ALREADY_EXISTS = "TOPIC_ALREADY_EXISTS"

#: Errors of a broker that is about to be ready: just started, or a topic just created.
_NOT_YET = frozenset(
    {
        "NOT_LEADER_FOR_PARTITION",
        "LEADER_NOT_AVAILABLE",
        "UNKNOWN_LEADER_EPOCH",
        "FENCED_LEADER_EPOCH",
        "UNKNOWN_TOPIC_OR_PART",
        "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE",
        "NOT_COORDINATOR",
    }
)

#: After so long the leaders of partitions are asked for anew: one that was lost never answers.
_OFFSETS_TIMEOUT_S = 5.0

T = TypeVar("T")


def client_config(settings: Settings) -> dict[str, Any]:
    """Return the librdkafka settings that reach the broker: address and security.

    Raises:
        ConfigurationError: a setting of security is missing, or a file cannot be used.
    """
    config = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        # Errors are reported by the calls that meet them; librdkafka's own lines say it again.
        "log_level": 0,
    }
    return config | client_options(settings)


class Broker:
    """The brokers as an administrator sees them.

    Args:
        settings: where they are, and how long to wait for them.
        timeout_s: overrides ``kafka_timeout_s``, in seconds.

    Raises:
        ConfigurationError: a setting of security is missing, or a file cannot be used.

    Every method raises BrokerUnavailable if no broker answers within the timeout, and BrokerRefused
    if one does not take this client.

    Example::

        with Broker(settings()) as broker:
            broker.ensure_topics()
            print(broker.lag("financial-trends", ["stock-prices"]))
    """

    def __init__(self, settings: Settings, timeout_s: float | None = None) -> None:
        self.address = settings.kafka_bootstrap_servers
        self._settings = settings
        self._timeout_s = settings.kafka_timeout_s if timeout_s is None else timeout_s
        self._trouble = Trouble(settings)
        self._admin = AdminClient(client_config(settings) | {"error_cb": self._trouble.note})
        self._members: dict[str, Consumer] = {}

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *_: object) -> None:
        for member in self._members.values():
            member.close()
        # librdkafka's handle is freed with the object.
        del self._admin

    def check(self) -> None:
        """Return if a broker answers; fail at once where nobody listens at any address."""
        problems = []
        for address in self.address.split(","):
            host, _, port = address.strip().rpartition(":")
            try:
                with socket.create_connection((host.strip("[]"), int(port)), self._timeout_s):
                    break
            except (OSError, ValueError) as error:
                problems.append(str(error))
        else:
            raise BrokerUnavailable(self.address, "; ".join(problems))
        self.partitions()

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of every topic there is, internal ones left out."""
        with self._explained():
            found = metadata(self._admin, self._trouble, self._timeout_s)
        return {
            name: len(topic.partitions)
            for name, topic in found.topics.items()
            if not name.startswith("__")
        }

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        """Return 8 characters that name each topic, and no other one of the same name.

        A topic that is deleted and made anew has another id, and so has one of another cluster:
        offsets are comparable where the id is the same. Topics of brokers before 2.8 have none,
        and are left out.
        """

        names = TopicCollection(list(topics))

        def ask() -> dict[str, str]:
            futures = self._admin.describe_topics(names, request_timeout=self._timeout_s)
            found = {name: self._result(future).topic_id for name, future in futures.items()}
            return {
                name: str(uuid)[:_ID_LENGTH]
                for name, uuid in found.items()
                if uuid.get_most_significant_bits() != 0
            }

        with self._explained():
            return self._patiently(ask)

    def ensure_topics(
        self, specs: Iterable[TopicSpec] = ALL_TOPICS, views: Mapping[str, TopicSpec] | None = None
    ) -> list[str]:
        """Create the topics that are missing, and check those that exist.

        Args:
            specs: the topics to have.
            views: topics by ticker to have as well: the name, and the topic it is a view of.

        Returns:
            The names of the topics created.

        Raises:
            TopicMismatch: a topic exists with another partition count than ``TOPIC_PARTITIONS``.
        """
        wanted = {spec.name: spec for spec in specs} | dict(views or {})
        existing = self.partitions()
        for name in wanted:
            found = existing.get(name, self._settings.topic_partitions)
            # A view is for people to look at; nothing depends on its partitions.
            if found != self._settings.topic_partitions and name not in (views or {}):
                raise TopicMismatch(name, found, self._settings.topic_partitions)
        missing = [name for name in wanted if name not in existing]
        replicas = self._settings.topic_replication_factor
        if missing:
            self._create(
                NewTopic(
                    name,
                    num_partitions=self._settings.topic_partitions,
                    replication_factor=replicas,
                    config=wanted[name].config | durability(replicas),
                )
                for name in missing
            )
            self._wait_for_leaders(missing)
        return missing

    def _wait_for_leaders(self, names: list[str]) -> None:
        """Return once new topics take messages; a producer that is too early waits for long."""

        def ask() -> None:
            existing = self.partitions()
            self._require(all(name in existing for name in names))
            self.end_offsets(names)

        with self._explained():
            self._patiently(ask)

    def _create(self, new_topics: Iterable[NewTopic]) -> None:
        with self._explained():
            futures = self._admin.create_topics(
                list(new_topics), operation_timeout=self._timeout_s, request_timeout=self._timeout_s
            )
            for name, future in futures.items():
                try:
                    future.result()
                except KafkaException as error:
                    # Another worker that starts at the same moment may have been faster.
                    if error.args[0].name() != _ALREADY_EXISTS:
                        raise ConfigurationError(
                            f"cannot create topic {name!r}: {error.args[0].str()}"
                        ) from error

    def delete_topics(self, names: Iterable[str]) -> list[str]:
        """Delete topics that exist; returns the names deleted."""
        existing = self.partitions()
        doomed = [name for name in names if name in existing]
        if doomed:
            with self._explained():
                for future in self._admin.delete_topics(
                    doomed, operation_timeout=self._timeout_s, request_timeout=self._timeout_s
                ).values():
                    future.result()
                self._patiently(lambda: self._require(not self._any_left(doomed)))
        return doomed

    def _any_left(self, names: Iterable[str]) -> bool:
        existing = self.partitions()
        return any(name in existing for name in names)

    @staticmethod
    def _require(condition: bool) -> None:
        if not condition:
            raise _NotReadyYet

    def end_offsets(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Return the end offset of each (topic, partition) of the topics that exist."""
        return self._offsets(topics, OffsetSpec.latest())

    def start_offsets(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Return the first offset still kept of each (topic, partition)."""
        return self._offsets(topics, OffsetSpec.earliest())

    def offsets_at(self, topics: Iterable[str], time_ms: int) -> dict[tuple[str, int], int]:
        """Return, of each (topic, partition), the first offset sent at that time or later.

        Where nothing was, it is the end offset.
        """
        names = list(topics)
        ends = self.end_offsets(names)
        found = self._offsets(names, OffsetSpec.for_timestamp(time_ms))
        return {place: end if found[place] < 0 else found[place] for place, end in ends.items()}

    def members(self, group: str) -> list[str]:
        """Return who belongs to a consumer group now; one that was killed still does for 10 s."""

        def ask() -> list[str]:
            future = self._admin.describe_consumer_groups([group], request_timeout=self._timeout_s)[
                group
            ]
            found = self._result(future).members
            return [f"{member.client_id} on {member.host.lstrip('/')}" for member in found]

        with self._explained():
            return self._patiently(ask)

    def groups(self) -> list[str]:
        """Return the consumer groups there are, those with members first."""

        def ask() -> list[str]:
            found = self._result(
                self._admin.list_consumer_groups(request_timeout=self._timeout_s)
            ).valid
            found.sort(key=lambda one: (one.state != ConsumerGroupState.STABLE, one.group_id))
            return [one.group_id for one in found]

        with self._explained():
            return self._patiently(ask)

    def rewind(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit these offsets for a group without members; Kafka refuses it while it has some."""
        places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        with self._explained():
            self._patiently(lambda: self._member(group).commit(offsets=places, asynchronous=False))

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """Return the offsets that a consumer group has committed."""
        places = [
            TopicPartition(topic, partition)
            for topic, count in self.partitions().items()
            for partition in range(count)
        ]

        def ask() -> list[TopicPartition]:
            found: list[TopicPartition] = self._member(group).committed(places, self._timeout_s)
            return found

        with self._explained():
            found = self._patiently(ask)
        return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}

    def _member(self, group: str) -> Consumer:
        """Return a consumer that could join ``group``, but only asks for its offsets.

        The administrator's own call for them ends the process where the group has no coordinator
        yet (librdkafka issue 5040).
        """
        if group not in self._members:
            self._members[group] = self.consumer(group)
        return self._members[group]

    def lag(self, group: str, topics: Iterable[str]) -> dict[str, int]:
        """Return, by topic, how many messages the group has not committed yet."""
        names = list(topics)
        done, starts = self.committed(group), self.start_offsets(names)
        # Last, so that what comes in meanwhile, also from what is being processed, counts as lag.
        ends = self.end_offsets(names)
        lag = dict.fromkeys(names, 0)
        for place, end in ends.items():
            lag[place[0]] += max(0, end - max(done.get(place, 0), starts[place]))
        return lag

    def consumer(self, group: str, **options: Any) -> Consumer:
        """Return a librdkafka consumer of this group, offsets committed by hand, from the start."""
        return Consumer(
            client_config(self._settings)
            | {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
            | options
        )

    def _offsets(self, topics: Iterable[str], which: OffsetSpec) -> dict[tuple[str, int], int]:
        names = list(topics)

        def ask() -> dict[tuple[str, int], int]:
            # Each time, as this is also how the client learns of new leaders.
            counts = self.partitions()
            wanted = {
                TopicPartition(topic, partition): which
                for topic in names
                for partition in range(counts.get(topic, 0))
            }
            if not wanted:
                return {}
            timeout_s = min(self._timeout_s, _OFFSETS_TIMEOUT_S)
            futures = self._admin.list_offsets(wanted, request_timeout=timeout_s)
            try:
                found = {
                    (place.topic, place.partition): self._result(future).offset
                    for place, future in futures.items()
                }
            except KafkaException as error:
                if error.args[0].name() == "_TIMED_OUT":
                    raise _NotReadyYet from error
                raise
            # What a partition without a leader has instead of an error.
            if OFFSET_INVALID in found.values():
                raise _NotReadyYet
            return found

        with self._explained():
            return self._patiently(ask)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask again while the broker says that it is not ready yet."""
        retrying = Retrying(
            retry=retry_if_exception(_is_not_yet),
            stop=stop_after_delay(self._timeout_s),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        return retrying(ask)

    def _result(self, future: Future[Any]) -> Any:
        return future.result(timeout=self._timeout_s + 1)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn librdkafka's errors into ours, which name the address."""
        try:
            yield
        except (KafkaException, TimeoutError) as error:
            detail = (
                error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
            )
            raise self._trouble.explained("", detail) from error


class _NotReadyYet(TimeoutError):
    """What was asked of the brokers is not everywhere in force yet."""


def _is_not_yet(error: BaseException) -> bool:
    if isinstance(error, _NotReadyYet):
        return True
    return isinstance(error, KafkaException) and error.args[0].name() in _NOT_YET
