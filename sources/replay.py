"""Recorded bars, played as if they were live."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from models import Bar
from sources import recorded
from sources.base import Pace, UnknownKeys
from topics import STOCK_PRICES

#: The part of each recording that counts as the past; the rest comes live.
HISTORY = Fraction(2, 3)


class ReplaySource:
    """Plays the recording of each ticker, its last third live, as closed daily bars.

    Every ticker starts at the first bar of its own live part, or after ``since``, whatever dates
    the others are at. A recording ends (:meth:`exhausted`).

    Args:
        speed: bars per second and ticker.
        interval: seconds between two polls.
        clock: seconds from any start, for the pace.
        now: seconds since the epoch, for ``ingested``.
    """

    name = recorded.SOURCE
    topic = STOCK_PRICES

    def __init__(
        self,
        speed: float,
        interval: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.interval = interval
        self._now = now
        self._pace = Pace(speed, clock)
        self._recordings: dict[str, list[Bar]] = {}

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Bar]:
        """Return the bars after ``since`` that are due; see :meth:`sources.base.Source.fetch`."""
        self._check(keys)
        due = {key: int(self._pace.owed(key)) for key in keys}
        bars = await asyncio.to_thread(self._next, due, since)
        # Only now: a cancelled fetch leaves what it would have brought due.
        for key, count in due.items():
            self._pace.take(key, count)
        return bars

    async def history(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        """Return the bars before the live part."""
        self._check(keys)
        return await asyncio.to_thread(self._past, keys)

    def exhausted(self, key: str, since: int | None) -> bool:
        """Return whether ``since`` is the time of the last recorded bar."""
        bars = self._recordings.get(key)
        return bars is not None and since is not None and since >= bars[-1].time

    async def close(self) -> None:
        """Forget the recordings."""
        self._recordings.clear()

    def _next(self, due: Mapping[str, int], since: Mapping[str, int]) -> list[Bar]:
        found: list[Bar] = []
        for key, count in due.items():
            bars = self._recording(key)
            last = since.get(key)
            start = (
                live_start(len(bars))
                if last is None
                else bisect_right(bars, last, key=lambda b: b.time)
            )
            found += bars[start : start + count]
        return self._received(found)

    def _past(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        past = {}
        for key in keys:
            bars = self._recording(key)
            past[key] = self._received(bars[: live_start(len(bars))])
        return past

    def _received(self, bars: Sequence[Bar]) -> list[Bar]:
        ingested = int(self._now() * 1000)
        return [bar.derive(ingested=ingested) for bar in bars]

    def _recording(self, key: str) -> list[Bar]:
        bars = self._recordings.get(key)
        if bars is None:
            bars = self._recordings[key] = recorded.bars(key)
        return bars

    def _check(self, keys: Sequence[str]) -> None:
        unknown = [key for key in keys if key not in recorded.TICKERS]
        if unknown:
            raise UnknownKeys(
                self.name,
                unknown,
                f"recorded are {', '.join(recorded.TICKERS)}; `--source simulated` has any ticker",
            )


def live_start(bars: int) -> int:
    """Return the index of the first live bar of a recording of so many."""
    return int(bars * HISTORY)
