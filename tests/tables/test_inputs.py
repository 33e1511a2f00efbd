"""The tables of the trend's inputs: what a checkpoint saves is what another worker finds."""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import Ohlcv, parse
from indicators.compiled import named
from tables.checkpointed import row_offset
from tables.indicator_state import IntervalState
from tables.indicators import IndicatorTable
from tables.live import LiveTable
from tables.sentiment import SentimentTable
from tables.series import EconomyTable, MacroTable, Observed, newest_two
from tables.trends import TrendTable
from tests.indicators.bars import walk
from tests.tables.conftest import changelog
from transport import BatchingApp
from trend import Change, LastBar
from trend.scores import READ

MINUTE, HOUR = 60_000, 3_600_000


def app() -> BatchingApp:
    """An app that is never started."""
    return BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://")


def checkpoint(table: LiveTable[Any], *keys: str) -> None:
    """Save keys."""
    for key in keys:
        table.mark_dirty(key)
    table.keep(table.cut())


def recovered(table: LiveTable[Any], other: LiveTable[Any], partition: int = 0) -> None:
    """Fill ``other`` from the changelog of ``table``."""
    rows = [(key, table.row(key)) for key in table.keys()]  # noqa: SIM118 - a table's own
    other.apply_changelog_batch(changelog(other, *rows, partition=partition))


# -- prices: what the trend reads beside the indicators


def form(
    table: IndicatorTable, interval: IntervalState, bar: Ohlcv, time: int
) -> dict[str, float | None]:
    """Try a bar that is still forming, as the prices agent does; returns the values at it."""
    prices = (bar.high, bar.low, bar.close, bar.volume)
    (values,) = table.indicators.advance([interval.indicators.number], [prices], [True])
    named_values = named(table.indicators.layout, values.tolist())
    interval.formed(time, bar.close, named_values)
    return named_values


def filled(forming: bool) -> IndicatorTable:
    """A table with 40 bars of AAPL, the last one closed or forming."""
    table = IndicatorTable(app(), parse("macd 12/26/9, adx 14, rsi 14, atr 14"))
    state = table.of("AAPL", 0)
    interval = state.interval("1m")
    for number, bar in enumerate(walk(40)):
        if forming and number == 39:
            form(table, interval, bar, number * MINUTE)
        else:
            interval.advance(bar, number * MINUTE)
    state.offset, state.newest = 39, 39 * MINUTE
    return table


@pytest.mark.parametrize("forming", [True, False])
def test_the_last_bar_outlives_a_restart(forming: bool) -> None:
    table = filled(forming)
    checkpoint(table, "AAPL")
    before = table.of("AAPL", 0).last_bars()["1m"]
    table.void()
    state = table.of("AAPL", 0)
    after = state.last_bars()["1m"]
    assert after[:2] == before[:2] == (39 * MINUTE, walk(40)[-1].close)
    assert after.obv_slope == before.obv_slope is not None
    # Of a bar that was forming, those that the trend reads.
    read = {name: before.values[name] for name in after.values}
    assert after.values == read
    assert {"macd", "macd_hist", "adx", "rsi", "atr"} <= after.values.keys()
    assert state.newest == 39 * MINUTE


def test_a_forming_bar_leaves_the_state_alone() -> None:
    table = filled(forming=False)
    interval = table.of("AAPL", 0).intervals["1m"]
    state = interval.indicators.state()
    values = form(table, interval, Ohlcv.at(1.0, 5.0), 40 * MINUTE)
    assert (interval.last, interval.forming) == ((40 * MINUTE, 1.0), values)
    assert interval.indicators.state() == state
    assert interval.last_time == 39 * MINUTE


def test_an_older_bar_does_not_take_the_place_of_a_newer_one() -> None:
    table = filled(forming=False)
    interval = table.of("AAPL", 0).intervals["1m"]
    form(table, interval, Ohlcv.at(1.0, 5.0), 45 * MINUTE)
    interval.advance(Ohlcv.at(2.0, 5.0), 41 * MINUTE)
    assert interval.last == (45 * MINUTE, 1.0)
    assert interval.forming is not None
    interval.advance(Ohlcv.at(3.0, 5.0), 45 * MINUTE)
    now = interval.indicators.values()
    values = {name: now[name] for name in READ if name in now}
    assert len(values) > 1
    assert interval.last_bar() == LastBar(45 * MINUTE, 3.0, values, interval.indicators.slope)


def test_a_row_of_an_earlier_version_is_read() -> None:
    table = filled(forming=False)
    interval = table.of("AAPL", 0).intervals["1m"]
    before = interval.indicators.state()[:-1]
    row = orjson.loads(table.of("AAPL", 0).dump())
    del row["newest"], row["intervals"]["1m"]["bar"], row["intervals"]["1m"]["row"]
    row["intervals"]["1m"]["state"] = before
    table.keep({"AAPL": (0, orjson.dumps(row))})
    table.void()
    state = table.of("AAPL", 0)
    assert (state.newest, state.last_bars(), state.offset) == (None, {}, 39)
    assert state.intervals["1m"].last_time == 39 * MINUTE
    assert state.intervals["1m"].indicators.state()[:-1] == before
    assert state.intervals["1m"].indicators.slope is None


# -- sentiments


def test_a_sentiment_outlives_a_restart() -> None:
    table, other = (SentimentTable(app(), "news", 3_600.0) for _ in range(2))
    state = table.of("AAPL", 3)
    for number in range(50):
        state.rolling.add(str(number), number * HOUR, 0.1)
        state.offset = number
    checkpoint(table, "AAPL")
    recovered(table, other, partition=3)
    found = other.of("AAPL", 3)
    assert (found.offset, found.partition) == (49, 3)
    assert found.dump() == state.dump()
    assert row_offset(found.dump()) == 49
    assert not found.rolling.add("49", 49 * HOUR, -1.0)
    assert found.opinion(49 * HOUR) == state.opinion(49 * HOUR) is not None


def test_another_half_life_starts_cold_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table, other = SentimentTable(app(), "news", 3_600.0), SentimentTable(app(), "news", 7_200.0)
    for ticker in ("AAPL", "MSFT"):
        state = table.of(ticker, 0)
        state.rolling.add("1", HOUR, 1.0)
        state.offset = 7
    checkpoint(table, "AAPL", "MSFT")
    recovered(table, other)
    with caplog.at_level(logging.WARNING, logger="tables.sentiment"):
        found = [other.of(ticker, 0) for ticker in ("AAPL", "MSFT")]
    (told,) = [record.getMessage() for record in caplog.records]
    assert "SENTIMENT_HALF_LIFE_S is 7200" in told
    # What was applied stays applied.
    assert [(one.offset, one.opinion(HOUR)) for one in found] == [(7, None)] * 2


def test_a_sentiment_is_shown_with_its_mean_and_counts() -> None:
    table = SentimentTable(app(), "reddit", 3_600.0)
    empty, state = table.of("NEW", 1), table.of("AAPL", 1)
    state.rolling.add("a", 0, 1.0)
    state.rolling.add("b", HOUR, -0.5)
    state.offset = 2
    checkpoint(table, "AAPL", "NEW")
    shown = table["AAPL"].__json__()
    assert orjson.loads(orjson.dumps(shown)) == shown
    assert shown == {
        "partition": 1,
        "offset": 2,
        "half_life_s": 3_600.0,
        "newest": "1970-01-01T01:00:00+00:00",
        "mean": 0.0,
        "weight": 1.5,
        "texts_by_hour": [0] * 22 + [1, 1],
    }
    assert table["NEW"].__json__()["mean"] is empty.opinion(0) is None


# -- series

observations = st.lists(
    st.builds(Observed, st.integers(0, 4), st.integers(0, 3), st.integers(0, 2), st.floats(-9, 9)),
    max_size=12,
)


@given(observations, st.randoms(use_true_random=False))
def test_the_newest_two_depend_on_nothing_but_the_set(
    found: list[Observed], chance: random.Random
) -> None:
    """In any order and in any parts, also parts that hold only what was newest before."""
    table = EconomyTable(app())
    state = table.of("GDP", 0)
    order = found + chance.choices(found, k=len(found) // 2) if found else []
    chance.shuffle(order)
    for first, second in itertools.zip_longest(order[::2], order[1::2]):
        state.take(one for one in (first, second) if one is not None)
    assert list(state.observations) == newest_two(found)
    assert not state.take(found)


def test_the_newest_two_by_hand() -> None:
    found = [Observed(1, 1, 1, 1.0), Observed(3, 3, 3, 3.0), Observed(2, 2, 2, 2.0)]
    assert newest_two(found) == [found[1], found[2]]
    revised = Observed(2, 9, 1, 2.5)
    assert newest_two([*found, revised]) == [found[1], revised]
    corrected = Observed(3, 3, 4, 3.5)
    assert newest_two([*found, corrected])[0] is corrected


def test_a_series_outlives_a_restart() -> None:
    table, other = EconomyTable(app()), EconomyTable(app())
    state = table.of("GDP", 2)
    state.take([Observed(1, 1, 1, 1.5), Observed(2, 2, 2, 2.5)])
    state.offset = 9
    checkpoint(table, "GDP")
    recovered(table, other, partition=2)
    assert other.of("GDP", 2).dump() == state.dump()
    assert other.of("GDP", 2).change() == Change(2.5, 1.5)
    assert table["GDP"].__json__() == {
        "partition": 2,
        "offset": 9,
        "observations": [
            {
                "time": f"1970-01-01T00:00:00.00{n}000+00:00",
                "realtime_start": f"1970-01-01T00:00:00.00{n}000+00:00",
                "value": n + 0.5,
            }
            for n in (2, 1)
        ],
    }


def test_each_partition_has_its_backdrop() -> None:
    table = MacroTable(app())
    for partition, series, offset in ((0, "GDP", 4), (0, "UNRATE", 6), (1, "GDP", 9)):
        state = table.of(table.key(partition, series), partition)
        state.take([Observed(1, 1, 1, 1.0), Observed(2, 2, 2, float(partition))])
        state.offset = offset
    # One period says nothing yet.
    table.of(table.key(0, "DGS10"), 0).take([Observed(1, 1, 1, 1.0)])
    # Saved or not, it counts.
    checkpoint(table, "0|GDP", "1|GDP")
    table.void()
    state = table.of("0|UNRATE", 0)
    state.take([Observed(1, 1, 1, 5.0), Observed(2, 2, 2, 6.0)])
    state.offset = 6
    backdrop, offset = table.backdrop(0)
    assert (backdrop.changes, offset) == (
        {"GDP": Change(0.0, 1.0), "UNRATE": Change(6.0, 5.0)},
        6,
    )
    backdrop, offset = table.backdrop(1)
    assert (backdrop.changes, offset) == ({"GDP": Change(1.0, 1.0)}, 9)
    backdrop, offset = table.backdrop(2)
    assert (backdrop.changes, offset) == ({}, -1)


def test_a_series_of_the_backdrop_is_shown_from_any_partition() -> None:
    table = MacroTable(app())
    table.of("5|GDP", 5).take([Observed(1, 1, 1, 1.0)])
    checkpoint(table, "5|GDP")
    assert table["GDP"] is table["5|GDP"]
    for key in ("NOPE", "5|NOPE", "DP"):
        with pytest.raises(KeyError):
            table[key]


# -- trends, and what all have in common


def test_what_was_published_outlives_a_restart() -> None:
    table, other = TrendTable(app()), TrendTable(app())
    state = table.of("AAPL", 4)
    trend = {"strength": 63, "components": {"news": 0.1}, "weights": {"news": 0.2}}
    state.publish(17, orjson.dumps(trend))
    checkpoint(table, "AAPL")
    recovered(table, other, partition=4)
    assert other.of("AAPL", 4) == state
    assert other["AAPL"].__json__() == {"partition": 4, "version": 17, "trend": trend}


def test_what_was_published_is_told_from_what_was_not() -> None:
    state = TrendTable(app()).of("AAPL", 4)
    published: tuple[dict[str, float], dict[str, float]] = ({"news": 0.1}, {"news": 0.2})
    assert TrendTable(app()).of("AAPL", 4).is_first
    assert not state.says(*published)
    fields = {"components": published[0], "weights": published[1]}
    state.publish(17, orjson.dumps({"strength": 63, **fields, "reasons": ["news"]}))
    assert not state.is_first
    assert state.says(*published)
    for other in (({"news": 0.2}, {"news": 0.2}), ({"news": 0.1}, {"news": 0.1}), ({}, {})):
        assert not state.says(*other)
    # Not what somebody has said about them.
    state.publish(18, orjson.dumps({"reasons": [orjson.dumps(fields).decode()[1:-1]]}))
    assert not state.says(*published)


@pytest.mark.parametrize(
    "make",
    [
        lambda: IndicatorTable(app(), parse("sma 2")),
        lambda: SentimentTable(app(), "news", 3_600.0),
        lambda: EconomyTable(app()),
        lambda: MacroTable(app()),
        lambda: TrendTable(app()),
    ],
    ids=["indicators", "news_sentiment", "economy", "macro", "trends"],
)
def test_what_all_tables_have_in_common(make: Callable[[], LiveTable[Any]]) -> None:
    """New, live, saved, void, by partition."""
    table = make()
    assert table.find("A", 1) is None
    state = table.of("A", 1)
    assert table.find("A", 1) is table.of("A", 1) is state
    assert (state.partition, state.offset, row_offset(state.dump())) == (1, -1, -1)
    state.offset = 5
    table.mark_dirty("A")
    rows = table.cut()
    assert rows == {"A": (1, state.dump())}
    assert table.cut() == {}
    table.of("B", 1)
    table.of("C", 2)
    assert (sorted(table.known(1)), list(table.known(2))) == (["A", "B"], ["C"])
    table.keep(rows)
    assert sorted(table.known(1)) == ["A", "B"]
    table.mark_dirty("B")
    table.void()
    assert table.cut() == {}
    assert (list(table.known(1)), list(table.known(2))) == (["A"], [])
    saved = table.find("A", 1)
    assert saved is not None
    assert saved is not state
    assert saved.dump() == state.dump()
