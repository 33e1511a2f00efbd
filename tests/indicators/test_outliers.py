"""Bad ticks and prices of very different size, where `ta` itself is wrong.

pandas updates its rolling sums and variances from bar to bar. What an outlier rounds away stays
missing after it has left the window: after a tick a thousand times too high the standard
deviation is still off by 0.1 % a hundred bars later. So the oracles here are exact fractions
over each window, and fresh indicators that never saw the outlier.
"""

from fractions import Fraction
from math import isclose, sqrt

import pytest
from hypothesis import given, settings

from indicators import CCI, INDICATORS, SMA, VWAP, BollingerBands, Ohlcv
from tests.indicators.bars import walk, walks

# How many of the last bars an output depends on: all, in the others.
REACH = {
    "sma": 20,
    "bollinger": 20,
    "stochastic": 16,
    "vwap": 14,
    "cci": 20,
    "williams_r": 14,
    "mfi": 15,
    "roc": 13,
}
RECURSIVE = ("ema", "rsi", "macd", "atr", "adx")


@pytest.mark.parametrize("name", REACH)
@settings(max_examples=25)
@given(bars=walks(jumps=True))
def test_window_leaves_nothing_behind(name: str, bars: list[Ohlcv]) -> None:
    """What has left the window might as well never have been: to the last bit."""
    kind = INDICATORS[name]
    indicator = kind()
    for end, bar in enumerate(bars, start=1):
        indicator.update(bar)
        if end % 7 == 0 and end >= REACH[name]:
            fresh = kind()
            for recent in bars[end - REACH[name] : end]:
                fresh.update(recent)
            assert fresh.values == indicator.values


@pytest.mark.parametrize("name", RECURSIVE)
def test_recursion_forgets(name: str) -> None:
    """A recursive average carries a bad tick on, ever less, and is right again in the end."""
    kind = INDICATORS[name]
    clean, hit = kind(), kind()
    for index, bar in enumerate(walk(1500)):
        clean.update(bar)
        hit.update(Ohlcv.at(1e9, 1.0) if index == 100 else bar)
        if index == 100:
            assert clean.values != hit.values
    for output, value in clean.values.items():
        assert value is not None
        assert hit.values[output] == pytest.approx(value, rel=1e-9)


@settings(max_examples=40)
@given(bars=walks(jumps=True))
def test_windows_against_exact_fractions(bars: list[Ohlcv]) -> None:
    """Means, bands and the CCI at prices that differ by up to twelve orders of magnitude."""
    sma, bands, vwap, cci = SMA(), BollingerBands(), VWAP(), CCI()
    for end, bar in enumerate(bars, start=1):
        for indicator in (sma, bands, vwap, cci):
            indicator.update(bar)
        if end % 5 or end < 20:
            continue
        window = bars[end - 20 : end]
        closes = [Fraction(one.close) for one in window]
        mean = sum(closes, Fraction(0)) / 20
        width = 2 * sqrt(sum(((x - mean) ** 2 for x in closes), Fraction(0)) / 20)
        assert sma.value == pytest.approx(float(mean), rel=1e-14)
        assert bands.bollinger_middle == pytest.approx(float(mean), rel=1e-14)
        assert bands.bollinger_upper == pytest.approx(float(mean) + width, rel=1e-13)
        assert bands.bollinger_lower == pytest.approx(
            float(mean) - width, rel=1e-13, abs=1e-13 * float(mean)
        )
        check_vwap(vwap.value, window[-14:])
        check_cci(cci.value, window)


def check_vwap(value: float | None, window: list[Ohlcv]) -> None:
    volume = sum(Fraction(one.volume) for one in window)
    if volume == 0:
        assert value is None
        return
    turnover = sum(Fraction(one.volume) * typical(one) for one in window)
    assert value == pytest.approx(float(turnover / volume), rel=1e-13)


def check_cci(value: float | None, window: list[Ohlcv]) -> None:
    typicals = [typical(one) for one in window]
    mean = sum(typicals, Fraction(0)) / 20
    deviation = sum((abs(x - mean) for x in typicals), Fraction(0)) / 20
    if deviation <= mean * Fraction(1, 10**14):
        assert value is None
        return
    exact = float((typicals[-1] - mean) / (Fraction(15, 1000) * deviation))
    assert value is not None
    # Rounding of the mean is magnified by as much as the deviation is smaller than the mean.
    assert isclose(value, exact, rel_tol=1e-12, abs_tol=1e-12 * float(mean / deviation))


def typical(bar: Ohlcv) -> Fraction:
    return (Fraction(bar.high) + Fraction(bar.low) + Fraction(bar.close)) / 3
