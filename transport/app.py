"""The App to use with batched topics."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import faust
from faust.types import TP, ConsumerT, TopicT, TransportT

from transport.batch import BatchSchema
from transport.checkpoint import Checkpointer
from transport.driver import BatchingTransport
from transport.worker import BatchingWorker

log = logging.getLogger(__name__)


class BatchingApp(faust.App):
    """A faust.App whose agents may read topics in batches.

    Attributes:
        checkpoints: where agents register their stores and states.
        batched_topics: names of the topics that are delivered in batches.
    """

    def __init__(self, *args: Any, checkpoint_interval_s: float = 1.0, **options: Any) -> None:
        self.batched_topics: set[str] = set()
        self.checkpoints = Checkpointer(checkpoint_interval_s)
        super().__init__(*args, **({"Worker": BatchingWorker} | options))

    def batched_topic(self, name: str) -> TopicT:
        """Return the topic ``name``, which delivers :class:`transport.Batch` events."""
        self.batched_topics.add(name)
        return self.topic(name, schema=BatchSchema(), acks=False, allow_empty=True)

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin to work on partitions, unless their state has not come with them.

        The member that shares partitions out leaves topics aside that its metadata do not have, and
        without its changelog a table would begin anew in the middle of the stream. So nothing is
        processed until that member's next look at the cluster, after which it shares out again.
        """
        missing = self.without_state(assigned)
        if missing:
            log.error(
                "partitions were assigned without %s, which the group's leader does not know yet: "
                "waiting for it to share them out again",
                ", ".join(f"{tp.topic}/{tp.partition}" for tp in sorted(missing)),
            )
            return
        await super()._on_partitions_assigned(assigned, generation_id)

    def _on_rebalance_when_stopped(self) -> None:
        """Leave a rebalance that comes while the app stops to the stop of the consumer.

        Faust closes the consumer here, from another event loop than its own. Its stop would then
        take it for done and never leave the group, which would wait until the session is over.
        """

    def without_state(self, assigned: Iterable[TP]) -> set[TP]:
        """Return the changelog partitions that should have come with these partitions."""
        places = set(assigned)
        partitions = {tp.partition for tp in places if tp.topic in self.batched_topics}
        changelogs = {table.changelog_topic.get_topic_name() for table in self.tables.values()}
        return {TP(name, number) for name in changelogs for number in partitions} - places

    def _new_transport(self) -> TransportT:
        return BatchingTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> TransportT:
        return BatchingTransport(self.conf.broker_producer, self)

    def _new_consumer(self) -> ConsumerT:
        consumer = super()._new_consumer()
        self.checkpoints.attach(consumer)
        return consumer
