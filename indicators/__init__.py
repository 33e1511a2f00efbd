"""Technical indicators, computed bar by bar in pure Python.

The values are those of `ta` 0.11.0, which computes whole frames; here each bar costs about the
same however long the history is, and an indicator's memory never grows.

- An `Indicator` takes bars with `update(bar)` and shows `values`: None until it is warm, never
  NaN or infinite. There is one per module; `INDICATORS` has them all by name.
- `parse(setting)` turns a setting such as `DEFAULT_SPEC` into a `Specification`.
- An `IndicatorSet` keeps the indicators of a specification for one ticker. Its `state()` is
  plain JSON and fits where the `fingerprint` of the specification is the same.
- `clone()` gives a copy on which a bar that is still forming can be tried.

The package knows nothing of streams, Records or settings: a `Bar` is anything with the prices
and the volume as attributes.
"""

from indicators.adx import ADX
from indicators.atr import ATR
from indicators.base import LARGEST_MAGNITUDE, Bar, Indicator, Ohlcv, SingleOutput
from indicators.bollinger import BollingerBands
from indicators.cci import CCI
from indicators.ema import EMA
from indicators.indicator_set import IndicatorSet
from indicators.macd import MACD
from indicators.mfi import MFI
from indicators.obv import OBV
from indicators.registry import DEFAULT_SPEC, INDICATORS, IndicatorSpec, Specification, parse
from indicators.roc import ROC
from indicators.rsi import RSI
from indicators.sma import SMA
from indicators.stochastic import Stochastic
from indicators.vwap import VWAP
from indicators.williams_r import WilliamsR

__all__ = [
    "ADX",
    "ATR",
    "CCI",
    "DEFAULT_SPEC",
    "EMA",
    "INDICATORS",
    "LARGEST_MAGNITUDE",
    "MACD",
    "MFI",
    "OBV",
    "ROC",
    "RSI",
    "SMA",
    "VWAP",
    "Bar",
    "BollingerBands",
    "Indicator",
    "IndicatorSet",
    "IndicatorSpec",
    "Ohlcv",
    "SingleOutput",
    "Specification",
    "Stochastic",
    "WilliamsR",
    "parse",
]
