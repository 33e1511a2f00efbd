"""The checkpoint: documents, then state, then offsets, each acknowledged before the next."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from faust.types import TP

from transport.heap import give_back

if TYPE_CHECKING:
    from transport.consumer import BatchingConsumer

log = logging.getLogger(__name__)

#: Pause for each second that the last checkpoint took, and at most, in seconds.
PAUSE_PER_SECOND = 4.0
LONGEST_PAUSE_S = 10.0

#: From so many rows on, what a checkpoint took for a moment is worth giving back.
MANY_ROWS = 1_000
#: So often memory is given back in any case, in seconds: large messages leave holes as well.
GIVE_BACK_EVERY_S = 30.0

#: A row of state on its way to the changelog: key -> (partition, value).
Rows = Mapping[str, tuple[int, bytes]]


class Store(Protocol):
    """Something that stores what agents submit: documents, or messages."""

    def cut(self) -> Any:
        """Return a mark of what has been submitted so far."""

    async def flushed(self, mark: Any) -> None:
        """Return once everything before ``mark`` is acknowledged, or void; raise if it fails."""

    def void(self) -> None:
        """Forget what is not acknowledged; it will be submitted again."""


class State(Protocol):
    """State that follows a topic's offsets: a table, with live objects over it."""

    def cut(self) -> Rows:
        """Return the rows that changed since the last cut, serialised now."""

    async def send(self, rows: Rows) -> None:
        """Return once the changelog has acknowledged ``rows``."""

    def keep(self, rows: Rows) -> None:
        """Put ``rows`` into the table."""

    def void(self) -> None:
        """Drop live objects and dirty marks; the table stands."""


class Checkpointer:
    """Runs checkpoints over all registered stores and states.

    Args:
        interval_s: seconds from one checkpoint to the next.
    """

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self.completed = 0
        #: Seconds that the last one took.
        self.took_s = 0.0
        #: Told how long each checkpoint took, in seconds.
        self.on_completed: Callable[[float], None] | None = None
        self._stores: list[Store] = []
        self._states: list[State] = []
        self._consumer: BatchingConsumer | None = None
        self._running = asyncio.Lock()
        #: Whether the last one saved many rows, and when memory was last given back.
        self._was_large = False
        self._gave_back_at = time.monotonic()

    def register_store(self, store: Store) -> None:
        """Have checkpoints wait for ``store``."""
        self._stores.append(store)

    def register_state(self, state: State) -> None:
        """Have checkpoints save ``state``."""
        self._states.append(state)

    def attach(self, consumer: Any) -> None:
        """Belong to ``consumer``, whose offsets checkpoints commit."""
        self._consumer = consumer

    def pauses_s(self) -> tuple[float, float]:
        """Return the seconds until the next checkpoint, at least, and at most while work goes on.

        From cut to cut it is the interval. Where one takes long, as thousands of keys have changed
        since the last, they come less often while more are changing: most will have changed again,
        and are saved once instead of many times.
        """
        least = max(self.interval_s - self.took_s, 0.0)
        return least, max(least, min(PAUSE_PER_SECOND * self.took_s, LONGEST_PAUSE_S))

    def void(self) -> None:
        """Drop everything that no checkpoint has saved."""
        for store in self._stores:
            store.void()
        for state in self._states:
            state.void()

    async def run(self) -> bool:
        """Make one checkpoint; returns whether there is nothing left to save.

        Raises:
            Exception: a store or the changelog failed; the caller must start a new epoch.
        """
        async with self._running:
            consumer = self._consumer
            if consumer is None:
                return True
            start = time.monotonic()
            # The cut. No await until it is complete: no batch can come between.
            epoch = consumer.epoch
            offsets = consumer.uncommitted()
            marks = [(store, store.cut()) for store in self._stores]
            cuts = [(state, state.cut()) for state in self._states]
            if not offsets and not any(rows for _, rows in cuts):
                await self._give_back(many=False)
                return True
            for store, mark in marks:
                await store.flushed(mark)
            for state, rows in cuts:
                if rows and consumer.epoch == epoch:
                    await state.send(rows)
            if consumer.epoch != epoch:
                return False
            for state, rows in cuts:
                state.keep(rows)
            many = sum(len(rows) for _, rows in cuts) >= MANY_ROWS
            # The rows that these replace are free only now, and so are copies that cuts have made.
            cuts.clear()
            await self._give_back(many)
            if consumer.epoch != epoch:
                return False
            committed = await self._commit(consumer, offsets)
            self.completed += 1
            self.took_s = time.monotonic() - start
            if self.on_completed is not None:
                self.on_completed(self.took_s)
            return committed and consumer.epoch == epoch

    async def _give_back(self, many: bool) -> None:
        """Give memory back after many rows, once more at the next checkpoint, and now and then.

        By the next one the batches that were under way meanwhile are gone as well.
        """
        now = time.monotonic()
        if many or self._was_large or now >= self._gave_back_at + GIVE_BACK_EVERY_S:
            await asyncio.to_thread(give_back)
            self._gave_back_at = now
        self._was_large = many

    async def _commit(self, consumer: BatchingConsumer, offsets: Mapping[TP, int]) -> bool:
        if not offsets:
            return True
        # Only after the broker said yes are they forgotten; else the next checkpoint tries again.
        if not await consumer.commit_offsets(offsets):
            log.info("offsets not committed this time; the next checkpoint tries again")
            return False
        return True
