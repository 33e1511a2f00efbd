"""The conventions that one would not guess, one case each, worked out by hand."""

import pytest

from indicators import (
    ADX,
    ATR,
    CCI,
    EMA,
    MFI,
    OBV,
    ROC,
    RSI,
    VWAP,
    BollingerBands,
    Indicator,
    Ohlcv,
    Stochastic,
    WilliamsR,
)

FLAT = [Ohlcv.at(0.1, 5.0)] * 4
UNTRADED = [Ohlcv.at(price) for price in (1.0, 2.0, 3.0, 2.0)]
RANGES = [Ohlcv(1.0, high, 1.0, 1.0, 1.0) for high in (3.0, 5.0, 2.0, 2.0)]
# Closes outside a range so small that dividing by it overflows.
ABOVE, BELOW = (Ohlcv(close, 5e-324, 0.0, close, 1.0) for close in (1.0, -1.0))
GAP = [Ohlcv(10.0, 11.0, 9.0, 10.0, 1.0), Ohlcv(20.0, 21.0, 19.0, 20.0, 1.0)]

CASES: dict[str, tuple[Indicator, list[Ohlcv], dict[str, float | None]]] = {
    "ema starts at the first close": (
        EMA(3),
        [Ohlcv.at(price) for price in (8.0, 4.0, 4.0)],
        {"ema": 5.0},
    ),
    "rsi of a price that never moved is 100": (RSI(2), FLAT, {"rsi": 100.0}),
    "rsi counts the first bar": (RSI(2), FLAT[:2], {"rsi": 100.0}),
    "bands of a flat window are equal": (
        BollingerBands(3),
        FLAT,
        {"bollinger_upper": 0.1, "bollinger_middle": 0.1, "bollinger_lower": 0.1},
    ),
    "atr starts with the range of the first bar": (ATR(2), RANGES[:2], {"atr": 3.0}),
    "atr counts a gap": (ATR(2), GAP, {"atr": 6.5}),
    "atr is none before it is warm": (ATR(2), RANGES[:1], {"atr": None}),
    "stochastic of a flat range is none": (
        Stochastic(2, 2),
        FLAT,
        {"stochastic_k": None, "stochastic_d": None},
    ),
    "stochastic_d waits for values in a row": (
        Stochastic(1, 2),
        [RANGES[0], RANGES[1], FLAT[0], RANGES[2]],
        {"stochastic_k": 0.0, "stochastic_d": None},
    ),
    "stochastic above all bounds is none": (
        Stochastic(1, 1),
        [ABOVE],
        {"stochastic_k": None, "stochastic_d": None},
    ),
    "stochastic below all bounds is none": (
        Stochastic(1, 1),
        [BELOW],
        {"stochastic_k": None, "stochastic_d": None},
    ),
    "williams_r above all bounds is none": (WilliamsR(1), [ABOVE], {"williams_r": None}),
    "williams_r below all bounds is none": (WilliamsR(1), [BELOW], {"williams_r": None}),
    "obv adds on an equal close": (OBV(), FLAT, {"obv": 20.0}),
    "vwap of an untraded window is none": (VWAP(2), UNTRADED, {"vwap": None}),
    "adx without any movement is 0": (
        ADX(2),
        FLAT,
        {"adx": 0.0, "plus_di": 0.0, "minus_di": 0.0},
    ),
    "adx shows the directions one bar late": (
        ADX(2),
        FLAT[:3],
        {"adx": None, "plus_di": None, "minus_di": None},
    ),
    "adx never takes in an infinite direction": (
        ADX(1),
        [Ohlcv(2.0, 0.0, 0.0, 2.0, 1.0), Ohlcv(0.0, 2.0, 2.0, 0.0, 1.0), ABOVE],
        {"adx": 0.0, "plus_di": 0.0, "minus_di": None},
    ),
    "cci of a flat window is none": (CCI(3), FLAT, {"cci": None}),
    "williams_r of a flat range is none": (WilliamsR(2), FLAT, {"williams_r": None}),
    "mfi without losses is 100": (
        MFI(3),
        [Ohlcv.at(price, 1.0) for price in (1.0, 2.0, 3.0)],
        {"mfi": 100.0},
    ),
    "mfi without any flow is none": (MFI(3), UNTRADED, {"mfi": None}),
    "mfi ignores an unchanged price": (MFI(2), FLAT, {"mfi": None}),
    "roc from 0 is none": (ROC(1), [Ohlcv.at(0.0), Ohlcv.at(1.0)], {"roc": None}),
}


@pytest.mark.parametrize(("indicator", "bars", "expected"), CASES.values(), ids=CASES)
def test_convention(
    indicator: Indicator, bars: list[Ohlcv], expected: dict[str, float | None]
) -> None:
    """The values after the last bar."""
    # On a copy: the table is made once, and a test must not depend on how often it ran.
    fresh = indicator.clone()
    for bar in bars:
        fresh.update(bar)
    assert fresh.values == expected
