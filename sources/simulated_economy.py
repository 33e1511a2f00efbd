"""Economic series made up in the time of the prices beside them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from models import ECONOMIC_OBSERVATION, EconomicObservation
from models.times import to_ms
from sources.base import UnknownKeys
from sources.economic_cycle import SERIES, Economy
from sources.market_path import MarketPath, Positions, now_on
from sources.simulated_writers import SOURCE
from topics import ECONOMIC_INDICATORS

#: Publications before the live part that count as history: a year, and a month to compare with.
HISTORY_DAYS = 400
#: Observations in one fetch, all keys together; what is due beyond comes with the next fetches.
MAX_OBSERVATIONS_PER_FETCH = 2_000
#: No first value is published so long after the start of its period.
_LONGEST_WAIT_DAYS = 200


class SimulatedEconomy:
    """Publishes the series of `sources.economic_cycle`, each value on its day.

    A series belongs to no ticker, so its day is that of the ticker that is furthest behind: nothing
    is known earlier than it was. A revision is published together with the first value of the next
    period, as a record of its own with the same ``time``; so the first period after ``since`` also
    brings a revision of ``since`` itself.

    Args:
        path: the prices, whose time it is.
        tickers: those that are followed; the ones that the path does not have do not count.
        positions: how far the prices have come.
        seed: another seed, other values.
        interval: seconds between two polls.
        now: seconds since the epoch, for ``ingested`` and the present.
    """

    topic = ECONOMIC_INDICATORS

    def __init__(
        self,
        path: MarketPath,
        tickers: Sequence[str],
        positions: Positions,
        *,
        seed: int = 1,
        interval: float = 1.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = f"{path.name}-economy"
        self.interval = interval
        self._path = path
        self._tickers = [ticker for ticker in tickers if path.knows(ticker)]
        self._positions = positions
        self._economy = Economy(seed)
        self._now = now

    async def fetch(
        self, keys: Sequence[str], since: Mapping[str, int]
    ) -> list[EconomicObservation]:
        """Return what was published after the first value of the period ``since``.

        Raises:
            StoreUnavailable: it cannot be found out how far the prices are.
        """
        self._check(keys)
        if not keys or not self._tickers:
            return []
        return await asyncio.to_thread(self._next, keys, since)

    async def history(self, keys: Sequence[str]) -> dict[str, list[EconomicObservation]]:
        """Return what was published in the ``HISTORY_DAYS`` days before the live part."""
        self._check(keys)
        if not self._tickers:
            return {key: [] for key in keys}
        return await asyncio.to_thread(self._past, keys)

    async def close(self) -> None:
        """Do nothing: there is nothing to give up."""

    def _next(self, keys: Sequence[str], since: Mapping[str, int]) -> list[EconomicObservation]:
        today = self._today()
        start = max(self._first_day(), today - timedelta(days=HISTORY_DAYS))
        share = max(1, MAX_OBSERVATIONS_PER_FETCH // len(keys))
        found: list[EconomicObservation] = []
        for key in keys:
            last = since.get(key)
            if last is None:
                periods = self._published(key, start, today)
            else:
                periods = self._published_after(key, _day(last), today)
            records: list[EconomicObservation] = []
            for period in periods:
                records += self._publication(key, period)
                if len(records) >= share:
                    break
            found += records
        return found

    def _past(self, keys: Sequence[str]) -> dict[str, list[EconomicObservation]]:
        live = self._first_day()
        start, end = live - timedelta(days=HISTORY_DAYS), live - timedelta(days=1)
        return {
            key: [
                record
                for period in self._published(key, start, end)
                for record in self._publication(key, period)
            ]
            for key in keys
        }

    def _published(self, name: str, start: date, end: date) -> Iterator[date]:
        """Yield the periods whose first values were published from ``start`` to ``end``."""
        series = SERIES[name]
        before = series.period(start - timedelta(days=_LONGEST_WAIT_DAYS))
        for period in self._published_after(name, before, end):
            if series.published(period) >= start:
                yield period

    def _published_after(self, name: str, period: date, end: date) -> Iterator[date]:
        """Yield the periods after one whose first values were published up to ``end``."""
        series = SERIES[name]
        period = series.after(period)
        while series.published(period) <= end:
            yield period
            period = series.after(period)

    def _publication(self, name: str, period: date) -> list[EconomicObservation]:
        """Return the first value of a period, and before it, if so, the revision of the last."""
        economy, series = self._economy, SERIES[name]
        published, before = series.published(period), series.before(period)
        values = [(period, economy.first(name, period))]
        if series.revised and economy.value(name, before) != economy.first(name, before):
            values.insert(0, (before, economy.value(name, before)))
        ingested = int(self._now() * 1000)
        return [
            ECONOMIC_OBSERVATION.parse(
                {
                    "series": name,
                    "time": to_ms("time", day),
                    "value": value,
                    "realtime_start": to_ms("realtime_start", published),
                    "source": SOURCE,
                    "ingested": ingested,
                    "title": series.title,
                    "units": series.units,
                    "frequency": series.frequency,
                }
            )
            for day, value in values
        ]

    def _first_day(self) -> date:
        """Return the day on which the live part begins."""
        return min(self._opened(ticker, self._path.live(ticker)) for ticker in self._tickers)

    def _today(self) -> date:
        """Return the day of the ticker that is furthest behind, or today."""
        positions = self._positions(self._tickers)
        days = [
            self._opened(ticker, now_on(self._path, ticker, positions.get(ticker)))
            for ticker in self._tickers
        ]
        return min(*days, _day(int(self._now() * 1000)))

    def _opened(self, ticker: str, index: int) -> date:
        """Return the day on which a bar opened; of one after the last, the day of the last."""
        for near in (index, index - 1):
            opened = self._path.opened(ticker, near)
            if opened is not None:
                return _day(opened)
        raise LookupError(f"{ticker} has no bars on the path {self._path.name!r}")

    def _check(self, keys: Sequence[str]) -> None:
        unknown = [key for key in keys if key not in SERIES]
        if unknown:
            raise UnknownKeys(self.name, unknown, f"made up are {', '.join(SERIES)} (FRED_SERIES)")


def _day(ms: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).date()
