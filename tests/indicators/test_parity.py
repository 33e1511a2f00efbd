"""Every output equals that of `ta` at every bar."""

import pytest
from hypothesis import given, settings

from indicators import DEFAULT_SPEC, IndicatorSet, Ohlcv, parse
from tests.indicators.bars import TICKERS, recorded, walk, walks
from tests.indicators.reference import differences, near_flat, reference

OTHER_PERIODS = (
    "sma 5, ema 3, rsi 7, macd 3/10/4, bollinger 10/2.5, atr 5, stochastic 5/5, obv, vwap 3, "
    "adx 4, cci 7, williams_r 9, mfi 6, roc 1"
)
SHORTEST_PERIODS = (
    "sma 1, ema 1, rsi 1, macd 1/2/1, bollinger 2/1, atr 1, stochastic 1/1, obv, vwap 1, "
    "adx 1, cci 2, williams_r 1, mfi 1, roc 1"
)


def compare(bars: list[Ohlcv] | tuple[Ohlcv, ...], setting: str) -> list[str]:
    specification = parse(setting)
    indicators = IndicatorSet(specification)
    ours = []
    for bar in bars:
        indicators.update(bar)
        ours.append(indicators.values())
    window = next(int(one.parameters["window"]) for one in specification if one.name == "cci")
    skip = {"cci": near_flat(bars, window)}
    assert all(ours[index]["cci"] is None for index in skip["cci"])
    scale = max(bar.high for bar in bars)
    return differences(ours, reference(bars, specification), scale, skip)


@pytest.mark.parametrize("ticker", TICKERS)
def test_recorded_bars(ticker: str) -> None:
    """All recorded history of five stocks."""
    assert compare(recorded(ticker), DEFAULT_SPEC) == []


@pytest.mark.parametrize("setting", [DEFAULT_SPEC, OTHER_PERIODS, SHORTEST_PERIODS])
def test_other_periods(setting: str) -> None:
    """Periods are parameters of the formula, not only of the default set."""
    assert compare(walk(600), setting) == []


@settings(max_examples=60)
@given(walks().filter(lambda bars: len(bars) >= 30))
def test_random_walks(bars: list[Ohlcv]) -> None:
    """Flat stretches, gaps, bars without volume, tiny and huge prices."""
    assert compare(bars, DEFAULT_SPEC) == []
