"""What `ta` computes for the same bars, and how near to it our values must be."""

from collections.abc import Iterable, Sequence
from math import isclose, isnan

import numpy as np
import pandas as pd
from ta.momentum import (
    ROCIndicator,
    RSIIndicator,
    StochasticOscillator,
    WilliamsRIndicator,
)
from ta.trend import MACD, ADXIndicator, CCIIndicator, EMAIndicator, SMAIndicator
from ta.volatility import AverageTrueRange, BollingerBands
from ta.volume import MFIIndicator, OnBalanceVolumeIndicator, VolumeWeightedAveragePrice

from indicators import Ohlcv, Specification

Column = list[float | None]

SHORTEST = 30
"""Bars. With fewer, `ta`'s ADX raises at its default window."""

# In units of the price; all others but the OBV are percentages or of their order.
PRICES = {
    *("sma", "ema", "macd", "macd_signal", "macd_hist", "atr", "vwap"),
    *("bollinger_upper", "bollinger_middle", "bollinger_lower"),
}

# pandas carries rounding errors through its rolling variance, and through the rolling mean from
# which `ta` takes the CCI; it is the less accurate side in both.
TOLERANCES = {"bollinger_upper": 1e-5, "bollinger_lower": 1e-5, "cci": 1e-7}
TOLERANCE = 1e-9


def reference(bars: Sequence[Ohlcv], specification: Specification) -> dict[str, Column]:
    """`ta`'s values for a specification that asks for all 14: one column per output."""
    columns = computed(pd.DataFrame(bars, columns=list(Ohlcv._fields)), specification)
    return {name: [None if isnan(x) else x for x in column] for name, column in columns.items()}


def computed(frame: pd.DataFrame, specification: Specification) -> "dict[str, pd.Series[float]]":
    """The same over a frame with the columns of `Ohlcv`, as `ta` returns it: NaN for no value."""
    high, low, close, volume = (frame[name] for name in ("high", "low", "close", "volume"))
    p = {entry.name: list(entry.parameters.values()) for entry in specification}
    with np.errstate(all="ignore"):
        macd = MACD(close, p["macd"][1], p["macd"][0], p["macd"][2])
        bands = BollingerBands(close, *p["bollinger"])
        stochastic = StochasticOscillator(high, low, close, *p["stochastic"])
        adx = ADXIndicator(high, low, close, *p["adx"])
        atr = AverageTrueRange(high, low, close, *p["atr"]).average_true_range()
        return {
            "sma": SMAIndicator(close, *p["sma"]).sma_indicator(),
            "ema": EMAIndicator(close, *p["ema"]).ema_indicator(),
            "rsi": RSIIndicator(close, *p["rsi"]).rsi(),
            "macd": macd.macd(),
            "macd_signal": macd.macd_signal(),
            "macd_hist": macd.macd_diff(),
            "bollinger_upper": bands.bollinger_hband(),
            "bollinger_middle": bands.bollinger_mavg(),
            "bollinger_lower": bands.bollinger_lband(),
            "atr": _from_bar(atr, int(p["atr"][0]) - 1),
            "stochastic_k": stochastic.stoch(),
            "stochastic_d": stochastic.stoch_signal(),
            "obv": OnBalanceVolumeIndicator(close, volume).on_balance_volume(),
            "vwap": VolumeWeightedAveragePrice(
                high, low, close, volume, *p["vwap"]
            ).volume_weighted_average_price(),
            "adx": _from_bar(adx.adx(), 2 * int(p["adx"][0]) - 1),
            "plus_di": _from_bar(adx.adx_pos(), int(p["adx"][0]) + 1),
            "minus_di": _from_bar(adx.adx_neg(), int(p["adx"][0]) + 1),
            "cci": CCIIndicator(high, low, close, *p["cci"]).cci(),
            "williams_r": WilliamsRIndicator(high, low, close, *p["williams_r"]).williams_r(),
            "mfi": MFIIndicator(high, low, close, volume, *p["mfi"]).money_flow_index(),
            "roc": ROCIndicator(close, *p["roc"]).roc(),
        }


def _from_bar(column: "pd.Series[float]", first: int) -> "pd.Series[float]":
    """A column without the zeros that `ta` shows before the first value."""
    return column.where(column.index >= first)


def near_flat(bars: Sequence[Ohlcv], window: int) -> set[int]:
    """The bars at which the typical prices of the window differ by rounding at most.

    There the CCI divides rounding by rounding: `ta` shows NaN, 0 or a large number by chance.
    """
    typical = [(bar.high + bar.low + bar.close) / 3.0 for bar in bars]
    return {
        end
        for end in range(window - 1, len(bars))
        if max(typical[end + 1 - window : end + 1]) - min(typical[end + 1 - window : end + 1])
        <= 1e-13 * typical[end]
    }


def agree(name: str, value: float | None, expected: float | None, scale: float) -> bool:
    """Whether a value of the output `name` is `ta`'s; `scale` is the largest price."""
    if value is None or expected is None:
        return value is expected
    floor = scale if name in PRICES else 100.0
    tolerance = TOLERANCES.get(name, TOLERANCE)
    return isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance * floor)


def differences(
    ours: Iterable[dict[str, float | None]],
    theirs: dict[str, Column],
    scale: float,
    skip: dict[str, set[int]],
) -> list[str]:
    """Where the two differ, in words; `scale` is the largest price."""
    found = []
    for index, values in enumerate(ours):
        for name, value in values.items():
            expected = theirs[name][index]
            if index in skip.get(name, ()):
                continue
            if not agree(name, value, expected, scale):
                found.append(f"bar {index}: {name} is {value!r}, ta has {expected!r}")
    return found
