"""Every name that a condition may use, and the stream that brings it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

Kind = Literal["number", "direction", "condition"]

#: The streams with whose messages rules are looked at. A rule reads one of them: the order of
#: messages is fixed within a topic only, so what joins two could turn out otherwise a second time.
BAR, NEWS, TWITTER, REDDIT, TREND = "bar", "news", "twitter", "reddit", "trend"

PRICES = {
    "open": "the price at which the bar opened",
    "high": "its highest price",
    "low": "its lowest price",
    "close": "its last price",
    "volume": "shares traded in it",
}
_TEXTS = {
    "sentiment": "mean sentiment of 24 hours as the trend reads it, -1 to 1",
    "latest": "sentiment of the text that has just come, -1 to 1",
    "count": "how many texts came in 24 hours",
}
_TRENDS = {
    "trend.strength": "how strong the trend is, 0 to 100",
    "trend.confidence": "how sure it is, 0 to 1",
}
DIRECTIONS = ("up", "down", "sideways")

#: What may stand before a bracket, and how many values it takes.
FUNCTIONS: Mapping[str, int] = {"abs": 1, "min": 2, "max": 2}


class Known(NamedTuple):
    """One name: the stream that brings it, what kind of value it is, and what it means."""

    stream: str
    kind: Kind
    meaning: str


def known_names(indicators: Iterable[str]) -> dict[str, Known]:
    """Return all names, with those of the ``indicators`` that are kept."""
    names = {name: Known(BAR, "number", meaning) for name, meaning in PRICES.items()}
    names |= {name: Known(BAR, "number", "an indicator, see indicators.md") for name in indicators}
    for stream in (NEWS, TWITTER, REDDIT):
        for name, meaning in _TEXTS.items():
            names[f"{stream}.{name}"] = Known(stream, "number", meaning)
    names["trend"] = Known(TREND, "direction", "where the ticker is heading: up, down, sideways")
    return names | {name: Known(TREND, "number", meaning) for name, meaning in _TRENDS.items()}


def instead(wrong: str, right: Sequence[str]) -> str:
    """Return what to write in place of a name that does not exist: the nearest ones, or all.

    >>> instead("rsl", ["rsi", "sma"])
    'did you mean rsi?'
    """
    near = difflib.get_close_matches(wrong, right, n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(right)}"
