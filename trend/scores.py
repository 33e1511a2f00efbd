"""Each component's score, -1 (down) to 1 (up), and how much of what it needs is there, 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt, tanh
from typing import NamedTuple

from trend.inputs import Inputs, LastBar, Opinion

#: The indicators that are read; any of them may be missing.
READ = ("macd", "macd_hist", "atr", "adx", "rsi", "roc", "mfi")

#: At this ADX and above, a trend counts in full. Wilder calls it a trend from 25 on.
FULL_ADX = 25.0
#: RSI and MFI say most here, as far from 50 to either side.
EXTREME = 20.0
#: A random walk goes about so many ATR in the 12 bars of the ROC.
ROC_SPREAD = sqrt(12.0)


class Score(NamedTuple):
    """A component's score, and its share: how much of what it needs is there, 0 to 1."""

    value: float
    share: float


MISSING = Score(0.0, 0.0)


def scores(inputs: Inputs) -> dict[str, Score]:
    """Return the score of each component; the share of those that are missing is 0."""
    bar = inputs.bar
    found = {
        "price": price(bar.values),
        "momentum": momentum(bar),
        "volume": volume(bar),
        "macro": Score(inputs.backdrop.score, inputs.backdrop.share),
    }
    for name, opinion in inputs.opinions.items():
        found[name] = sentiment(opinion)
    return found


def price(values: Mapping[str, float | None]) -> Score:
    """Return where the fast average (EMA 12) stands beside the slow one (EMA 26).

    tanh(MACD / (2 ATR)) * min(1, ADX / 25). Without an ADX the averages speak alone, for half the
    share.

    >>> price({"macd": 400.0, "atr": 2.0, "adx": 12.5})
    Score(value=0.5, share=1.0)
    """
    apart = averages_apart(values)
    if apart is None:
        return MISSING
    direction = tanh(apart / 2.0)
    adx = values.get("adx")
    if adx is None:
        return Score(direction, 0.5)
    return Score(direction * min(1.0, adx / FULL_ADX), 1.0)


def averages_apart(values: Mapping[str, float | None]) -> float | None:
    """Return by how many ATR the fast average is above the slow one.

    >>> averages_apart({"macd": -3.0, "atr": 2.0})
    -1.5
    """
    macd, atr = values.get("macd"), values.get("atr")
    return None if macd is None or not atr else macd / atr


def momentum(bar: LastBar) -> Score:
    """Return the mean of three scores, of those that there are.

    - RSI: (RSI - 50) / 20 up to 70 and down to 30; beyond, where it says overbought or oversold,
      it goes back and is 0 again at 100 and 0.
    - MACD histogram: tanh(2 histogram / ATR).
    - ROC: tanh(c / (3.46 ATR)), where c is the change of the price over its 12 bars and 3.46 the
      square root of 12.
    """
    values = bar.values
    total, known = 0.0, 0
    rsi = values.get("rsi")
    if rsi is not None:
        total += rsi_score(rsi)
        known += 1
    atr = values.get("atr")
    if atr:
        histogram, change = values.get("macd_hist"), change_of_roc(bar)
        if histogram is not None:
            total += tanh(2.0 * histogram / atr)
            known += 1
        if change is not None:
            total += tanh(change / (ROC_SPREAD * atr))
            known += 1
    return Score(total / known, known / 3) if known else MISSING


def rsi_score(rsi: float) -> float:
    """Return what the RSI says (see :func:`momentum`).

    >>> rsi_score(60.0), rsi_score(70.0), rsi_score(85.0), rsi_score(30.0)
    (0.5, 1.0, 0.5, -1.0)
    """
    away = rsi - 50.0
    if away > EXTREME:
        return (100.0 - rsi) / (50.0 - EXTREME)
    if away < -EXTREME:
        return -rsi / (50.0 - EXTREME)
    return away / EXTREME


def change_of_roc(bar: LastBar) -> float | None:
    """Return the change of the close that the ROC stands for, in the quote currency.

    >>> change_of_roc(LastBar(0, 110.0, {"roc": 10.0}, None))
    10.0
    """
    roc = bar.values.get("roc")
    # At -100 the close is 0, and says nothing of where it came from.
    return None if roc is None or roc <= -100.0 else bar.close * roc / (100.0 + roc)


def volume(bar: LastBar) -> Score:
    """Return the mean of the OBV's slope and of (MFI - 50) / 20, at most 1 and at least -1."""
    slope, mfi = bar.obv_slope, bar.values.get("mfi")
    if mfi is None:
        return MISSING if slope is None else Score(slope, 0.5)
    flow = max(-1.0, min(1.0, (mfi - 50.0) / EXTREME))
    return Score(flow, 0.5) if slope is None else Score((slope + flow) / 2.0, 1.0)


def sentiment(opinion: Opinion) -> Score:
    """Return the mean of the texts, for a share of w / (1 + w), where w is their weight by now.

    So one post of this moment has half the share, ten have nearly all of it, and what was said
    fades into what is missing.

    >>> sentiment(Opinion(0.4, 1.0, 1))
    Score(value=0.4, share=0.5)
    """
    return Score(opinion.mean, opinion.weight / (1.0 + opinion.weight))
