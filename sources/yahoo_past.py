"""What Yahoo has of the past: whole periods, single ranges, and what warms indicators up."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from errors import SourceUnavailable
from models import Bar
from sources import market_hours
from sources.base import UnknownKeys
from sources.market_hours import DAY_MS
from sources.missing import Missing, missing
from sources.yahoo_bars import GRACE_MS, midnight
from sources.yahoo_client import Call
from sources.yahoo_download import Downloads, check_tickers, is_nothing, unavailable
from sources.yahoo_reach import PERIODS, check_period, period_start, warm_up_start

#: Keys in one download of history, and its longest time in seconds.
HISTORY_KEYS, HISTORY_S = 20, 120.0
#: As many bars as those keys have at most.
HISTORY_BARS = 1_000_000
#: Longest time of one download of what warms up; below the schedule's limit. In seconds.
WARM_UP_S = 25.0


class YahooPast:
    """The closed bars of one length.

    Args:
        downloads: fetches them.
        period: how much history there is; None for a length of its own for each length of bars.

    Attributes:
        read_at: when a key's past was read to its end, ms.

    Raises:
        ConfigurationError: the period is none.
    """

    def __init__(self, downloads: Downloads, period: str | None) -> None:
        self._downloads = downloads
        self._interval = downloads.reader.interval
        self._period = period or PERIODS[self._interval]
        check_period(self._period)
        self.read_at: dict[str, int] = {}

    def start(self) -> int:
        """Return where the history starts, ms."""
        return midnight(period_start(self._period, self._interval, self._downloads.now()))

    async def all(self, keys: Sequence[str], since: Mapping[str, int]) -> dict[str, list[Bar]]:
        """Return the bars of the period, or of each key those after its ``since`` (ms).

        May take long: more keys than the bucket allows at once wait for it.

        Raises:
            UnknownKeys, SourceUnavailable: as of a fetch.
        """
        check_tickers(keys)
        past: dict[str, list[Bar]] = {}
        # Those with a cursor are asked from there, the others for the whole period.
        for group in ([k for k in keys if k not in since], [k for k in keys if k in since]):
            left = list(group)
            while left:
                await self._downloads.wait_for_bucket()
                count = min(max(1, self._downloads.bucket.available()), HISTORY_KEYS)
                part, left = left[:count], left[count:]
                call = Call(HISTORY_S, HISTORY_BARS)
                now, found = await self._downloads.in_thread(call, self._whole, part, since, call)
                past |= found
                self.read_at |= dict.fromkeys(part, now)
        return {key: past[key] for key in keys}

    async def warm_up(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        """Return the last bars, 500 or more where Yahoo has them, of the keys that were answered.

        Fewer keys than asked for, where requests or time run out: ask again for the others.

        Raises:
            UnknownKeys, SourceUnavailable: as of a fetch.
        """
        check_tickers(keys)
        self._downloads.refuse_while_blocked()
        asked = list(keys)[: self._downloads.bucket.available()]
        if not asked:
            return {}
        call = Call(WARM_UP_S)
        now, found = await self._downloads.in_thread(call, self._last, asked, call)
        self._downloads.complain(call.problems, found)
        self.read_at |= dict.fromkeys(found, now)
        return found

    async def missing(
        self, key: str, stored: Collection[int], asked: tuple[int, int] | None = None
    ) -> Missing:
        """Return what of the period is not among the ``stored`` bars.

        Args:
            key: a ticker.
            stored: the times of its closed bars that are stored, ms.
            asked: from where Yahoo was asked before, and the first bar that it had then, ms.
        """
        start = self.start()
        beginning = asked[1] if asked is not None and asked[0] <= start else None
        end = self._downloads.now() - GRACE_MS
        return await asyncio.to_thread(
            missing, key, self._interval, stored, start=start, end=end, beginning=beginning
        )

    async def between(self, key: str, first: int, last: int | None = None) -> list[Bar]:
        """Return the bars from ``first`` to ``last`` (ms; None is now).

        Waits for the bucket. A range in which Yahoo has nothing is empty.

        Raises:
            UnknownKeys, SourceUnavailable: as of a fetch.
        """
        check_tickers([key])
        await self._downloads.wait_for_bucket()
        call = Call(HISTORY_S)
        found = await self._downloads.in_thread(call, self._range, key, first, last, call)
        return [bar for bar in found if first <= bar.time and (last is None or bar.time <= last)]

    def _whole(
        self, keys: Sequence[str], since: Mapping[str, int], call: Call
    ) -> tuple[int, dict[str, list[Bar]]]:
        now = self._downloads.now()
        start = min((since[key] for key in keys if key in since), default=self.start())
        frame = self._downloads.table(call, keys, start)
        found = self._downloads.bars(call, keys, frame, now)
        missed = [key for key in keys if key not in found]
        if missed:
            raise unavailable(call, missed)
        return now, {
            key: [bar for bar in _closed(found[key]) if key not in since or bar.time > since[key]]
            for key in keys
        }

    def _last(self, keys: Sequence[str], call: Call) -> tuple[int, dict[str, list[Bar]]]:
        now = self._downloads.now()
        frame = self._downloads.table(call, keys, warm_up_start(self._interval, now))
        found = self._downloads.bars(call, keys, frame, now)
        return now, {key: _closed(bars) for key, bars in found.items()}

    def _range(self, key: str, first: int, last: int | None, call: Call) -> list[Bar]:
        now = self._downloads.now()
        length = market_hours.WITHIN_DAY_MS.get(self._interval, DAY_MS)
        end = None if last is None or last + 2 * length >= now else last + length
        try:
            frame = self._downloads.table(call, [key], first, end)
            return _closed(self._downloads.bars(call, [key], frame, now)[key])
        except UnknownKeys:
            raise
        except SourceUnavailable:
            if is_nothing(call.problems.get(key, "")):
                return []
            raise


def _closed(bars: Sequence[Bar]) -> list[Bar]:
    return [bar for bar in bars if bar.closed]
