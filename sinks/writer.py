"""Feeds a blocking sink from the event loop: in order, in the background, with backpressure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from errors import StoreUnavailable
from monitoring.instruments import WriteMeter
from sinks.base import Refusal, Sink, Write, coalesce

log = logging.getLogger(__name__)

#: Submissions that may wait. So the next batch is computed while the last one is stored; what
#: waits together is stored together, so bulks grow when the store is behind.
MOST_WAITING = 3

#: Writes handed to the sink at once. A checkpoint may have thousands of trends; what the sink makes
#: of each on the way is memory that the worker would never give back.
MOST_AT_ONCE = 4_000

#: What to store in place of what was refused.
OnRefused = Callable[[Sequence[Refusal]], Sequence[Write]]


class Writer:
    """Stores what is submitted, in the order of submission.

    An outage of the store is retried for ever, with backoff; meanwhile :meth:`ready` does not
    return. What the store refuses for good is handed to ``on_refused``, after the rest of its bulk
    is stored.
    """

    def __init__(self, sink: Sink, name: str, on_refused: OnRefused) -> None:
        self.stored = 0
        self._sink = sink
        self._name = name
        self._on_refused = on_refused
        self._waiting: deque[Sequence[Write]] = deque()
        self._submitted = 0
        self._finished = 0
        self._meter = WriteMeter(name)
        self._failure: Exception | None = None
        self._changed = asyncio.Event()
        self._work = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        # One thread, so that an attempt still running when its epoch ends is over before the next.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"store-{name}")

    async def ready(self) -> None:
        """Return once there is room for another submission.

        Raises:
            Exception: whatever stopped the writer, other than an outage.
        """
        await self._until(lambda: len(self._waiting) < MOST_WAITING)
        if self._failure is not None:
            raise self._failure

    def submit(self, writes: Sequence[Write]) -> None:
        """Take ``writes`` over; they are stored in the background."""
        self._waiting.append(writes)
        self._submitted += 1
        if self._worker is None:
            self._worker = asyncio.create_task(self._run(), name=f"writer-{self._name}")
        self._work.set()

    def cut(self) -> int:
        """Return a mark of what has been submitted so far, for :meth:`flushed`."""
        return self._submitted

    async def flushed(self, mark: int) -> None:
        """Return once everything submitted before ``mark`` is stored, or void.

        Raises:
            Exception: whatever stopped the writer, other than an outage.
        """
        await self._until(lambda: self._finished >= mark)

    def void(self) -> None:
        """Forget everything that is not stored yet; it will be submitted again."""
        self._waiting.clear()
        self._finished = self._submitted
        self._failure = None
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None
        # Whoever waits for room or for what is void now would wait for ever.
        self._notify()

    def close(self) -> None:
        """Stop; what is not stored yet is void."""
        self.void()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._failure is not None:
                raise self._failure
            await self._changed.wait()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                try:
                    await self._store_waiting()
                except Exception as error:
                    # The checkpoint that waits for these writes meets it, and starts over.
                    log.exception("%s: storing failed", self._name)
                    self._failure = error
                    self._notify()
                    return
                self._notify()

    async def _store_waiting(self) -> None:
        # What is stored is free when this returns: it may be tens of MB, for as long as no work
        # comes.
        taken = list(self._waiting)
        rounds = coalesce(write for batch in taken for write in batch)
        refused = [
            one
            for writes in rounds
            for start in range(0, len(writes), MOST_AT_ONCE)
            for one in await self._store(writes[start : start + MOST_AT_ONCE])
        ]
        for letters in coalesce(self._on_refused(refused)) if refused else []:
            await self._store(letters)
        self.stored += sum(map(len, rounds)) - len(refused)
        for _ in taken:
            self._waiting.popleft()
        self._finished += len(taken)

    async def _store(self, writes: Sequence[Write]) -> list[Refusal]:
        async def attempt() -> list[Refusal]:
            loop = asyncio.get_running_loop()
            began = time.perf_counter()
            refused = await loop.run_in_executor(self._thread, self._sink.write, writes)
            self._meter.stored(len(writes) - len(refused), time.perf_counter() - began)
            return refused

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_exponential_jitter(multiplier=0.1, max=5.0),
            before_sleep=self._say,
        )
        return await retrying(attempt)

    def _say(self, state: RetryCallState) -> None:
        self._meter.failed()
        # The first failure, then about once a minute.
        if state.attempt_number == 1 or state.attempt_number % 12 == 0:
            error = None if state.outcome is None else state.outcome.exception()
            log.warning("%s: %s; trying again, nothing is lost", self._name, error)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
