"""The clock of a ticker's market."""

from __future__ import annotations

from typing import TypedDict

from sources.market_hours import calendar_of

#: Zone and name by the calendar that a ticker is traded by.
_CLOCKS = {
    "NYSE": ("America/New_York", "New York"),
    "ASX": ("Australia/Sydney", "Sydney"),
    "XETR": ("Europe/Berlin", "Frankfurt"),
    "HKEX": ("Asia/Hong_Kong", "Hong Kong"),
    "LSE": ("Europe/London", "London"),
    "XMIL": ("Europe/Rome", "Milan"),
    "XPAR": ("Europe/Paris", "Paris"),
    "JPX": ("Asia/Tokyo", "Tokyo"),
    "TSX": ("America/Toronto", "Toronto"),
}


class Market(TypedDict):
    """Where a ticker is traded: the zone of its clock, and what people call it."""

    zone: str
    market: str


def market_of(ticker: str) -> Market:
    """Return the market of a ticker; UTC for what is traded at all hours.

    >>> market_of("AAPL")["zone"], market_of("BTC-USD")["zone"]
    ('America/New_York', 'UTC')
    """
    zone, name = _CLOCKS.get(calendar_of(ticker) or "", ("UTC", "UTC"))
    return {"zone": zone, "market": name}
