"""The batching consumer: delivers batches, follows them by epoch, commits by checkpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from transport.batch import Batch, pieces
from transport.offsets import Offsets
from transport.thread import BatchingConsumerThread

#: Longest wait for records, in seconds; Faust's 1.0 delays partitions that were just resumed.
POLL_S = 0.1

#: Batches of one topic that may be on their way to its agent; then the topic is not fetched.
MOST_OUTSTANDING = 8

#: So long without a batch, and there is nothing to do, in seconds.
IDLE_S = 0.1

#: Longest wait for the last checkpoint before partitions are given up, in seconds.
LAST_CHECKPOINT_S = 5.0

#: Pauses after failures in a row, in seconds.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0


class BatchingConsumer(driver.Consumer):
    """Faust's consumer, with batches and checkpoints for the topics that ask for them.

    Attributes:
        epoch: everything delivered in an older one is void.
    """

    app: Any  # a BatchingApp
    _thread: BatchingConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.epoch = 0
        #: The epoch whose batches are worked on; None while the last checkpoint is made, so that
        #: nothing is stored behind its cut.
        self.accepting: int | None = 0
        self.offsets = Offsets()
        #: When the last batch was delivered, in monotonic seconds.
        self._delivered_at = 0.0
        #: Whether more came than agents could take, and they have not had a rest since.
        self._behind = False
        self._room = asyncio.Event()
        #: Set unless a seek is under way; a fetch meanwhile may bring anything.
        self._positioned = asyncio.Event()
        self._positioned.set()
        self._seeks = 0
        self._failures = 0
        self._rewinding: asyncio.Task[None] | None = None

    def _new_consumer_thread(self) -> BatchingConsumerThread:
        return BatchingConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- delivering

    async def getmany(self, *_: Any, **__: Any) -> AsyncIterator[tuple[TP, Any]]:
        """Fetch once and yield what came: a Batch a partition, or single messages."""
        epoch, seeks = self.epoch, self._seeks
        records = await self._fetch()
        if self.should_stop:
            return
        # A fetch that straddled a seek may have brought some of before and some of after it.
        straddled = seeks != self._seeks or not self._positioned.is_set()
        void = straddled or not self._still(epoch)
        if void and records:
            await self._give_back(records)
        batched_topics = self.app.batched_topics
        for place, found in records.items():
            tp = TP(place.topic, place.partition)
            end = self.highwater(tp)
            if end is not None:
                self.app.monitor.track_tp_end_offset(tp, end)
            if tp.topic in batched_topics:
                fresh = self.offsets.fresh(tp, found)
                for piece in pieces(fresh) if fresh else ():
                    if not void and self._still(epoch):
                        yield tp, self._batch_message(tp, piece)
            else:
                for record in self._thinned(tp, found):
                    if not self.flow_active:
                        return
                    yield tp, self._to_message(tp, record)
        if not void and seeks == self._seeks and self._positioned.is_set() and self._still(epoch):
            self._pass_gaps()

    def _pass_gaps(self) -> None:
        """After a fetch that is delivered: nothing else is before the positions where it ended."""
        positions, self._thread.positions = self._thread.positions, {}
        for tp, position in positions.items():
            if tp.topic in self.app.batched_topics:
                self.offsets.passed(tp, position)

    def _thinned(self, tp: TP, records: Sequence[Any]) -> Sequence[Any]:
        """Leave out of a changelog's records what its table would only overwrite."""
        table = self.app.tables._changelogs.get(tp.topic)
        newest_rows = getattr(table, "newest_rows", None)
        return records if newest_rows is None else newest_rows(records)

    def _still(self, epoch: int) -> bool:
        return epoch == self.epoch and self.flow_active

    async def _fetch(self) -> Mapping[Any, Sequence[Any]]:
        self._thread.positions = {}
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
        # Before anybody looks at who has room: what is done from here on counts.
        self._room.clear()
        active = self._get_active_partitions()
        fetchable = {tp for tp in active if self.offsets.outstanding[tp.topic] < MOST_OUTSTANDING}
        if len(fetchable) == len(active):
            return await self._getmany(active_partitions=fetchable, timeout=POLL_S)
        self._behind = True
        # To wait for the other topics would leave the agent of a full one without work: its batches
        # of large messages take a few ms each.
        found = await self._getmany(active_partitions=fetchable, timeout=0.0) if fetchable else {}
        if not found:
            await self._wait_for_room()
        return found

    async def _wait_for_room(self) -> None:
        try:
            await asyncio.wait_for(self._room.wait(), timeout=POLL_S)
        except TimeoutError:
            # Nothing is assigned, or agents are busy: look again.
            return

    def _batch_message(self, tp: TP, records: Sequence[Any]) -> ConsumerMessage:
        last = records[-1]
        self.offsets.delivered(tp, last.offset + 1)
        self._delivered_at = time.monotonic()
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            [],
            None,
            Batch(self, tp, records, self.epoch),  # type: ignore[arg-type]
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _give_back(self, records: Mapping[Any, Sequence[Any]]) -> None:
        """Undo a fetch that is not delivered: aiokafka has moved its positions past it."""
        await self._positioned.wait()
        back = {}
        for place, found in records.items():
            tp = TP(place.topic, place.partition)
            if tp.topic in self.app.batched_topics:
                position = self.offsets.position(tp)
                if position is not None:
                    back[tp] = position
            elif not self.flow_active and not self._is_changelog_tp(tp):
                back[tp] = found[0].offset
        await self._thread.seek_all(back)

    # -- following

    def batch_done(self, batch: Batch) -> None:
        """Take note that ``batch`` is applied and on its way to its store."""
        if batch.epoch == self.epoch:
            self.offsets.done(batch.tp, batch.records[-1].offset + 1)
            self._room.set()

    def caught_up(self, tp: TP) -> bool:
        """Tell whether all that the broker is known to have of a partition is applied."""
        end = self.highwater(tp)
        busy = self.offsets.outstanding[tp.topic]
        return end is not None and not busy and (self.offsets.position(tp) or 0) >= end

    def uncommitted(self) -> dict[TP, int]:
        """Return the offsets that may be committed once everything before them is saved."""
        return self.offsets.uncommitted()

    def saved(self) -> dict[TP, int]:
        """Return, for each batched partition of this worker, the offset before which all is saved.

        Empty while there is no assignment.
        """
        batched = self.app.batched_topics
        try:
            assigned = self.assignment()
        except ConsumerNotStarted:
            return {}
        found = {tp: self.offsets.saved(tp) for tp in assigned if tp.topic in batched}
        return {tp: offset for tp, offset in found.items() if offset is not None}

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        """Commit exactly these offsets; returns whether the broker took them."""
        if not await self._commit(offsets):
            return False
        self.offsets.committed(offsets)
        self._failures = 0
        self.app.monitor.on_tp_commit(dict(offsets))
        return True

    def new_epoch(self) -> None:
        """Void everything that no checkpoint has saved."""
        self.epoch += 1
        self.accepting = self.epoch
        self.offsets.void()
        self._room.set()
        self.app.checkpoints.void()

    def rewind(self, reason: BaseException) -> None:
        """Start a new epoch after a failure, and go back to the committed offsets.

        Returns at once; seeking happens in the background, after a pause that grows with failures
        in a row.
        """
        self.log.error("%r: going back to the last checkpoint", reason, exc_info=reason)
        self.new_epoch()
        if self._rewinding is None or self._rewinding.done():
            # Until the seek, nothing that is fetched may be delivered.
            self._positioned.clear()
            self._rewinding = asyncio.create_task(self._rewind(), name="rewind")

    async def _rewind(self) -> None:
        try:
            pause = min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S)
            self._failures += 1
            seeks = self._seeks
            await asyncio.sleep(pause)
            # In a rebalance, recovery seeks when it is over; it may have done so already.
            if seeks == self._seeks and self.flow_active and not self.app.rebalancing:
                batched = self.app.batched_topics
                await self._seek_to_start(tp for tp in self.assignment() if tp.topic in batched)
        finally:
            self._seek_is_over()

    def _seek_is_over(self) -> None:
        self._seeks += 1
        self._positioned.set()

    async def perform_seek(self) -> None:
        """Move all partitions but changelogs to their committed offset, or the first one kept."""
        self.offsets.keep_only(self.assignment())
        await self._seek_to_start(tp for tp in self.assignment() if not self._is_changelog_tp(tp))

    async def _seek_to_start(self, tps: Iterable[TP]) -> None:
        self._positioned.clear()
        try:
            for tp, (offset, committed) in (await self._thread.seek_to_start_of_work(tps)).items():
                self.offsets.seek(tp, offset, committed=committed)
                self._read_offset[tp] = offset if committed else None
                if committed:
                    self._committed_offset[tp] = offset
        finally:
            self._seek_is_over()

    # -- giving up partitions

    async def wait_empty(self) -> None:
        """Make the last checkpoint, then void what is left.

        Faust calls it before partitions are given up, and before a stop.
        """
        self.accepting = None
        checkpoints = self.app.checkpoints
        try:
            await asyncio.wait_for(checkpoints.run(), timeout=LAST_CHECKPOINT_S)
        except TimeoutError:
            self.log.warning(
                "no checkpoint within %g s; what is not saved will be processed again",
                LAST_CHECKPOINT_S,
            )
        except Exception:
            self.log.exception("the last checkpoint failed; what is not saved is processed again")
        self.new_epoch()
        await super().commit_and_end_transactions()

    async def _pause(self, least_s: float, most_s: float) -> None:
        """Sleep until the next checkpoint; the longer pause only while there is work to do.

        Where a backlog comes to its end, the checkpoint is due at once: somebody waits for that.
        """
        start = now = time.monotonic()
        # At least once, whatever the pauses: this runs in a loop that has no other rest.
        while not self.should_stop:
            left = start + least_s - now
            await self.sleep(min(IDLE_S, left) if left > 0 else IDLE_S)
            now = time.monotonic()
            if now >= start + most_s:
                return
            if not self._behind and now < start + least_s:
                continue
            if now > self._delivered_at + IDLE_S and all(map(self.caught_up, self.offsets)):
                self._behind = False
                return

    @Service.task
    async def _checkpointing(self) -> None:
        checkpoints = self.app.checkpoints
        while not self.should_stop:
            await self._pause(*checkpoints.pauses_s())
            epoch = self.epoch
            try:
                await checkpoints.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, a checkpoint stands
                if epoch == self.epoch:
                    self.rewind(error)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's watchdog looks at acknowledgements, which batched topics do not have."""
        if tp.topic not in self.app.batched_topics:
            super().verify_event_path(now, tp)
