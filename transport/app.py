"""The App to use with batched topics."""

from __future__ import annotations

from typing import Any

import faust
from faust.types import ConsumerT, TopicT, TransportT

from transport.batch import BatchSchema
from transport.checkpoint import Checkpointer
from transport.driver import BatchingTransport


class BatchingApp(faust.App):
    """A faust.App whose agents may read topics in batches.

    Attributes:
        checkpoints: where agents register their stores and states.
        batched_topics: names of the topics that are delivered in batches.
    """

    def __init__(self, *args: Any, checkpoint_interval_s: float = 1.0, **options: Any) -> None:
        self.batched_topics: set[str] = set()
        self.checkpoints = Checkpointer(checkpoint_interval_s)
        super().__init__(*args, **options)

    def batched_topic(self, name: str) -> TopicT:
        """Return the topic ``name``, which delivers :class:`transport.Batch` events."""
        self.batched_topics.add(name)
        return self.topic(name, schema=BatchSchema(), acks=False, allow_empty=True)

    def _new_transport(self) -> TransportT:
        return BatchingTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> TransportT:
        return BatchingTransport(self.conf.broker_producer, self)

    def _new_consumer(self) -> ConsumerT:
        consumer = super()._new_consumer()
        self.checkpoints.attach(consumer)
        return consumer
