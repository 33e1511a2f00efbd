"""The recorded bars: all rows, and the three splits."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
from bokeh_sampledata import stocks

from errors import SourceUnavailable
from models import Bar
from sources import recorded
from sources.recorded import split_ratios


def _day(bar: Bar) -> str:
    return datetime.fromtimestamp(bar.time / 1000, UTC).isoformat()


@pytest.fixture(scope="module")
def all_bars() -> dict[str, list[Bar]]:
    return {ticker: recorded.bars(ticker) for ticker in recorded.TICKERS}


def test_every_row_is_there_and_sane(all_bars: dict[str, list[Bar]]) -> None:
    assert sum(len(bars) for bars in all_bars.values()) == 12_154
    for ticker, bars in all_bars.items():
        raw = getattr(stocks, ticker)
        assert [_day(bar) for bar in bars] == [f"{d}T00:00:00+00:00" for d in raw["date"]]
        assert [bar.adjusted_close for bar in bars] == raw["adj_close"]
        for bar in bars:
            assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.volume > 0
            assert bar.interval == "1d"
            assert bar.closed


@pytest.mark.parametrize(
    ("ticker", "splits"),
    [
        ("AAPL", {"2000-06-21": 2.0, "2005-02-28": 2.0}),
        ("MSFT", {"2003-02-18": 2.0}),
        ("IBM", {}),
        ("GOOG", {}),
        ("FB", {}),
    ],
)
def test_the_splits_are_found(ticker: str, splits: dict[str, float]) -> None:
    raw = getattr(stocks, ticker)
    ratios = split_ratios(raw["open"], raw["close"], raw["adj_close"])
    assert {raw["date"][i]: r for i, r in enumerate(ratios) if r != 1.0} == splits


def test_what_came_before_a_split_is_in_later_shares(all_bars: dict[str, list[Bar]]) -> None:
    raw, bars = stocks.AAPL, all_bars["AAPL"]
    for day, shares in (("2000-06-20", 4), ("2000-06-21", 2), ("2005-02-25", 2), ("2005-02-28", 1)):
        i = raw["date"].index(day)
        assert bars[i].open == raw["open"][i] / shares
        assert bars[i].high == raw["high"][i] / shares
        assert bars[i].low == raw["low"][i] / shares
        assert bars[i].close == raw["close"][i] / shares
        assert bars[i].volume == raw["volume"][i] * shares


def test_no_split_is_left_in_the_prices(all_bars: dict[str, list[Bar]]) -> None:
    falls = {
        (ticker, _day(bars[i])[:10])
        for ticker, bars in all_bars.items()
        for i in range(1, len(bars))
        if bars[i - 1].close / bars[i].open > 1.4
    }
    # Apple's warning of that day: a crash, not a split.
    assert falls == {("AAPL", "2000-09-29")}


@pytest.mark.parametrize(
    ("opens", "closes", "adjusted", "ratio"),
    [
        pytest.param([9, 4.5], [9, 4.5], [4.5, 4.5], 2.0, id="2:1"),
        pytest.param([9, 6], [9, 6.1], [6, 6.1], 1.5, id="3:2"),
        pytest.param([70, 10], [70, 10.2], [10, 10.2], 7.0, id="7:1"),
        pytest.param([9, 4.45], [9, 4.5], [4.46, 4.5], 2.0, id="2:1 with a dividend"),
        pytest.param([9, 8], [9, 8], [8, 8], 1.0, id="a special dividend"),
        pytest.param([9, 4.5], [9, 4.5], [9, 4.5], 1.0, id="a crash"),
        pytest.param([9, 9], [9, 9], [4.5, 9], 1.0, id="the adjustment alone"),
        pytest.param([9, 5.2], [9, 5.2], [5.2, 5.2], 1.0, id="no simple ratio"),
    ],
)
def test_only_certain_splits_count(
    opens: list[float], closes: list[float], adjusted: list[float], ratio: float
) -> None:
    assert split_ratios(opens, closes, adjusted) == [1.0, ratio]


def test_other_tickers_are_refused_with_the_list() -> None:
    with pytest.raises(SourceUnavailable, match=r"'TSLA'.*AAPL, FB, GOOG, IBM, MSFT"):
        recorded.bars("TSLA")


def test_a_missing_package_is_an_error_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("bokeh_sampledata.stocks")
    monkeypatch.setitem(sys.modules, "bokeh_sampledata.stocks", None)
    with pytest.raises(SourceUnavailable, match="pip install bokeh_sampledata"):
        recorded.bars("AAPL")
