"""Seeded bars of any ticker, at any rate, labelled ``simulated``.

Bar number ``i`` of a ticker is a function of the seed, the ticker and ``i`` alone, and costs the
same wherever it is: a restarted program goes on along the very same path (`sources.random_walk`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence

from errors import ConfigurationError
from models import BAR, Bar
from models.rules import is_ticker
from sources.base import Pace, UnknownKeys
from sources.random_walk import SEGMENT_BARS, STEPS_PER_BAR, RandomWalk
from topics import STOCK_PRICES

#: The time of bar 0: 2000-01-03, UTC. Far back, so that a fast simulation has a way to go.
FIRST_BAR_MS = 946_857_600_000
#: Bars before the live part.
HISTORY_BARS = 500
#: Bars in one fetch, all keys together; what is due beyond that comes with the next fetches.
MAX_BARS_PER_FETCH = 20_000

DAY_MS = 86_400_000
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS, "wk": 7 * DAY_MS}


class SimulatedSource:
    """Makes bars for any ticker, around the clock.

    Simulated time starts in 2000 and runs at ``speed`` bars a second and ticker until it meets the
    present; from there on bars take as long as their interval. After the closed bars of a fetch
    comes the one that is still forming (``closed=False``); it comes again until it is closed.

    Args:
        speed: bars per second and ticker.
        seed: another seed, other prices.
        bar_interval: length of one bar, such as ``"1m"``; of fixed length, so not months.
        interval: seconds between two polls.
        clock: seconds from any start, for the pace.
        now: seconds since the epoch, for ``ingested`` and the present.

    Raises:
        ConfigurationError: ``bar_interval`` is none, or counts months.
    """

    name = "simulated"
    topic = STOCK_PRICES

    def __init__(
        self,
        speed: float,
        seed: int = 1,
        bar_interval: str = "1m",
        interval: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.interval = interval
        self._bar_interval = bar_interval
        self._bar_ms = bar_length_ms(bar_interval)
        self._now = now
        self._pace = Pace(speed, clock)
        self._walk = RandomWalk(seed)

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Bar]:
        """Return the bars after ``since`` that are due; see :meth:`sources.base.Source.fetch`."""
        self._check(keys)
        owed = {key: self._pace.owed(key) for key in keys}
        bars, closed = await asyncio.to_thread(self._next, owed, since)
        # Only now: a cancelled fetch leaves what it would have brought due.
        for key, count in closed.items():
            self._pace.take(key, count)
        return bars

    async def history(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        """Return the ``HISTORY_BARS`` bars before the live part."""
        self._check(keys)
        return await asyncio.to_thread(self._past, keys)

    def exhausted(self, key: str, since: int | None) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: a simulation has no end."""
        return False

    async def close(self) -> None:
        """Forget the segments."""
        self._walk.forget()

    def _next(
        self, owed: Mapping[str, float], since: Mapping[str, int]
    ) -> tuple[list[Bar], dict[str, int]]:
        """Return the bars, and how many of each key are closed."""
        now = int(self._now() * 1000)
        share = max(1, MAX_BARS_PER_FETCH // max(1, len(owed)))
        bars: list[Bar] = []
        closed: dict[str, int] = {}
        for key, due in owed.items():
            first = self._after(since.get(key))
            # What is over by now: bars never come from the future.
            over = max(0, (now - FIRST_BAR_MS) // self._bar_ms - first)
            count = closed[key] = min(int(due), over, share)
            bars += [self._bar(key, i, now) for i in range(first, first + count)]
            forming = first + count
            lived = (now - self._time(forming)) / self._bar_ms
            if lived >= 0:
                progress = min(due - count, lived)
                steps = min(1 + int(progress * (STEPS_PER_BAR - 1)), STEPS_PER_BAR - 1)
                bars.append(self._bar(key, forming, now, steps))
        return bars, closed

    def _past(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        now = int(self._now() * 1000)
        return {key: [self._bar(key, i, now) for i in range(HISTORY_BARS)] for key in keys}

    def _bar(self, ticker: str, index: int, now: int, steps: int = STEPS_PER_BAR) -> Bar:
        """Return bar ``index`` as it stands after ``steps`` of its ``STEPS_PER_BAR``."""
        number, place = divmod(index, SEGMENT_BARS)
        segment = self._walk.segment(ticker, number)
        first = place * STEPS_PER_BAR
        prices = segment.prices[first : first + steps + 1]
        start = self._time(index)
        volume = segment.volumes[place] * _busyness(start) * steps / STEPS_PER_BAR
        return BAR.parse(
            {
                "ticker": ticker,
                "interval": self._bar_interval,
                "time": start,
                "open": prices[0],
                "high": max(prices),
                "low": min(prices),
                "close": prices[-1],
                "volume": float(round(volume)),
                "source": self.name,
                "ingested": now,
                "closed": steps == STEPS_PER_BAR,
            }
        )

    def _time(self, index: int) -> int:
        return FIRST_BAR_MS + index * self._bar_ms

    def _after(self, since: int | None) -> int:
        """Return the index of the first bar to come."""
        if since is None:
            return HISTORY_BARS
        return max(0, (since - FIRST_BAR_MS) // self._bar_ms + 1)

    def _check(self, keys: Sequence[str]) -> None:
        unknown = [key for key in keys if not is_ticker(key)]
        if unknown:
            raise UnknownKeys(
                self.name, unknown, "tickers have 1 to 32 characters of A-Z 0-9 . - = ^ &"
            )


def _busyness(time_ms: int) -> float:
    """Return the trade at this time of the day, 1 on average, most around midnight UTC."""
    part = time_ms % DAY_MS / DAY_MS
    return 0.5 + 6 * (part - 0.5) ** 2


def bar_length_ms(interval: str) -> int:
    """Return the length of a bar, ms.

    Raises:
        ConfigurationError: ``interval`` is none, or counts months.
    """
    match = re.fullmatch(r"([1-9]\d{0,2})(s|m|h|d|wk)", interval)
    if match is None:
        raise ConfigurationError(
            f"BAR_INTERVAL is {interval!r}: simulated bars have a fixed length, "
            "such as 1s, 1m, 1h, 1d or 1wk"
        )
    return int(match[1]) * _UNIT_MS[match[2]]
