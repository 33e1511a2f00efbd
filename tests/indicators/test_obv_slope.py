"""The slope of the on-balance volume: kept like every indicator, and the same as by its formula."""

from __future__ import annotations

import pytest
from hypothesis import given

from indicators import Ohlcv
from indicators.obv_slope import ObvSlope
from tests.indicators.bars import walk, walks
from tests.indicators.checks import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_check(check: Check) -> None:
    """What every indicator promises."""
    check(ObvSlope)


def by_the_formula(bars: list[Ohlcv], window: int = 14) -> list[float | None]:
    """The slope at each bar, each computed from the first bar on."""
    weights = [(1 - 2 / (window + 1)) ** back for back in range(len(bars))]
    slopes: list[float | None] = []
    for last in range(len(bars)):
        changes = [
            (bars[i].close > bars[i - 1].close) - (bars[i].close < bars[i - 1].close)
            for i in range(1, last + 1)
        ]
        signed = traded = 0.0
        for i, change in enumerate(changes, 1):
            signed += weights[last - i] * change * bars[i].volume
            traded += weights[last - i] * bars[i].volume
        slopes.append(None if last < window else signed / traded if traded else 0.0)
    return slopes


def test_the_formula() -> None:
    bars = walk(200)
    slope = ObvSlope()
    for bar, expected in zip(bars, by_the_formula(bars), strict=True):
        slope.update(bar)
        assert slope.value == (None if expected is None else pytest.approx(expected, abs=1e-9))


@given(walks())
def test_it_stays_within_one_and_mirrors(bars: list[Ohlcv]) -> None:
    """A price turned upside down has the slope with the other sign, exactly."""
    slope, mirrored = ObvSlope(), ObvSlope()
    for bar in bars:
        slope.update(bar)
        mirrored.update(Ohlcv.at(-bar.close, bar.volume))
        if slope.value is None:
            assert mirrored.value is None
        else:
            assert -1.0 <= slope.value <= 1.0
            assert mirrored.value == -slope.value


@pytest.mark.parametrize(("step", "expected"), [(1.0, 1.0), (-1.0, -1.0), (0.0, 0.0)])
def test_a_steady_price(step: float, expected: float) -> None:
    slope = ObvSlope()
    for index in range(40):
        slope.update(Ohlcv.at(100.0 + step * index, 50.0))
    assert slope.value == expected
