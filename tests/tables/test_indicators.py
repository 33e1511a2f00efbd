"""The indicators' table: live objects over rows, saved by checkpoints."""

from __future__ import annotations

import logging

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import Ohlcv, parse
from tables.checkpointed import row_offset
from tables.indicator_state import TickerState
from tables.indicators import IndicatorTable
from tests.tables.conftest import SPECIFICATION, changelog
from transport import BatchingApp

prices = st.lists(st.floats(0.01, 1e6), max_size=30)


def feed(state: TickerState, interval: str, closes: list[float]) -> None:
    """Apply bars, as the prices agent does."""
    one = state.interval(interval)
    for close in closes:
        one.indicators.update(Ohlcv.at(close, 10.0))
        one.last_time = (one.last_time or 0) + 60_000
        state.offset += 1


def values(state: TickerState, interval: str) -> dict[str, float | None]:
    return state.intervals[interval].indicators.values()


def saved(table: IndicatorTable, ticker: str, closes: list[float], partition: int = 0) -> bytes:
    """Feed a ticker and run a checkpoint over it; returns the row."""
    feed(table.of(ticker, partition), "1d", closes)
    table.mark_dirty(ticker)
    rows = table.cut()
    table.keep(rows)
    return rows[ticker][1]


def reopened(table: IndicatorTable, setting: str | None = None) -> IndicatorTable:
    """A table of another worker, recovered from the rows of this one."""
    app = BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://")
    other = IndicatorTable(app, table.specification if setting is None else parse(setting))
    other.apply_changelog_batch(
        changelog(other, *((key, table.row(key)) for key in table.keys()))  # noqa: SIM118
    )
    return other


def test_an_unknown_ticker_starts_cold(table: IndicatorTable) -> None:
    state = table.of("AAPL", 3)
    assert (state.partition, state.offset, state.intervals) == (3, -1, {})
    assert table.of("AAPL", 3) is state
    one = state.interval("1d")
    assert one.last_time is None
    assert set(one.indicators.values().values()) == {None}
    assert state.interval("1d") is one
    assert state.interval("5m") is not one


@given(prices, prices, prices)
def test_a_state_goes_on_after_a_restart_as_if_there_had_been_none(
    daily: list[float], minutes: list[float], more: list[float]
) -> None:
    app = BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://")
    table = IndicatorTable(app, SPECIFICATION)
    state = table.of("AAPL", 3)
    feed(state, "1d", daily)
    feed(state, "5m", minutes)
    raw = state.dump()
    assert row_offset(raw) == state.offset
    table.keep({"AAPL": (3, raw)})
    table.void()
    loaded = table.of("AAPL", 3)
    assert loaded is not state
    assert loaded.dump() == raw
    for one in (state, loaded):
        feed(one, "1d", more)
    assert loaded.dump() == state.dump()
    assert values(loaded, "1d") == values(state, "1d")


def test_a_row_keeps_how_far_the_history_is(table: IndicatorTable) -> None:
    """And one without history is what it was before there was that topic."""
    state = table.of("AAPL", 3)
    feed(state, "1d", [1.0, 2.0])
    before = state.dump()
    assert b"history" not in before
    table.keep({"AAPL": (3, before)})
    table.void()
    assert table.of("AAPL", 3).history == -1
    state = table.of("AAPL", 3)
    state.history = 17
    after = state.dump()
    assert row_offset(after) == row_offset(before) + 18
    table.keep({"AAPL": (3, after)})
    table.void()
    loaded = table.of("AAPL", 3)
    assert (loaded.offset, loaded.history, loaded.dump()) == (1, 17, after)


def test_a_cut_holds_what_is_dirty_once(table: IndicatorTable) -> None:
    feed(table.of("AAPL", 1), "1d", [1.0])
    feed(table.of("MSFT", 2), "1d", [2.0])
    feed(table.of("IBM", 2), "1d", [3.0])
    for ticker in ("AAPL", "MSFT", "AAPL"):
        table.mark_dirty(ticker)
    assert table.cut() == {
        "AAPL": (1, table.of("AAPL", 1).dump()),
        "MSFT": (2, table.of("MSFT", 2).dump()),
    }
    assert table.cut() == {}


def test_a_cut_does_not_move_with_later_bars(table: IndicatorTable) -> None:
    state = table.of("AAPL", 1)
    feed(state, "1d", [1.0])
    table.mark_dirty("AAPL")
    rows = table.cut()
    feed(state, "1d", [2.0])
    table.mark_dirty("AAPL")
    assert row_offset(rows["AAPL"][1]) == 0
    table.keep(rows)
    # The row is older than the live state, which goes on.
    assert table.of("AAPL", 1) is state
    assert row_offset(table.cut()["AAPL"][1]) == 1


def test_a_cut_changes_no_row_until_it_is_kept(table: IndicatorTable) -> None:
    feed(table.of("AAPL", 1), "1d", [1.0])
    table.mark_dirty("AAPL")
    rows = table.cut()
    assert table.row("AAPL") is None
    table.keep(rows)
    assert table.row("AAPL") == rows["AAPL"][1]
    assert table["AAPL"].partition == 1


def test_what_is_kept_stands_while_live_bars_go_on(table: IndicatorTable) -> None:
    """Its numbers lie beside the live ones, also where intervals are added and rows recovered."""
    for intervals in (["1d"], ["1d"], ["1d", "5m"], [], ["5m", "1m", "1d"]):
        for ticker in ("AAPL", "MSFT", "IBM"):
            for interval in intervals:
                feed(table.of(ticker, 0), interval, [float(len(ticker)), 5.0])
            table.mark_dirty(ticker)
        rows = table.cut()
        kept = {key: raw for key, (_, raw) in rows.items()}
        table.keep(rows)
        for ticker in kept:
            feed(table.of(ticker, 0), "1d", [7.0])
        assert {key: table.row(key) for key in kept} == kept
        other = kept["IBM"].replace(b'{"offset":', b'{"offset":9')
        table.apply_changelog_batch(changelog(table, ("IBM", other)))
        assert table.row("IBM") == other
        assert table.row("AAPL") == kept["AAPL"]


def test_void_goes_back_to_what_is_saved(table: IndicatorTable) -> None:
    row = saved(table, "AAPL", [1.0, 2.0])
    feed(table.of("AAPL", 0), "1d", [100.0])
    feed(table.of("NEW", 0), "1d", [1.0])
    for ticker in ("AAPL", "NEW"):
        table.mark_dirty(ticker)
    table.void()
    assert table.cut() == {}
    assert table.row("AAPL") == row
    assert table.of("AAPL", 0).dump() == row
    assert values(table.of("AAPL", 0), "1d")["sma"] == 1.5
    assert table.of("NEW", 0).intervals == {}


def test_a_ticker_takes_the_partition_that_its_messages_come_from(table: IndicatorTable) -> None:
    saved(table, "AAPL", [1.0], partition=1)
    table.void()
    assert table.of("AAPL", 6).partition == 6


def test_another_worker_goes_on_where_this_one_stopped(table: IndicatorTable) -> None:
    row = saved(table, "AAPL", [1.0, 2.0, 3.0])
    other = reopened(table)
    state = other.of("AAPL", 0)
    assert (state.offset, state.dump()) == (2, row)
    assert values(state, "1d") == values(table.of("AAPL", 0), "1d")


def test_other_parameters_start_cold_and_say_so_once(
    table: IndicatorTable, caplog: pytest.LogCaptureFixture
) -> None:
    for ticker in ("AAPL", "MSFT"):
        saved(table, ticker, [1.0, 2.0, 3.0])
    other = reopened(table, "sma 3, rsi 14, obv")
    with caplog.at_level(logging.WARNING, logger="tables.indicators"):
        states = [other.of(ticker, 0) for ticker in ("AAPL", "MSFT")]
        other.void()
        other.of("AAPL", 0)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "sma 3, rsi 14, obv" in told[0]
    assert "recompute" in told[0]
    for state in states:
        assert set(values(state, "1d").values()) == {None}
        # What was applied stays applied: a redelivery must not count twice.
        assert state.offset == 2
        assert state.intervals["1d"].last_time == 180_000


def test_the_same_parameters_say_nothing(
    table: IndicatorTable, caplog: pytest.LogCaptureFixture
) -> None:
    saved(table, "AAPL", [1.0])
    with caplog.at_level(logging.WARNING, logger="tables.indicators"):
        reopened(table, "obv, rsi 14, sma 2").of("AAPL", 0)
    assert caplog.records == []


def test_a_row_is_shown_with_values_by_name(table: IndicatorTable) -> None:
    saved(table, "AAPL", [1.0, 2.0], partition=5)
    feed(table.of("AAPL", 5), "5m", [])
    table.mark_dirty("AAPL")
    table.keep(table.cut())
    expected = {
        "partition": 5,
        "offset": 1,
        "intervals": {
            "1d": {
                "last_bar": "1970-01-01T00:02:00+00:00",
                "parameters": SPECIFICATION.fingerprint,
                "values": {"sma": 1.5, "rsi": None, "obv": 20.0},
                "obv_slope": None,
            },
            "5m": {
                "last_bar": None,
                "parameters": SPECIFICATION.fingerprint,
                "values": {"sma": None, "rsi": None, "obv": None},
                "obv_slope": None,
            },
        },
    }
    shown = table["AAPL"].__json__()
    assert shown == expected
    assert orjson.loads(orjson.dumps(shown)) == expected


def test_a_row_of_other_parameters_is_shown_without_values(table: IndicatorTable) -> None:
    saved(table, "AAPL", [1.0, 2.0])
    shown = reopened(table, "sma 3")["AAPL"].__json__()
    assert shown["intervals"]["1d"]["values"] is None
    assert shown["intervals"]["1d"]["parameters"] == SPECIFICATION.fingerprint


def test_a_recovered_row_is_shown_with_values_too(table: IndicatorTable) -> None:
    saved(table, "AAPL", [1.0, 2.0])
    assert reopened(table)["AAPL"].__json__() == table["AAPL"].__json__()


def test_a_cut_does_not_change_with_the_bars_after_it(table: IndicatorTable) -> None:
    """Its rows are made while the next batches are applied."""
    expected = {}
    for ticker in ("AAPL", "MSFT"):
        feed(table.of(ticker, 2), "1d", [10.0, 11.0])
        feed(table.of(ticker, 2), "1h", [12.0])
        table.mark_dirty(ticker)
        expected[ticker] = (2, table.of(ticker, 2).dump())
    rows = table.cut()
    feed(table.of("AAPL", 2), "1d", [13.0])
    feed(table.of("AAPL", 2), "1m", [14.0])
    table.of("IBM", 2)
    assert dict(rows) == expected
    assert table.of("AAPL", 2).dump() != expected["AAPL"][1]
