"""Other libraries that compute indicators bar by bar, as the table of indicators times them.

Each library gets its own kind of bar, made before the clock starts, and the periods of the
program's default. What a library lacks, or defines otherwise, is left out of its column: talipp
has no MFI, and its VWAP and TA-Lib's run over all bars instead of the last 14.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from indicators.base import Bar

Feed = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Rival:
    """A library with what feeds it.

    Attributes:
        name: in the heading, with its version.
        feeds: for each indicator that it has, a call that gives it all bars. Each call starts anew.
    """

    name: str
    feeds: dict[str, Feed]


def rivals(bars: Sequence[Bar]) -> tuple[list[Rival], list[str]]:
    """Return the libraries that are installed, and the names of those that are not."""
    found, missing = [], []
    for distribution, make in (("talipp", _talipp), ("TA-Lib", _ta_lib), ("wickra", _wickra)):
        try:
            feeds = make(bars)
        except ImportError:
            missing.append(distribution)
        else:
            found.append(Rival(f"{distribution} {version(distribution)}", feeds))
    return found, missing


def _feeds(
    method: str, indicators: Mapping[str, tuple[Any, ...]], inputs: Sequence[Any]
) -> dict[str, Feed]:
    """The calls that give every input to a new indicator: by name, its class and parameters."""

    def feed(make: Any, *parameters: float) -> Feed:
        def run() -> None:
            update = getattr(make(*parameters), method)
            for one in inputs:
                update(one)

        return run

    return {name: feed(*made) for name, made in indicators.items()}


def _talipp(bars: Sequence[Bar]) -> dict[str, Feed]:
    library = importlib.import_module("talipp.indicators")
    candle = importlib.import_module("talipp.ohlcv").OHLCV
    candles = [candle(one.open, one.high, one.low, one.close, one.volume) for one in bars]
    closes = [one.close for one in bars]
    on_closes = {
        "sma": (library.SMA, 20),
        "ema": (library.EMA, 20),
        "rsi": (library.RSI, 14),
        "macd": (library.MACD, 12, 26, 9),
        "bollinger": (library.BB, 20, 2.0),
        "roc": (library.ROC, 12),
    }
    on_candles = {
        "atr": (library.ATR, 14),
        "stochastic": (library.Stoch, 14, 3),
        "obv": (library.OBV,),
        "adx": (library.ADX, 14, 14),
        "cci": (library.CCI, 20),
        "williams_r": (library.Williams, 14),
    }
    return _feeds("add", on_closes, closes) | _feeds("add", on_candles, candles)


def _wickra(bars: Sequence[Bar]) -> dict[str, Feed]:
    library = importlib.import_module("wickra")
    candles = [
        (one.open, one.high, one.low, one.close, one.volume, minute)
        for minute, one in enumerate(bars)
    ]
    closes = [one.close for one in bars]
    on_closes = {
        "sma": (library.SMA, 20),
        "ema": (library.EMA, 20),
        "rsi": (library.RSI, 14),
        "macd": (library.MACD, 12, 26, 9),
        "bollinger": (library.BollingerBands, 20, 2.0),
        "roc": (library.ROC, 12),
    }
    on_candles = {
        "atr": (library.ATR, 14),
        "stochastic": (library.Stochastic, 14, 3),
        "obv": (library.OBV,),
        "vwap": (library.RollingVWAP, 14),
        "adx": (library.ADX, 14),
        "cci": (library.CCI, 20),
        "williams_r": (library.WilliamsR, 14),
        "mfi": (library.MFI, 14),
    }
    return _feeds("update", on_closes, closes) | _feeds("update", on_candles, candles)


#: A stream of TA-Lib opens on so many bars of history.
_OPENING = 60


def _ta_lib(bars: Sequence[Bar]) -> dict[str, Feed]:
    stream = importlib.import_module("talib.stream")
    columns = {
        name: np.array([getattr(one, name) for one in bars])
        for name in ("high", "low", "close", "volume")
    }
    high, low, close, volume = columns.values()

    def feed(
        names: Sequence[str], inputs: Sequence[Any], parameters: Sequence[float]
    ) -> Callable[[], None]:
        rows = list(zip(*(column[_OPENING:].tolist() for column in inputs), strict=True))
        opening = [column[:_OPENING] for column in inputs]

        def run() -> None:
            for name in names:
                update = getattr(stream, name)(*opening, *parameters).update
                for row in rows:
                    update(*row)

        return run

    prices = (high, low, close)
    return {
        "sma": feed(["SMA"], [close], [20]),
        "ema": feed(["EMA"], [close], [20]),
        "rsi": feed(["RSI"], [close], [14]),
        "macd": feed(["MACD"], [close], [12, 26, 9]),
        "bollinger": feed(["BBANDS"], [close], [20, 2.0, 2.0]),
        "atr": feed(["ATR"], prices, [14]),
        "stochastic": feed(["STOCHF"], prices, [14, 3]),
        "obv": feed(["OBV"], [close, volume], []),
        # One function an output.
        "adx": feed(["ADX", "PLUS_DI", "MINUS_DI"], prices, [14]),
        "cci": feed(["CCI"], prices, [20]),
        "williams_r": feed(["WILLR"], prices, [14]),
        "mfi": feed(["MFI"], [*prices, volume], [14]),
        "roc": feed(["ROC"], [close], [12]),
    }
