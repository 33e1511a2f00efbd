"""The consumer's half in its own thread, where aiokafka's event loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

#: Longest wait of the broker for a fetch to fill, and how full it need be. Faust's 1,500 ms is the
#: tail of the latency.
FETCH_WAIT_MS, FETCH_BYTES = 25, 1
#: The same while messages come: fewer, larger fetches. Each costs a few ms, however little it
#: brings, and at 1,000 messages a second every one of them would make a fetch of its own.
BUSY_WAIT_MS, BUSY_BYTES = 8, 65_536
#: The same while more wait than one look takes: the fetches beside them are for topics on which
#: nothing comes, and each costs the brokers and this thread as much as one that brings something.
BEHIND_WAIT_MS, BEHIND_BYTES = 100, 1
#: So many fetches in a row without a message, and nothing is coming.
IDLE_AFTER = 8


class BatchingConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, with short fetches, patient commits and careful seeks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Where the last fetch left each partition: behind its records, and behind the markers of
        #: transactions and the gaps that follow them.
        self.positions: Mapping[TP, int] = {}
        #: Fetches in a row that brought nothing.
        self._empty = 0

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust passes 1,500 as a literal. The fetcher, which reads it, does not exist yet.
        if not hasattr(consumer, "_fetch_max_wait_ms"):
            raise AttributeError("this version of aiokafka keeps fetch_max_wait_ms elsewhere")
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        # Faust's own guarantee of at least once would also deliver what was taken back.
        consumer._isolation_level = "read_committed"
        return consumer

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's own
        """Fetch as Faust does, and set the pace of the fetches after this one."""
        records = await super().getmany(active_partitions, timeout)
        # A look that does not wait says nothing of what is coming.
        self._empty = 0 if records else self._empty + (timeout > 0)
        if sum(map(len, records.values())) >= self._ensure_consumer()._max_poll_records:
            self._set_pace(BEHIND_WAIT_MS, BEHIND_BYTES)
        elif records:
            self._set_pace(BUSY_WAIT_MS, BUSY_BYTES)
        elif self._empty >= IDLE_AFTER:
            self._set_pace(FETCH_WAIT_MS, FETCH_BYTES)
        return records

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> Any:
        records = await super()._fetch_records(consumer, *args, **kwargs)
        # Without an await in between: everything before these positions has been handed over.
        assignment = consumer._subscription.subscription.assignment
        states = [] if assignment is None else assignment._tp_state.items()
        self.positions = {
            TP(place.topic, place.partition): state._position
            for place, state in states
            if state._position is not None
        }
        return records

    def highwater(self, tp: TP) -> int | None:  # type: ignore[override]
        """Return the end of a partition; None where it is unknown, or of another member by now.

        For such a one aiokafka's own fails, and partitions go in this thread while others ask.
        """
        consumer = self._consumer
        subscription = None if consumer is None else consumer._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        state = None if assignment is None else assignment.state_value(tp)
        return None if state is None else state.highwater

    def _set_pace(self, wait_ms: int, at_least: int) -> None:
        # Read anew for each request.
        fetcher = self._ensure_consumer()._fetcher
        fetcher._fetch_max_wait_ms = wait_ms
        fetcher._fetch_min_bytes = at_least

    async def seek_to_start_of_work(self, tps: Iterable[TP]) -> Mapping[TP, tuple[int, bool]]:
        """Move to the committed offsets; where nothing is committed, to the first offset kept.

        aiokafka's ``seek_to_committed`` leaves the position alone where nothing is committed.

        Returns:
            For each partition the offset moved to, and whether it is a committed one.
        """
        return await self.call_thread(self._seek_to_start_of_work, list(tps))

    async def _seek_to_start_of_work(self, tps: list[TP]) -> dict[TP, tuple[int, bool]]:
        consumer = self._ensure_consumer()
        places = [TopicPartition(tp.topic, tp.partition) for tp in tps]
        committed = await asyncio.gather(*(consumer.committed(place) for place in places))
        unset = [place for place, offset in zip(places, committed, strict=True) if offset is None]
        first = await consumer.beginning_offsets(unset) if unset else {}
        moved: dict[TP, tuple[int, bool]] = {}
        for tp, place, offset in zip(tps, places, committed, strict=True):
            target = first[place] if offset is None else offset
            consumer.seek(place, target)
            moved[tp] = (target, offset is not None)
        return moved

    async def seek_all(self, offsets: Mapping[TP, int]) -> None:
        """Move to the given offsets."""
        await self.call_thread(self._seek_all, dict(offsets))

    async def _seek_all(self, offsets: dict[TP, int]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for tp, offset in offsets.items():
            place = TopicPartition(tp.topic, tp.partition)
            if place in assigned:
                consumer.seek(place, offset)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False where the broker did not take it (Faust would end the worker)."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        chosen = {
            place: OffsetAndMetadata(offset, "")
            for place, offset in (
                (TopicPartition(tp.topic, tp.partition), offset) for tp, offset in offsets.items()
            )
            if place in assigned
        }
        if len(chosen) < len(offsets):
            return False
        try:
            await consumer.commit(chosen)
        except KafkaError as error:
            self.log.warning("commit refused: %s", error)
            return False
        return True
