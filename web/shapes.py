"""What answers hold: the rows, and how documents become them.

Times are milliseconds since the epoch, UTC, as in the Records on the wire.
"""

from __future__ import annotations

from typing import Any, TypedDict

from sinks.base import Document
from sinks.documents import as_ms


class TrendNow(TypedDict):
    """A trend, as a watchlist shows it."""

    time: int
    direction: str
    strength: float
    confidence: float


class TickerRow(TypedDict):
    """One ticker of ``/api/tickers``."""

    ticker: str
    interval: str
    intervals: list[str]
    time: int
    price: float
    previous: float | None
    change: float | None
    change_percent: float | None
    volume: float
    closed: bool
    ingested: int
    trend: TrendNow | None
    sparkline: list[float]


class BarRow(TypedDict):
    """One bar."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    adjusted_close: float | None
    closed: bool
    ingested: int
    indicators: dict[str, float | None]


class NewsRow(TypedDict):
    """One news item."""

    id: str
    time: int
    title: str
    summary: str
    url: str
    publisher: str
    source: str
    sentiment: float | None


class PostRow(TypedDict):
    """One post."""

    id: str
    time: int
    platform: str
    text: str
    author: str | None
    engagement: float
    url: str
    source: str
    sentiment: float | None


class SentimentRow(TypedDict):
    """The mean sentiment of one platform over one hour or day, and of how many texts."""

    time: int
    platform: str
    sentiment: float
    count: int


class TrendRow(TypedDict):
    """One trend."""

    time: int
    direction: str
    strength: float
    confidence: float
    components: dict[str, float]
    reasons: list[str]


class AlertRow(TypedDict):
    """One alert; ``deliveries`` is what has become of it, by webhook."""

    id: str
    time: int
    ticker: str
    rule: str
    interval: str | None
    severity: str
    message: str
    condition: str
    values: dict[str, float | str | None]
    ingested: int
    deliveries: dict[str, str]


class SeriesRow(TypedDict):
    """The latest observation of a series, and the one before it."""

    series: str
    title: str
    units: str
    frequency: str
    time: int
    value: float
    previous: float | None
    realtime_start: int


class ObservationRow(TypedDict):
    """One observation of a series as it was published on one day."""

    time: int
    value: float
    realtime_start: int
    title: str
    units: str
    frequency: str
    source: str


def bar_row(document: Document) -> BarRow:
    """Return a document of ``stock_prices`` as a row."""
    return {
        "time": as_ms(document["time"]),
        "open": document["open"],
        "high": document["high"],
        "low": document["low"],
        "close": document["close"],
        "volume": document["volume"],
        "adjusted_close": document.get("adjusted_close"),
        "closed": document["closed"],
        "ingested": as_ms(document["ingested"]),
        "indicators": document.get("indicators") or {},
    }


def news_row(document: Document) -> NewsRow:
    """Return a document of ``news`` as a row."""
    return {
        "id": document["id"],
        "time": as_ms(document["time"]),
        "title": document["title"],
        "summary": document.get("summary", ""),
        "url": document.get("url", ""),
        "publisher": document.get("publisher", ""),
        "source": document["source"],
        "sentiment": document.get("sentiment"),
    }


def post_row(document: Document) -> PostRow:
    """Return a document of ``twitter_sentiment`` or ``reddit_sentiment`` as a row."""
    return {
        "id": document["id"],
        "time": as_ms(document["time"]),
        "platform": document["platform"],
        "text": document["text"],
        "author": document.get("author"),
        "engagement": document.get("engagement", 0.0),
        "url": document.get("url", ""),
        "source": document["source"],
        "sentiment": document.get("sentiment"),
    }


def trend_row(document: Document) -> TrendRow:
    """Return a document of ``trends`` or ``trend_history`` as a row."""
    return {
        "time": as_ms(document["time"]),
        "direction": document["direction"],
        "strength": document["strength"],
        "confidence": document["confidence"],
        "components": document.get("components") or {},
        "reasons": list(document.get("reasons") or ()),
    }


def alert_row(document: Document) -> AlertRow:
    """Return a document of ``alerts`` as a row."""
    return {
        "id": document["id"],
        "time": as_ms(document["time"]),
        "ticker": document["ticker"],
        "rule": document["rule"],
        "interval": document.get("interval"),
        "severity": document["severity"],
        "message": document["message"],
        "condition": document["condition"],
        "values": document.get("values") or {},
        "ingested": as_ms(document["ingested"]),
        "deliveries": document.get("deliveries") or {},
    }


def observation_row(document: Document) -> ObservationRow:
    """Return a document of ``economic_indicators`` as a row."""
    return {
        "time": as_ms(document["time"]),
        "value": document["value"],
        "realtime_start": as_ms(document["realtime_start"]),
        "title": document.get("title", ""),
        "units": document.get("units", ""),
        "frequency": document.get("frequency", ""),
        "source": document["source"],
    }


def columns(row: Any, *without: str) -> list[str]:
    """Return the fields of a row's type, in order, for the head of a table."""
    return [name for name in row.__annotations__ if name not in without]
