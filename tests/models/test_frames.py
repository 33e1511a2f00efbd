"""Tables of pandas: yfinance's in all their shapes, series, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidRecord
from models import intake
from models.rules import DAY_MS
from tests.models.samples import TIME

DAYS = pd.DatetimeIndex(["2024-01-05", "2024-01-08", "2024-01-09"], name="Date")


def yahoo(index: pd.Index[Any] = DAYS, **columns: Any) -> pd.DataFrame:
    """Return a table as yfinance makes it for one ticker."""
    count = len(index)
    prices: dict[str, Any] = {
        "Open": np.linspace(100.0, 101.0, count),
        "High": np.linspace(102.0, 103.0, count),
        "Low": np.linspace(99.0, 100.0, count),
        "Close": np.linspace(101.0, 102.0, count),
        "Adj Close": np.linspace(98.0, 99.0, count),
        "Volume": np.arange(count, dtype="int64") + 1_000,
        "Dividends": 0.0,
        "Stock Splits": 0.0,
    }
    return pd.DataFrame(prices | columns, index=index)


def several(**frames: pd.DataFrame) -> pd.DataFrame:
    """Return a table of several tickers, as yfinance's download does: level 0 is the price."""
    frame = pd.concat(frames, axis=1, names=["Ticker", "Price"])
    return frame.swaplevel(axis=1).sort_index(axis=1)


def refused(ticker: str, frame: pd.DataFrame) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        intake.bars(ticker, frame)
    return caught.value


def test_a_table_of_one_ticker() -> None:
    bars = intake.bars("aapl", yahoo())
    assert [bar.time for bar in bars] == [TIME, TIME + 3 * DAY_MS, TIME + 4 * DAY_MS]
    last = bars[-1]
    assert (last.ticker, last.interval, last.closed) == ("AAPL", "1d", True)
    assert (last.open, last.high, last.low, last.close) == (101.0, 103.0, 100.0, 102.0)
    assert (last.adjusted_close, last.volume) == (99.0, 1002.0)
    assert {type(value) for value in (last.open, last.volume)} == {float}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo", "Australia/Sydney"])
def test_a_trading_day_is_the_same_bar_in_every_zone(zone: str) -> None:
    local = yahoo(DAYS.tz_localize(zone))
    assert [bar.time for bar in intake.bars("AAPL", local)] == [
        bar.time for bar in intake.bars("AAPL", yahoo())
    ]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_of_the_index_does_not_matter(unit: Any) -> None:
    assert intake.bars("AAPL", yahoo(DAYS.as_unit(unit)))[0].time == TIME


MINUTES = pd.date_range("2024-01-05 09:30", periods=3, freq="5min", name="Datetime")


def test_bars_within_the_day() -> None:
    frame = yahoo(MINUTES.tz_localize("America/New_York")).assign(interval="5m", closed=True)
    frame.loc[frame.index[-1], "closed"] = False
    bars = intake.bars("AAPL", frame)
    assert [bar.time - TIME for bar in bars] == [52_200_000, 52_500_000, 52_800_000]
    assert [bar.closed for bar in bars] == [True, True, False]
    assert {bar.interval for bar in bars} == {"5m"}


def test_bars_within_the_day_must_say_how_long_they_are() -> None:
    error = refused("AAPL", yahoo(MINUTES.tz_localize("UTC")))
    assert (error.field, error.row) == ("interval", 0)
    assert "assign(interval=" in error.reason


def test_bars_within_the_day_must_have_a_zone() -> None:
    error = refused("AAPL", yahoo(MINUTES).assign(interval="5m"))
    assert (error.field, error.row) == ("time", 0)
    assert "tz_localize" in error.reason


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(yahoo().reset_index(), id="a column of times"),
        pytest.param(yahoo(DAYS.rename(None)), id="an index without a name"),
        pytest.param(yahoo(pd.Index(DAYS.strftime("%Y-%m-%d"), name="Date")), id="texts"),
        pytest.param(yahoo(DAYS.to_period("D")), id="periods"),
        pytest.param(yahoo().rename(columns=str.lower), id="lower case"),
        pytest.param(yahoo().drop(columns=["Adj Close", "Dividends"]), id="fewer columns"),
        pytest.param(yahoo().assign(**{"Capital Gains": 0.0, "Repaired?": False}), id="a fund"),
        pytest.param(yahoo().iloc[::-1], id="newest first"),
        pytest.param(yahoo().convert_dtypes(), id="nullable types"),
        pytest.param(yahoo().astype("object"), id="objects"),
    ],
)
def test_tables_that_say_the_same(frame: pd.DataFrame) -> None:
    bars = intake.bars("AAPL", frame)
    assert [(bar.time - TIME) // DAY_MS for bar in bars] == [0, 3, 4]
    assert [bar.volume for bar in bars] == [1000.0, 1001.0, 1002.0]


@pytest.mark.parametrize("ticker", ["AAPL", "LOW"])
@pytest.mark.parametrize("names", [["Price", "Ticker"], [None, None]])
@pytest.mark.parametrize("by_ticker", [False, True])
def test_a_table_of_several_tickers(ticker: str, names: list[str | None], by_ticker: bool) -> None:
    frame = several(AAPL=yahoo(), LOW=yahoo(Volume=[5, 6, 7]), OPEN=yahoo())
    frame.columns.names = names
    if by_ticker:
        frame = frame.swaplevel(axis=1)
    bars = intake.bars(ticker.lower(), frame)
    assert {bar.ticker for bar in bars} == {ticker}
    assert [bar.volume for bar in bars] == ([5, 6, 7] if ticker == "LOW" else [1000, 1001, 1002])


def test_a_ticker_that_the_table_does_not_hold() -> None:
    error = refused("TSLA", several(AAPL=yahoo(), MSFT=yahoo()))
    assert (error.field, error.row) == ("ticker", None)
    assert error.reason == "the table does not hold it; it holds AAPL, MSFT"


def test_days_on_which_only_others_traded_are_left_out() -> None:
    frame = several(AAPL=yahoo(), MSFT=yahoo(DAYS[1:]))
    assert len(frame) == 3
    bars = intake.bars("MSFT", frame)
    assert [(bar.time - TIME) // DAY_MS for bar in bars] == [3, 4]
    assert [bar.volume for bar in bars] == [1000.0, 1001.0]


@pytest.mark.parametrize("column", ["Open", "High", "Low", "Close", "Volume", "Adj Close"])
def test_any_other_nan_is_an_error(column: str) -> None:
    frame = yahoo().astype("float64")
    frame.loc[DAYS[1], column] = np.nan
    error = refused("AAPL", frame)
    assert (error.row, error.value) == (1, "nan")
    assert error.field == column.lower().replace("adj close", "adjusted_close")


def test_the_row_of_an_error_is_the_table_s() -> None:
    frame = several(AAPL=yahoo(), MSFT=yahoo(DAYS[1:], High=[103.0, 1.0]))
    error = refused("MSFT", frame)
    assert (error.field, error.row) == ("high", 2)


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        pytest.param(yahoo().rename(columns={"Adj Close": "Ajd Close"}), "Ajd Close", id="typo"),
        pytest.param(yahoo().reset_index(drop=True), "time", id="no times"),
        pytest.param(yahoo().assign(time=TIME), "time", id="two times"),
        pytest.param(yahoo().assign(open=1.0), "open", id="two opens"),
        pytest.param(yahoo().drop(columns="Close"), "close", id="no close"),
        pytest.param(yahoo().assign(ticker="MSFT"), "ticker", id="another ticker"),
        pytest.param(yahoo(pd.DatetimeIndex([*DAYS[:2], pd.NaT])), "time", id="no time"),
        pytest.param(yahoo().astype({"Close": str}), "close", id="texts"),
        pytest.param(pd.concat({"a": several(A=yahoo())}, axis=1), "data", id="three levels"),
    ],
)
def test_a_table_that_is_refused(frame: pd.DataFrame, field: str) -> None:
    assert refused("AAPL", frame).field == field


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        yahoo().iloc[:0],
        several(AAPL=yahoo(), MSFT=yahoo()).iloc[:0],
        several(MSFT=yahoo()).iloc[:0],
    ],
)
def test_an_empty_table_holds_no_bars(frame: pd.DataFrame) -> None:
    assert intake.bars("AAPL", frame) == []


def test_a_series_is_no_bar() -> None:
    with pytest.raises(InvalidRecord, match="give a mapping"):
        intake.bars("AAPL", yahoo().iloc[0])


def test_a_row_is_no_table() -> None:
    with pytest.raises(InvalidRecord, match="row 0: data="):
        intake.bars("AAPL", [yahoo()])


RSI = pd.Series([np.nan, 41.5, 43.0], index=DAYS)


@pytest.mark.parametrize(
    "data",
    [RSI, RSI.rename("rsi"), RSI.to_frame("rsi"), RSI.to_frame("value"), RSI.to_frame("Value")],
)
def test_a_series_of_an_indicator_starts_when_it_is_warm(data: Any) -> None:
    found = intake.snapshots("AAPL", "rsi", data)
    assert [record.values for record in found] == [{"rsi": 41.5}, {"rsi": 43.0}]
    assert [(record.time - TIME) // DAY_MS for record in found] == [3, 4]


def test_an_indicator_within_the_day_must_say_its_interval() -> None:
    series = pd.Series([1.0, 2.0, 3.0], index=MINUTES.tz_localize("UTC"))
    with pytest.raises(InvalidRecord) as caught:
        intake.snapshots("AAPL", "rsi", series)
    assert (caught.value.field, caught.value.row) == ("interval", 0)
    found = intake.snapshots("AAPL", "rsi", series.to_frame("rsi").assign(interval="5m"))
    assert len(found) == 3


@pytest.mark.parametrize("data", [RSI, RSI.to_frame("GDP"), RSI.to_frame("value").reset_index()])
def test_observations_that_were_not_made_are_left_out(data: Any) -> None:
    found = intake.observations("GDP", data)
    assert [record.value for record in found] == [41.5, 43.0]
    assert [record.realtime_start for record in found] == [record.time for record in found]


def test_a_table_of_revisions() -> None:
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(["2024-01-05", "2024-01-05", "2024-01-08"]),
            "realtime_start": pd.DatetimeIndex(["2024-01-08", "2024-02-08", pd.NaT]),
            "value": pd.Series([1.0, 1.1, 1.2], dtype="object"),
            "title": ["Product", None, ""],
        }
    )
    found = intake.observations("GDP", frame)
    assert [(record.realtime_start - TIME) // DAY_MS for record in found] == [3, 34, 3]
    assert [record.title for record in found] == ["Product", "", ""]


def test_a_table_of_posts_may_leave_cells_empty() -> None:
    rows: list[dict[str, Any]] = [
        {"time": "2024-01-05T10:00Z", "text": "a", "sentiment": None, "author": None, "url": ""},
        {"time": "2024-01-05T11:00Z", "text": "b", "sentiment": 0.5, "author": "x", "id": "7"},
    ]
    first, second = intake.posts("AAPL", "reddit", pd.DataFrame(rows))
    assert (first.sentiment, first.author, first.url) == (None, None, "")
    assert (second.sentiment, second.author, second.id, second.url) == (0.5, "x", "7", "")
    with pytest.raises(InvalidRecord) as caught:
        intake.posts("AAPL", "reddit", pd.DataFrame([*rows, rows[0] | {"text": None}]))
    assert (caught.value.field, caught.value.row) == ("id", 2)


prices = st.floats(0.01, 1e6)


@given(
    st.lists(st.tuples(prices, prices, prices), min_size=1, max_size=20),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
    st.sampled_from([np.float64, np.float32]),
)
def test_every_row_arrives_in_order(
    rows: list[tuple[float, float, float]], zone: str, kind: type[np.floating[Any]]
) -> None:
    index = pd.date_range("2023-12-25", periods=len(rows), freq="D", tz=zone)
    ordered = np.sort(np.array(rows, dtype=kind), axis=1)
    frame = yahoo(index, Low=ordered[:, 0], Open=ordered[:, 1], High=ordered[:, 2])
    bars = intake.bars("AAPL", frame)
    assert [bar.low for bar in bars] == [float(low) for low in ordered[:, 0]]
    assert [bar.time for bar in bars] == sorted({bar.time for bar in bars})
