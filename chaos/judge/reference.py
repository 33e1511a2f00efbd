"""What `ta` computes for a ticker's bars, and how near to it a stored value must be.

`ta` shows 0 for the ATR and the ADX until they are warm, where the program has nothing; pandas
carries rounding through its rolling variance and mean, so Bollinger bands and the CCI get more room
than the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose, isnan
from typing import Any

import numpy as np
import pandas as pd
from ta import momentum, trend, volatility, volume

Column = list[float | None]

_RELATIVE = 1e-9
_WIDER = {"bollinger_upper": 1e-5, "bollinger_lower": 1e-5, "cci": 1e-7}
#: In the currency; the others are percentages, or shares.
_PRICES = {
    *("sma", "ema", "macd", "macd_signal", "macd_hist", "atr", "vwap"),
    *("bollinger_upper", "bollinger_middle", "bollinger_lower"),
}
_CCI_WINDOW = 20


@dataclass(frozen=True, slots=True)
class Parameters:
    """The periods of the indicators that a run changes; the others keep their defaults."""

    sma: int = 20
    ema: int = 20
    rsi: int = 14
    atr: int = 14

    @property
    def setting(self) -> str:
        """The same for the program: the setting INDICATORS."""
        return (
            f"sma {self.sma}, ema {self.ema}, rsi {self.rsi}, macd 12/26/9, bollinger 20/2, "
            f"atr {self.atr}, stochastic 14/3, obv, vwap 14, adx 14, cci 20, williams_r 14, "
            "mfi 14, roc 12"
        )


OUTPUTS = (
    *("sma", "ema", "rsi", "macd", "macd_signal", "macd_hist"),
    *("bollinger_upper", "bollinger_middle", "bollinger_lower", "atr"),
    *("stochastic_k", "stochastic_d", "obv", "vwap", "adx", "plus_di", "minus_di"),
    *("cci", "williams_r", "mfi", "roc"),
)

#: `ta` cannot compute all of them over fewer bars.
FEWEST = 40


def columns(bars: Sequence[dict[str, Any]], parameters: Parameters) -> dict[str, Column]:
    """Return each output at each bar; None where it has no value.

    Raises:
        ValueError: there are fewer bars than :data:`FEWEST`.
    """
    if len(bars) < FEWEST:
        raise ValueError(f"{len(bars)} bars are too few to judge: let the run last longer")
    frame = pd.DataFrame(list(bars))
    high, low, close, shares = (
        frame[name].astype(float) for name in ("high", "low", "close", "volume")
    )
    p = parameters
    with np.errstate(all="ignore"):
        bands = volatility.BollingerBands(close, 20, 2)
        macd = trend.MACD(close, 26, 12, 9)
        stochastic = momentum.StochasticOscillator(high, low, close, 14, 3)
        adx = trend.ADXIndicator(high, low, close, 14)
        atr = volatility.AverageTrueRange(high, low, close, p.atr).average_true_range()
        vwap = volume.VolumeWeightedAveragePrice(high, low, close, shares, 14)
        series = {
            "sma": trend.SMAIndicator(close, p.sma).sma_indicator(),
            "ema": trend.EMAIndicator(close, p.ema).ema_indicator(),
            "rsi": momentum.RSIIndicator(close, p.rsi).rsi(),
            "macd": macd.macd(),
            "macd_signal": macd.macd_signal(),
            "macd_hist": macd.macd_diff(),
            "bollinger_upper": bands.bollinger_hband(),
            "bollinger_middle": bands.bollinger_mavg(),
            "bollinger_lower": bands.bollinger_lband(),
            "atr": atr.where(atr.index >= p.atr - 1),
            "stochastic_k": stochastic.stoch(),
            "stochastic_d": stochastic.stoch_signal(),
            "obv": volume.OnBalanceVolumeIndicator(close, shares).on_balance_volume(),
            "vwap": vwap.volume_weighted_average_price(),
            "adx": adx.adx().where(frame.index >= 27),
            "plus_di": adx.adx_pos().where(frame.index >= 15),
            "minus_di": adx.adx_neg().where(frame.index >= 15),
            "cci": trend.CCIIndicator(high, low, close, 20).cci(),
            "williams_r": momentum.WilliamsRIndicator(high, low, close, 14).williams_r(),
            "mfi": volume.MFIIndicator(high, low, close, shares, 14).money_flow_index(),
            "roc": momentum.ROCIndicator(close, 12).roc(),
        }
    return {name: [None if isnan(x) else x for x in values] for name, values in series.items()}


def flat(bars: Sequence[dict[str, Any]]) -> set[int]:
    """Return the bars at which the CCI divides rounding by rounding, so that anything may come."""
    typical = [(bar["high"] + bar["low"] + bar["close"]) / 3.0 for bar in bars]
    found = set()
    for end in range(_CCI_WINDOW - 1, len(bars)):
        window = typical[end + 1 - _CCI_WINDOW : end + 1]
        if max(window) - min(window) <= 1e-13 * typical[end]:
            found.add(end)
    return found


def agree(name: str, stored: Any, wanted: float | None, scale: float) -> bool:
    """Tell whether a stored value is the wanted one; ``scale`` is the ticker's highest price."""
    if stored is None or wanted is None:
        return stored is wanted
    if isinstance(stored, bool) or not isinstance(stored, int | float):
        return False
    room = _WIDER.get(name, _RELATIVE)
    floor = scale if name in _PRICES else 100.0
    return isclose(stored, wanted, rel_tol=room, abs_tol=room * floor)
