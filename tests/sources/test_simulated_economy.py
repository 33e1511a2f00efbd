"""Simulated economic series: plausible, each value on its day, revised now and then."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from config import Settings
from models import EconomicObservation
from sources import simulated_economy
from sources.base import cursors
from sources.economic_cycle import SERIES, Economy
from sources.market_path import MarketPath, RecordedPath, SimulatedPath
from sources.simulated_economy import HISTORY_DAYS, SimulatedEconomy
from tests.sources.conftest import ManualClock
from tests.sources.worlds import marching

PATH = RecordedPath()
#: What one may see of each series, as (least, most).
PLAUSIBLE = {
    "GDP": (9_000, 32_000),
    "CPIAUCSL": (160, 330),
    "UNRATE": (2.5, 11),
    "FEDFUNDS": (0, 7),
    "DGS10": (0.5, 7),
    "T10Y2Y": (-2, 4),
    "VIXCLS": (8, 60),
}


def day(ms: int) -> date:
    """The day that a time in ms is in."""
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def facts(records: Sequence[EconomicObservation]) -> list[tuple[str, date, float, date]]:
    """What observations say, without what is constant of the series."""
    return [(r.series, day(r.time), r.value, day(r.realtime_start)) for r in records]


def source(
    days: int, path: MarketPath = PATH, tickers: Sequence[str] = ("AAPL",)
) -> SimulatedEconomy:
    """A source of the time when prices are so many days into the live part."""

    def positions(keys: Sequence[str]) -> Mapping[str, int]:
        found = {}
        for key in keys:
            live = path.opened(key, path.live(key))
            assert live is not None
            found[key] = live + days * 86_400_000
        return found

    return SimulatedEconomy(path, tickers, positions)


@functools.cache
def years(seed: int = 1) -> list[EconomicObservation]:
    """All that is published in 13 simulated years."""
    path = SimulatedPath(seed, "1d")
    made = SimulatedEconomy(path, ["A"], lambda keys: {"A": 0}, seed=seed)
    start = date(2001, 6, 1)
    return [
        record
        for name in SERIES
        for period in made._published(name, start, start + timedelta(days=13 * 365))
        for record in made._publication(name, period)
    ]


def test_the_series_are_those_of_the_default() -> None:
    assert tuple(SERIES) == Settings.model_fields["fred_series"].default


@pytest.mark.parametrize("seed", [1, 2])
def test_values_are_plausible_and_move(seed: int) -> None:
    records = years(seed)
    for name, (least, most) in PLAUSIBLE.items():
        values = [record.value for record in records if record.series == name]
        assert least < min(values)
        assert max(values) < most
        assert statistics.stdev(values) > 0.03 * statistics.mean(map(abs, values))


def test_frequencies_are_the_series_own() -> None:
    records = years()
    for name, per_year, frequency in (
        ("GDP", 4, "Quarterly"),
        ("UNRATE", 12, "Monthly"),
        ("DGS10", 261, "Daily"),
    ):
        mine = [record for record in records if record.series == name]
        assert {record.frequency for record in mine} == {frequency}
        assert len({record.time for record in mine}) == pytest.approx(13 * per_year, rel=0.02)
        assert all(day(record.realtime_start).weekday() < 5 for record in mine)


def test_a_value_is_published_after_its_period_is_over() -> None:
    for record in years():
        series = SERIES[record.series]
        assert day(record.time) == series.period(day(record.time))
        assert day(record.realtime_start) >= series.after(day(record.time))
        assert day(record.realtime_start) <= day(record.time) + timedelta(days=220)


def test_some_values_are_revised() -> None:
    """A revision is another publication of the same period, later, with another value."""
    records = years()
    for name, least, most in (("GDP", 0.6, 1.0), ("UNRATE", 0.01, 0.4), ("DGS10", 0.0, 0.0)):
        by_period: dict[int, list[EconomicObservation]] = {}
        for record in records:
            if record.series == name:
                by_period.setdefault(record.time, []).append(record)
        revised = [found for found in by_period.values() if len(found) > 1]
        assert least <= len(revised) / len(by_period) <= most
        for first, second in revised:
            assert second.realtime_start > first.realtime_start
            assert second.value != first.value


def test_seeds_make_economies() -> None:
    period = date(2008, 7, 1)
    assert Economy(1).value("GDP", period) == Economy(1).value("GDP", period)
    assert Economy(1).value("GDP", period) != Economy(2).value("GDP", period)


async def test_restarts_and_small_steps_bring_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    series = list(SERIES)
    expected = facts(await source(330).fetch(series, {}))
    monkeypatch.setattr(simulated_economy, "MAX_OBSERVATIONS_PER_FETCH", 20)
    found, since = list[tuple[str, date, float, date]](), dict[str, int]()
    for days in range(0, 331, 5):
        for _ in range(4):
            records = await source(days).fetch(series, since)
            found += facts(records)
            since |= cursors(records, "series")
    assert sorted(found) == sorted(expected)


async def test_history_meets_the_live_part() -> None:
    made = source(200)
    past = await made.history(list(SERIES))
    live = PATH.opened("AAPL", PATH.live("AAPL"))
    assert live is not None
    for name, records in past.items():
        published = [day(record.realtime_start) for record in records]
        assert published == sorted(published)
        assert day(live) - timedelta(days=HISTORY_DAYS) <= published[0] <= published[-1] < day(live)
        since = {name: records[-1].time}
        assert facts(await made.fetch([name], since)) == facts(await made.fetch([name], {}))


async def test_nothing_is_known_before_its_day_to_any_ticker(clock: ManualClock) -> None:
    """GOOG's recording goes live a year and a half after AAPL's."""
    tickers = ("GOOG", "AAPL", "TSLA")
    made = SimulatedEconomy(PATH, tickers, marching(PATH, clock, speed=10))
    latest = []
    for second in range(4):
        records = await made.fetch(["DGS10"], {})
        opened = PATH.opened("AAPL", PATH.live("AAPL") + 10 * second + 1)
        assert opened is not None
        latest.append(max(record.realtime_start for record in records))
        assert latest[-1] == opened - opened % 86_400_000
        clock.pass_(1)
    assert all(earlier < later for earlier, later in pairwise(latest))


async def test_a_replay_that_has_ended_brings_nothing_more() -> None:
    made = source(10_000, tickers=("FB",))
    records = await made.fetch(["VIXCLS"], {})
    assert max(day(record.realtime_start) for record in records) == date(2013, 3, 1)
    assert await made.fetch(["VIXCLS"], cursors(records, "series")) == []


async def test_the_present_is_not_overtaken() -> None:
    path = SimulatedPath(1, "1d")
    now = ManualClock(datetime(2010, 6, 15, 12, tzinfo=UTC).timestamp())
    made = SimulatedEconomy(path, ["A"], lambda keys: {"A": 2_000_000_000_000}, now=now)
    records = await made.fetch(["DGS10"], {})
    assert max(day(record.realtime_start) for record in records) == date(2010, 6, 15)


async def test_without_a_ticker_there_is_no_time() -> None:
    made = source(10, tickers=("TSLA",))
    assert await made.fetch(["GDP"], {}) == []
    assert await made.history(["GDP"]) == {"GDP": []}
