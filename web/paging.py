"""Where a page ends and the next one begins.

Rows are sorted by time, newest first, and where times are equal by what makes them different. A
cursor holds that place, so pages neither repeat nor leave out a row when new ones come meanwhile.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from models.rules import EARLIEST_MS, LATEST_MS
from sinks.base import Document
from sinks.documents import as_date, as_ms

#: Longest text of a cursor; ids are bounded, and so is what is made of them.
_MOST_CHARACTERS = 2_000


class Place(NamedTuple):
    """The last row of a page: its time, and its tie-breaking key."""

    time: datetime
    key: str


def write_cursor(place: Place) -> str:
    """Return ``place`` as text for an address.

    >>> write_cursor(Place(as_date(0), "AAPL|1"))
    'WzAsIkFBUEx8MSJd'
    """
    packed = orjson.dumps([as_ms(place.time), place.key])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(text: str) -> Place:
    """Return the place that a cursor holds.

    Raises:
        ValueError: it is none of ours.

    >>> read_cursor("WzAsIkFBUEx8MSJd").key
    'AAPL|1'
    """
    wrong = ValueError("is no cursor of this program")
    if len(text) > _MOST_CHARACTERS:
        raise wrong
    try:
        held: Any = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise wrong from None
    match held:
        case [int(time), str(key)] if EARLIEST_MS <= time <= LATEST_MS and type(time) is int:
            return Place(as_date(time), key)
        case _:
            raise wrong


def cut(found: list[Document], limit: int) -> str | None:
    """Cut ``found`` to ``limit`` rows; returns the cursor of what is beyond, None without."""
    if len(found) <= limit:
        return None
    del found[limit:]
    return write_cursor(Place(found[-1]["time"], found[-1]["_id"]))


def between(since: datetime | None, until: datetime | None) -> Document:
    """Return the condition on the time of rows in ``since <= time < until``."""
    bounds = {"$gte": since, "$lt": until}
    asked = {name: value for name, value in bounds.items() if value is not None}
    return {"time": asked} if asked else {}


def after(place: Place | None, key: str = "_id") -> Document:
    """Return the condition on rows that come after ``place``, newest first."""
    if place is None:
        return {}
    same = {"time": place.time, key: {"$lt": place.key}}
    return {"$or": [{"time": {"$lt": place.time}}, same]}
