"""Dividends and splits: what a provider now says otherwise of bars that are stored long since.

A split changes all earlier prices, a dividend all earlier adjusted closes. Once a poll shows one,
the stored bars of that ticker are read again, sent again where they differ, and once they are
stored the ticker is recomputed.

How far that is stands in MongoDB, as two marks for each ticker, the day of the adjustment each:
`adjusting` before the first bar is sent, `adjusted` after the recompute is ordered. So a restart,
or another worker, goes on where this one was, and no adjustment is worked through twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models import Bar, recompute_orders
from sinks.base import Document
from sinks.cursors import Cursors
from sinks.documents import as_date
from sinks.history import PRICES, StoredBars
from sources.base import BarProvider, UnknownKeys
from sources.market_hours import DAY_MS
from sources.schedule import PASSING, Schedule
from topics import COMMANDS

log = logging.getLogger(__name__)

#: Seconds between two looks whether something was adjusted.
LOOK_S = 0.5
#: Providers count a little differently each time: less than this, relatively, is no adjustment.
TOLERANCE = 1e-5
#: A provider may show a dividend before it has adjusted its history: so long it is looked at again,
#: and so often, ms.
LATE_MS, AGAIN_MS = 2 * DAY_MS, 3_600_000
#: Longest wait for the bars sent to be stored, before they are sent again; seconds.
STORED_S = 120.0
#: Bars sent in one go, while nothing else happens in the worker.
AT_ONCE = 500
#: Pause after a failure, in seconds.
PAUSE_S = 15.0


@dataclass(slots=True)
class _Marks:
    """The days of the last adjustment begun and done, ms; 0 before the first."""

    begun: int = 0
    done: int = 0


class Adjustments:
    """Mends what is stored of the tickers that this worker owns.

    Args:
        schedules: those of one provider, one for each length of its bars; they send.
        stored: reads the bars that are stored.
        marks: keeps the two marks.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        stored: StoredBars,
        marks: Cursors,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._schedules = schedules
        self._parts = [
            (schedule, schedule.source)
            for schedule in schedules
            if isinstance(schedule.source, BarProvider)
        ]
        self._stored = stored
        self._cursors = marks
        self._now = now
        self._marks: dict[str, _Marks] = {}
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """Mend until the app stops."""
        app = self._schedules[0].app
        try:
            while not app.should_stop:
                owned = self._schedules[0].owned()
                for ticker in [name for name in self._marks if name not in owned]:
                    # Another worker goes on from the marks that are stored.
                    del self._marks[ticker]
                for ticker in owned:
                    if self._now() >= self._not_before.get(ticker, 0.0):
                        await self._look_at(ticker)
                await app.sleep(LOOK_S)
        finally:
            self._cursors.close()

    async def _look_at(self, ticker: str) -> None:
        try:
            if ticker not in self._marks:
                self._marks[ticker] = await asyncio.to_thread(self._load, ticker)
            marks = self._marks[ticker]
            seen = [provider.adjusted.get(ticker, 0) for _, provider in self._parts]
            day = max([*seen, marks.begun])
            if day > marks.done:
                await self._mend(ticker, day, marks)
        except UnknownKeys as error:
            log.warning("%s: not adjusted: %s", ticker, error)
            self._not_before[ticker] = self._now() + AGAIN_MS / 1000
        except PASSING as error:
            log.warning("%s: not adjusted yet: %s; trying again", ticker, error)
            self._not_before[ticker] = self._now() + PAUSE_S

    async def _mend(self, ticker: str, day: int, marks: _Marks) -> None:
        changed = [
            (schedule, bars)
            for schedule, provider in self._parts
            if (bars := await self._changed(ticker, provider))
        ]
        date = as_date(day).date()
        if changed:
            await self._save("adjusting", ticker, day)
            marks.begun = day
            count = sum(len(bars) for _, bars in changed)
            log.info(
                "%s: the dividend or split of %s changed %d stored bars: storing them again",
                ticker,
                date,
                count,
            )
            for schedule, bars in changed:
                every = list(bars.values())
                for start in range(0, len(every), AT_ONCE):
                    await schedule.send(every[start : start + AT_ONCE])
            await self._until_stored(ticker, changed)
        elif marks.begun <= marks.done:
            if self._now() * 1000 < day + LATE_MS:
                self._not_before[ticker] = self._now() + AGAIN_MS / 1000
                return
            # What is stored was fetched after it.
            await self._save("adjusted", ticker, day)
            marks.done = day
            return
        if ticker not in self._schedules[0].owned():
            return
        await self._schedules[0].send(recompute_orders([ticker]), COMMANDS)
        await self._save("adjusted", ticker, day)
        marks.done = day
        log.info("%s: recomputing it after the dividend or split of %s", ticker, date)

    async def _changed(self, ticker: str, source: BarProvider) -> dict[int, Bar]:
        """Return the bars that are stored with other values than the provider's, by time."""
        stored = await asyncio.to_thread(
            self._stored.of_source, ticker, source.bar_interval, source.name
        )
        if not stored:
            return {}
        fresh = await source.between(ticker, next(iter(stored)))
        # In a thread: forty years of a ticker are many bars.
        changed = await asyncio.to_thread(changes, stored, fresh)
        older = sum(at < fresh[0].time for at in stored) if changed else 0
        if older:
            log.warning(
                "%s %s: %d bars are older than what the provider still has, and stay as they are",
                ticker,
                source.bar_interval,
                older,
            )
        return changed

    async def _until_stored(
        self, ticker: str, changed: Sequence[tuple[Schedule, Mapping[int, Bar]]]
    ) -> None:
        """Return once MongoDB has the bars as they were sent.

        Raises:
            TimeoutError: it has not, in time.
        """
        async with asyncio.timeout(STORED_S):
            for schedule, bars in changed:
                interval = next(iter(bars.values())).interval
                name = schedule.source.name
                while True:
                    stored = await asyncio.to_thread(self._stored.of_source, ticker, interval, name)
                    if not await asyncio.to_thread(_differ, stored, bars):
                        break
                    await self._schedules[0].app.sleep(LOOK_S)

    def _load(self, ticker: str) -> _Marks:
        begun, done = (
            self._cursors.load(self._name(mark), [ticker]).get(ticker, 0)
            for mark in ("adjusting", "adjusted")
        )
        return _Marks(begun, done)

    async def _save(self, mark: str, ticker: str, day: int) -> None:
        await asyncio.to_thread(self._cursors.save, self._name(mark), {ticker: day})

    def _name(self, mark: str) -> str:
        return f"{self._schedules[0].source.name} {mark}"


def changes(stored: Mapping[int, Document], fresh: Sequence[Bar]) -> dict[int, Bar]:
    """Return the bars with other values than those stored; none where only rounding differs."""
    known = [(stored[bar.time], bar) for bar in fresh if bar.time in stored]
    if not any(_adjusted(before, bar) for before, bar in known):
        return {}
    return {bar.time: bar for before, bar in known if _other(before, bar)}


def _differ(stored: Mapping[int, Document], bars: Mapping[int, Bar]) -> bool:
    return any(at in stored and _other(stored[at], bar) for at, bar in bars.items())


def _adjusted(stored: Document, bar: Bar) -> bool:
    """Whether a price differs by more than rounding; volumes are revised without any reason."""
    return any(
        not _near(stored.get(name), getattr(bar, name)) for name in PRICES if name != "volume"
    )


def _other(stored: Document, bar: Bar) -> bool:
    return any(stored.get(name) != getattr(bar, name) for name in PRICES)


def _near(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is now
    return abs(now - before) <= TOLERANCE * abs(before)
