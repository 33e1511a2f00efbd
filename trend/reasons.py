"""Why a trend is what it is, in words that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from trend.inputs import Inputs
from trend.scores import EXTREME, FULL_ADX, averages_apart, change_of_roc

#: Reasons that are given, at most.
MOST = 3
#: A score nearer to 0 says nothing.
NOTHING = 0.05

_TEXTS = {"news": ("news", "items"), "twitter": ("tweets", "posts"), "reddit": ("Reddit", "posts")}


def reasons(
    inputs: Inputs, components: Mapping[str, float], weights: Mapping[str, float]
) -> list[str]:
    """Return what the weightiest components say, the weightiest first, at most :data:`MOST`."""
    by_effect = sorted(components, key=lambda name: -abs(components[name] * weights[name]))
    saying = [name for name in by_effect if abs(components[name]) >= NOTHING]
    return [_SAY[name](inputs, components[name]) for name in saying[:MOST]]


def _price(inputs: Inputs, score: float) -> str:
    # It is there: without it there would be no score.
    apart = cast(float, averages_apart(inputs.bar.values))
    adx = inputs.bar.values.get("adx")
    side = "above" if score > 0 else "below"
    said = f"the fast average is {abs(apart):.1f} ATR {side} the slow one"
    if adx is None:
        return said
    return f"{said}, and ADX {adx:.0f} says {'a' if adx >= FULL_ADX else 'no clear'} trend"


def _momentum(inputs: Inputs, score: float) -> str:
    bar = inputs.bar
    rsi, histogram, change = bar.values.get("rsi"), bar.values.get("macd_hist"), change_of_roc(bar)
    said = []
    if rsi is not None:
        if abs(rsi - 50.0) >= EXTREME:
            said.append(f"RSI {rsi:.0f} says {'overbought' if rsi > 50 else 'oversold'}")
        else:
            said.append(f"RSI is {rsi:.0f}")
    if histogram is not None:
        said.append(f"the MACD histogram is {'above' if histogram > 0 else 'below'} zero")
    if change is not None:
        said.append(f"ROC {bar.values['roc']:+.1f}%")
    return f"momentum is {'upward' if score > 0 else 'downward'}: {', '.join(said)}"


def _volume(inputs: Inputs, score: float) -> str:
    bar = inputs.bar
    said = []
    if bar.obv_slope is not None:
        said.append("OBV rises" if bar.obv_slope > 0 else "OBV falls")
    mfi = bar.values.get("mfi")
    if mfi is not None:
        said.append(f"MFI is {mfi:.0f}")
    return f"volume is with the {'buyers' if score > 0 else 'sellers'}: {', '.join(said)}"


def _opinion(name: str) -> Callable[[Inputs, float], str]:
    where, what = _TEXTS[name]

    def say(inputs: Inputs, score: float) -> str:
        count = inputs.opinions[name].texts
        sound = f"{where} {'sounds' if name != 'twitter' else 'sound'}"
        number = f"{count} {what if count != 1 else what[:-1]} in 24 h"
        return f"{sound} {'good' if score > 0 else 'bad'}: {score:+.2f}, {number}"

    return say


def _macro(inputs: Inputs, _: float) -> str:
    return inputs.backdrop.text


_SAY: dict[str, Callable[[Inputs, float], str]] = {
    "price": _price,
    "momentum": _momentum,
    "volume": _volume,
    "news": _opinion("news"),
    "twitter": _opinion("twitter"),
    "reddit": _opinion("reddit"),
    "macro": _macro,
}
