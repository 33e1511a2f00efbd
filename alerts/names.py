"""Every name that a condition may use, and the stream that brings it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

Kind = Literal["number", "direction", "condition"]

#: The streams with whose messages rules are looked at. A rule reads one of them: the order of
#: messages is fixed within a topic only, so what joins two could turn out otherwise a second time.
BAR, NEWS, TWITTER, REDDIT, TREND = "bar", "news", "twitter", "reddit", "trend"

#: What a bar says by itself.
PRICES = ("open", "high", "low", "close", "volume")
#: What is known of the texts of one stream: ``news.sentiment`` and so on.
_TEXTS = ("sentiment", "latest", "count")
_TRENDS = ("trend.strength", "trend.confidence")
DIRECTIONS = ("up", "down", "sideways")

#: What may stand before a bracket, and how many values it takes.
FUNCTIONS: Mapping[str, int] = {"abs": 1, "min": 2, "max": 2}


class Known(NamedTuple):
    """One name: the stream that brings it, and what kind of value it is."""

    stream: str
    kind: Kind


def known_names(indicators: Iterable[str]) -> dict[str, Known]:
    """Return all names, with those of the ``indicators`` that are kept; docs/alerts.md has them."""
    names = {name: Known(BAR, "number") for name in (*PRICES, *indicators)}
    for stream in (NEWS, TWITTER, REDDIT):
        names |= {f"{stream}.{name}": Known(stream, "number") for name in _TEXTS}
    names["trend"] = Known(TREND, "direction")
    return names | {name: Known(TREND, "number") for name in _TRENDS}


def instead(wrong: str, right: Sequence[str]) -> str:
    """Return what to write in place of a name that does not exist: the nearest ones, or all.

    >>> instead("rsl", ["rsi", "sma"])
    'did you mean rsi?'
    """
    near = difflib.get_close_matches(wrong, right, n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(right)}"
