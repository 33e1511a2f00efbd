"""The forms that bars come in: usual ones, the smallest that may be, and ones of 10 kB.

Each is a seeded random walk a ticker, so that whoever wants to know the n-th bar can make it again.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

#: A Monday in 2024, 00:00 UTC.
START_MS = 1_704_672_000_000
MINUTE_MS = 60_000

#: The fields of a :class:`models.Bar`, by name; those that it does not need may be missing.
Bar = dict[str, Any]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Bytes of a large message that the fields of a bar do not take, about.
_MORE_BYTES = 9_770
#: So many different sets of unknown fields, in turn.
_SETS = 16


@dataclass(frozen=True, slots=True)
class Form:
    """How bars look.

    Attributes:
        name: in the results.
        ticker_name: the name of a ticker, by its number.
        walk: the bars of a ticker without end, from the one with this index on.
        value: the message that holds a bar.
        at_once: messages handed to the producer at once; bounds its memory.
    """

    name: str
    ticker_name: Callable[[int], str]
    walk: Callable[[int, int], Iterator[Bar]]
    value: Callable[[Bar], bytes]
    at_once: int = 10_000


@functools.lru_cache(maxsize=65_536)
def ticker_name(number: int) -> str:
    """The name of a ticker: T00000, T00001, ..."""
    return f"T{number:05d}"


def short_name(number: int) -> str:
    """The shortest name that a ticker may have: 0, 1, ... 9, A, ... Z, 10, ..."""
    rest, last = divmod(number, len(_DIGITS))
    return (short_name(rest) if rest else "") + _DIGITS[last]


def _walk(number: int, first_index: int) -> Iterator[Bar]:
    ticker = ticker_name(number)
    chance = random.Random(number)
    close = chance.uniform(5.0, 500.0)
    gauss, uniform, randrange = chance.gauss, chance.random, chance.randrange
    index = 0
    while True:
        opening = close
        close = opening * (1.0 + gauss(0.0, 0.01))
        high = max(opening, close) * (1.0 + 0.002 * uniform())
        low = min(opening, close) * (1.0 - 0.002 * uniform())
        volume = float(randrange(1_000, 100_000))
        if index >= first_index:
            yield {
                "ticker": ticker,
                "interval": "1m",
                "time": START_MS + MINUTE_MS * index,
                "open": opening,
                "high": high,
                "low": low,
                "close": close,
                "volume": volume,
                "source": "bench",
                "ingested": START_MS,
                "adjusted_close": None,
                "closed": True,
            }
        index += 1


def _short_walk(number: int, first_index: int) -> Iterator[Bar]:
    """Whole numbers of two digits, seconds since 1970, an empty source: what is needed, no more."""
    ticker = short_name(number)
    chance = random.Random(number)
    close = chance.randrange(40, 60)
    index = 0
    while True:
        opening = close
        # Never a bar without a range: `ta` divides by it.
        step = chance.choice((-3, -2, -1, 1, 2, 3))
        close = opening + step if 20 <= opening + step <= 90 else opening - step
        bar = {
            "ticker": ticker,
            "interval": "1s",
            "time": 1_000 * index,
            "open": opening,
            "high": max(opening, close) + chance.randrange(3),
            "low": min(opening, close) - chance.randrange(3),
            "close": close,
            "volume": chance.randrange(10, 100),
            "source": "",
            "ingested": 0,
        }
        if index >= first_index:
            yield bar
        index += 1


@functools.cache
def _more_fields() -> tuple[bytes, ...]:
    """What a provider may send that this version does not know, as the end of a JSON object."""
    chance = random.Random(0)
    found = []
    for _ in range(_SETS):
        text = b""
        number = 0
        while len(text) < _MORE_BYTES:
            number += 1
            value = chance.choice((chance.uniform(0, 1e6), chance.randrange(10**9), "some words"))
            text += b',"figure_%03d":%b' % (number, orjson.dumps(value))
        found.append(text + b"}")
    return tuple(found)


def _large(bar: Bar) -> bytes:
    more = _more_fields()
    return orjson.dumps(bar)[:-1] + more[bar["time"] // MINUTE_MS % len(more)]


USUAL = Form("usual", ticker_name, _walk, orjson.dumps)
SMALL = Form("small", short_name, _short_walk, orjson.dumps)
LARGE = Form("large", ticker_name, _walk, _large, at_once=1_000)

FORMS = {one.name: one for one in (USUAL, SMALL, LARGE)}
