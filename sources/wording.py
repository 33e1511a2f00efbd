"""The words of simulated texts: templates with many parts, drawn by a seeded generator."""

from __future__ import annotations

import functools
import random
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

Mood = Literal["bullish", "bearish", "neutral"]

FILE: Final = Path(__file__).parent / "data" / "wording.toml"
_BLANK = re.compile(r"\{(\w+)\}")


class Subject(NamedTuple):
    """What a text is about: a ticker and its last closing price, in the quote currency."""

    ticker: str
    price: float


@functools.cache
def wording() -> dict[str, Any]:
    """Return the templates, as they stand in the file."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def company(ticker: str) -> str:
    """Return the name of a company, or its ticker where the file has none."""
    name: str = wording()["companies"].get(ticker, ticker)
    return name


def part(name: str, rng: random.Random) -> str:
    """Return one of the parts of that name."""
    chosen: str = rng.choice(wording()["parts"][name])
    return chosen


def phrase(place: str, mood: Mood, piece: str, subject: Subject, rng: random.Random) -> str:
    """Return a piece of a text with its blanks filled.

    Args:
        place: where it is said: ``news``, ``twitter`` or ``reddit``.
        mood: what it says of the price to come.
        piece: which piece of a text, such as ``title``.
        subject: what it is about.
        rng: draws the template and what fills it.
    """
    template: str = rng.choice(wording()[place][mood][piece])
    text = _BLANK.sub(lambda blank: _fill(blank[1], subject, rng), template)
    return text[:1].upper() + text[1:] if place == "news" else text


def _fill(blank: str, subject: Subject, rng: random.Random) -> str:
    known = _KNOWN.get(blank)
    return part(blank, rng) if known is None else known(subject, rng)


def _money(price: float) -> str:
    """Return a price as people write it: whole from 20 on."""
    return f"{price:.0f}" if price >= 20 else f"{price:.2f}"


_KNOWN: Final[dict[str, Callable[[Subject, random.Random], str]]] = {
    "company": lambda about, _: company(about.ticker),
    "ticker": lambda about, _: about.ticker,
    "tag": lambda about, _: f"${about.ticker}",
    "price": lambda about, _: _money(about.price),
    "up_target": lambda about, rng: _money(about.price * rng.uniform(1.1, 1.4)),
    "down_target": lambda about, rng: _money(about.price * rng.uniform(0.6, 0.9)),
    "percent": lambda _, rng: str(rng.randint(3, 24)),
    "count": lambda _, rng: str(rng.randint(4, 9)),
    "multiple": lambda _, rng: str(rng.randint(6, 48)),
}
