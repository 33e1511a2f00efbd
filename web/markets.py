"""The clock of a ticker's market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from sources.market_hours import calendar_of

#: Zone, name and regular hours by the calendar that a ticker is traded by. The hours are for a
#: clock beside a chart; whoever has to know holidays and early closes asks sources.market_hours,
#: which takes a second and much memory the first time.
_CLOCKS: Mapping[str, tuple[str, str, str, str]] = {
    "NYSE": ("America/New_York", "New York", "09:30", "16:00"),
    "ASX": ("Australia/Sydney", "Sydney", "10:00", "16:00"),
    "XETR": ("Europe/Berlin", "Frankfurt", "09:00", "17:30"),
    "HKEX": ("Asia/Hong_Kong", "Hong Kong", "09:30", "16:00"),
    "LSE": ("Europe/London", "London", "08:00", "16:30"),
    "XMIL": ("Europe/Rome", "Milan", "09:00", "17:30"),
    "XPAR": ("Europe/Paris", "Paris", "09:00", "17:30"),
    "JPX": ("Asia/Tokyo", "Tokyo", "09:00", "15:30"),
    "TSX": ("America/Toronto", "Toronto", "09:30", "16:00"),
}
_ALWAYS = ("UTC", "UTC", None, None)


class Market(TypedDict):
    """Where a ticker is traded: the zone of its clock, what people call it, its regular hours.

    ``opens`` and ``closes`` are ``HH:MM`` there, Monday to Friday; None for what never closes.
    """

    zone: str
    market: str
    opens: str | None
    closes: str | None


def market_of(ticker: str) -> Market:
    """Return the market of a ticker; UTC for what is traded at all hours.

    >>> market_of("AAPL")["zone"], market_of("BTC-USD")["zone"]
    ('America/New_York', 'UTC')
    """
    zone, name, opens, closes = _CLOCKS.get(calendar_of(ticker) or "", _ALWAYS)
    return {"zone": zone, "market": name, "opens": opens, "closes": closes}
