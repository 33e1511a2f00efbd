"""The compiled indicators against their classes: bit by bit, at every bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators import DEFAULT_SPEC, INDICATORS, IndicatorSet, Ohlcv, parse
from indicators.compiled import RowSet, RowStore, named
from indicators.compiled.advance import NUMBERS
from indicators.obv_slope import ObvSlope
from tests.indicators.bars import recorded, walk, walks

SETTINGS = (
    DEFAULT_SPEC,
    "obv, roc 1",
    "sma 1, ema 1, rsi 1, macd 1/2/1, bollinger 1/0.5, atr 1, stochastic 1/1, vwap 1, adx 1",
    "cci 1, williams_r 1, mfi 1, bollinger 50/3, stochastic 5/9, macd 3/50/20, adx 30",
)


def prices(bar: Ohlcv) -> tuple[float, float, float, float]:
    return bar.high, bar.low, bar.close, bar.volume


def check(setting: str, bars: Sequence[Ohlcv]) -> None:
    """Feed both; compare values, state and slope at every bar."""
    specification = parse(setting)
    ours = RowSet(RowStore(specification))
    classes, slope = IndicatorSet(specification), ObvSlope()
    for bar in bars:
        for one in (ours, classes, slope):
            one.update(bar)
        assert ours.values() == classes.values()
        assert ours.slope == slope.obv_slope
    assert ours.state() == [*classes.state(), slope.state()]


def test_every_indicator_is_compiled() -> None:
    assert list(NUMBERS) == [*INDICATORS, ObvSlope.name]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_long_walk(setting: str) -> None:
    check(setting, walk(600))


@pytest.mark.parametrize("ticker", ["AAPL", "GOOG"])
def test_recorded_prices(ticker: str) -> None:
    check(DEFAULT_SPEC, recorded(ticker))


@settings(max_examples=25, deadline=None)
@given(walks(jumps=True), st.sampled_from(SETTINGS))
def test_any_walk(bars: list[Ohlcv], setting: str) -> None:
    check(setting, bars)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(walk(60)), st.booleans()),
        min_size=1,
        max_size=120,
    )
)
def test_many_tickers_in_one_call(steps: list[tuple[int, Ohlcv, bool]]) -> None:
    """A forming bar is tried and leaves no trace, wherever it comes in a batch."""
    specification = parse(DEFAULT_SPEC)
    store = RowStore(specification)
    ours = [RowSet(store) for _ in range(4)]
    classes = [IndicatorSet(specification) for _ in range(4)]
    expected = []
    for ticker, bar, forming in steps:
        one = classes[ticker].clone() if forming else classes[ticker]
        one.update(bar)
        expected.append(one.values())
    found = store.advance(
        [ours[ticker].number for ticker, _, _ in steps],
        [prices(bar) for _, bar, _ in steps],
        [forming for _, _, forming in steps],
    )
    assert [named(store.layout, row) for row in found.tolist()] == expected
    for ours_one, class_one in zip(ours, classes, strict=True):
        assert ours_one.state()[:-1] == class_one.state()


@pytest.mark.parametrize("length", [0, 1, 7, 30, 200])
def test_a_state_moves_between_the_two(length: int) -> None:
    specification = parse(DEFAULT_SPEC)
    bars = walk(length + 40)
    classes, slope = IndicatorSet(specification), ObvSlope()
    for bar in bars[:length]:
        classes.update(bar)
        slope.update(bar)
    saved = orjson.loads(orjson.dumps([*classes.state(), slope.state()]))
    ours = RowSet.from_state(RowStore(specification), saved)
    back = IndicatorSet.from_state(specification, orjson.loads(orjson.dumps(ours.state()))[:-1])
    for bar in bars[length:]:
        for one in (ours, classes, back):
            one.update(bar)
        assert ours.values() == classes.values() == back.values()


def test_a_state_of_another_shape_is_refused() -> None:
    store = RowStore(parse("sma 3, obv"))
    good = RowSet(store).state()
    before = len(store.rows) - len(store._free)
    bad_ones: list[Any] = [
        good[:-1],
        [[[1.0] * 4, None], *good[1:]],
        [[["x"], None], *good[1:]],
        {},
    ]
    for bad in bad_ones:
        with pytest.raises(ValueError, match=r"state|expected"):
            RowSet.from_state(store, bad)
    assert len(store.rows) - len(store._free) == before


def test_rows_are_used_again_and_start_cold() -> None:
    store = RowStore(parse("sma 1"))
    first = RowSet(store)
    first.update(Ohlcv.at(5.0))
    number = first.number
    del first
    again = RowSet(store)
    assert (again.number, again.values()) == (number, {"sma": None})


def test_the_store_grows_and_keeps_what_it_has() -> None:
    store = RowStore(parse("sma 1"))
    sets = [RowSet(store) for _ in range(300)]
    for number, one in enumerate(sets):
        one.update(Ohlcv.at(float(number)))
    sets += [RowSet(store) for _ in range(300)]
    assert [one.values()["sma"] for one in sets[:300]] == [float(n) for n in range(300)]
    assert len({one.number for one in sets}) == 600
    assert 0 not in {one.number for one in sets}
    assert np.array_equal(store.rows[0], store.layout.cold, equal_nan=True)
