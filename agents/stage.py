"""What all agents have in common: a batch in, writes out, and what cannot be used set aside."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord
from faust.types import StreamT

from agents.services import Services
from agents.views import TickerViews
from errors import InvalidRecord
from models import INTEGRATION_TEST, Codec
from monitoring.instruments import BatchMeter
from sinks import Origin, Write, Writer
from topics import TopicSpec
from transport import Batch

#: So long after its sending a record of a check of the deployment is still stored.
TEST_LIFE_MS = 60_000

log = logging.getLogger(__name__)


class Stage:
    """Takes the batches of one topic through decode, apply and store.

    Subclasses say in :meth:`apply` what a Record becomes. Applying a batch has no ``await`` in it,
    so a checkpoint's cut always falls between two batches.

    Args:
        services: what the worker's agents share.
        name: the agent's name.
        topic: what it reads.
        writer: where documents go; one of the stage's own unless given.
    """

    def __init__(
        self,
        services: Services,
        name: str,
        topic: TopicSpec,
        writer: Writer | None = None,
    ) -> None:
        if topic.codec is None:
            raise ValueError(f"{name} reads {topic.name}, whose values are no Records")
        self.services = services
        self.name = name
        self.codec: Codec[Any] = topic.codec
        self.writer = services.writer(name) if writer is None else writer
        wanted = services.settings.topic_per_ticker and topic.per_ticker
        self._views = TickerViews(services.settings, topic, services.outbox) if wanted else None
        #: Whether checks of a deployment send such Records, and mark them by their source.
        self._tested = "source" in self.codec.fields
        #: Held while a batch is applied; a recompute holds it for longer.
        self.turn = asyncio.Lock()
        self._meter = BatchMeter(name)
        self._misrouted: set[str] = set()
        #: Messages that broke the program, and how: at the next delivery they are set aside.
        self._broke: dict[tuple[str, int, int], str] = {}

    def apply(self, record: Any, origin: Origin) -> Sequence[Write]:
        """Apply one Record to state and return what to store. Must not await.

        Raises:
            InvalidRecord: the record cannot be applied; it goes to the dead letters.
        """
        raise NotImplementedError

    def routed(self, key: str, origin: Origin) -> bool:
        """Whether a message came on its key's partition, whose owner keeps the state."""
        if origin.partition == self.services.partition_of(key):
            return True
        self.count("misrouted")
        if key not in self._misrouted:
            self._misrouted.add(key)
            log.warning(
                "%s: %s came on partition %d, not on its own: stored, and not applied. "
                "Its producer must partition by murmur2 (librdkafka: partitioner=murmur2_random)",
                origin.topic,
                key,
                origin.partition,
            )
        return False

    def count(self, what: str) -> None:
        """Count a message of which this is true."""
        self.services.counts[self.name, what] += 1

    async def run(self, stream: StreamT[Any]) -> None:
        """Work through the stream's batches; the body of an agent."""
        async for batch in stream:
            try:
                await self.process(batch)
            except Exception as error:  # noqa: BLE001 - nothing may end the agent
                if batch.current:
                    self.services.app.consumer.rewind(error)  # type: ignore[attr-defined]

    async def process(self, batch: Batch) -> None:
        """Apply a batch and hand its documents to the writer, unless it is void."""
        async with self.turn:
            if self._views is not None:
                await self._views.prepare(message.key for message in batch.records)
            await self.prepare(batch.records)
            arrived = time.perf_counter()
            await self.writer.ready()
            if not batch.current:
                return
            began = time.perf_counter()
            self.begin()
            writes: list[Write] = []
            for message in batch.records:
                writes.extend(self.one(message))
            writes.extend(self.complete())
            self.writer.submit(writes)
            self.services.outbox.post()
            self.services.counts[self.name, "received"] += len(batch.records)
            batch.done()
            self._meter.took(len(batch.records), began - arrived, time.perf_counter() - began)

    async def prepare(self, messages: Sequence[ConsumerRecord]) -> None:
        """Do beforehand what takes long, away from the loop; without any state."""

    def begin(self) -> None:
        """Get ready for a batch. Must not await."""

    def complete(self) -> Sequence[Write]:
        """Do together what the messages of a batch have in common; returns more to store.

        Must not await.
        """
        return ()

    def blame(self, origin: Origin, error: Exception) -> None:
        """Have the message that the program failed on set aside at its next delivery.

        State may be half changed, so the caller raises: everything since the last checkpoint is
        done again.
        """
        self._broke[origin[:3]] = f"the program failed on it: {error!r}"
        log.exception("%s: %s/%d@%d", self.name, *origin[:3])

    def decode(self, message: ConsumerRecord) -> Any:
        """Return the Record that a message holds.

        Raises:
            InvalidRecord: the message breaks a rule.
        """
        return self.codec.decode(message.key, message.value)

    def one(self, message: ConsumerRecord) -> Sequence[Write]:
        """Decode and apply one message; what cannot be used becomes a dead letter."""
        topic, partition, offset = message.topic, message.partition, message.offset
        origin = Origin(topic, partition, offset, message.key, message.value)
        if self._broke and origin[:3] in self._broke:
            return [self.services.dead(origin, self._broke[origin[:3]], self.name)]
        try:
            record = self.decode(message)
            if self._tested and record.source == INTEGRATION_TEST and _is_old(message):
                return []
            writes = self.apply(record, origin)
        except InvalidRecord as error:
            return [self.services.dead(origin, str(error), self.name)]
        except Exception as error:
            self.blame(origin, error)
            raise
        if self._views is not None:
            self.copy_to_view(message)
        return writes

    def copy_to_view(self, message: ConsumerRecord) -> None:
        """Copy a message to the topic of its ticker, where such topics are wanted."""
        if self._views is not None:
            self._views.copy(message.partition, message.key, message.value)


def _is_old(message: ConsumerRecord) -> bool:
    """Whether a check of the deployment that sent this has long removed what came of it."""
    return time.time() * 1000 - float(message.timestamp) > TEST_LIFE_MS


class StoringStage(Stage):
    """Stores each Record of one topic, and keeps no state.

    Args:
        services: what the worker's agents share.
        name: the agent's name.
        topic: what it reads.
        to_writes: what to store of one Record.
    """

    def __init__(
        self,
        services: Services,
        name: str,
        topic: TopicSpec,
        to_writes: Callable[[Any, Origin], Sequence[Write]],
    ) -> None:
        super().__init__(services, name, topic)
        self._to_writes = to_writes

    def apply(self, record: Any, origin: Origin) -> Sequence[Write]:
        """Return what to store of one Record."""
        return self._to_writes(record, origin)
