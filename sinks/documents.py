"""How a Record looks in MongoDB, and under which business key.

Redelivery and re-polling land on the same ``_id``, so each fact stands there once. Times become
BSON dates; in an ``_id`` they are ms since the epoch, or an ISO date for economic series.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from models import (
    INTEGRATION_TEST,
    EconomicObservation,
    IndicatorSnapshot,
    NewsItem,
    SocialPost,
)
from models.dead_letter import bounded
from models.quick import AnyBar
from models.quick_series import AnySeries, bars_of
from sinks.base import Document, Mode, Origin, Write

STOCK_PRICES = "stock_prices"
NEWS = "news"
TWITTER = "twitter_sentiment"
REDDIT = "reddit_sentiment"
ECONOMY = "economic_indicators"
TRENDS = "trends"
TREND_HISTORY = "trend_history"
ALERTS = "alerts"
SOURCE_CURSORS = "source_cursors"
DEAD_LETTERS = "dead_letters"
COMPANY_NAMES = "company_names"

#: The collection of each kind of data, by the kind's name in displays.
DATA_COLLECTIONS = {
    "prices": STOCK_PRICES,
    "news": NEWS,
    "twitter": TWITTER,
    "reddit": REDDIT,
    "economy": ECONOMY,
}

#: What becomes of all kinds together.
TREND_COLLECTIONS = (TRENDS, TREND_HISTORY)

#: Of a dead letter's message so much is kept: MongoDB takes documents of 16 MB.
MOST_KEY_BYTES, MOST_VALUE_BYTES = 1024 * 1024, 14 * 1024 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@functools.lru_cache(maxsize=8_192)
def as_date(time_ms: int) -> datetime:
    """Return ms since the epoch as an aware datetime (also before 1970)."""
    return _EPOCH + time_ms * _MS


def as_ms(date: datetime) -> int:
    """Return an aware datetime as ms since the epoch."""
    return (date - _EPOCH) // _MS


def bar_id(ticker: str, interval: str, time_ms: int) -> str:
    """Return the business key of a bar."""
    return f"{ticker}|{interval}|{time_ms}"


def bar_write(
    bar: AnyBar, origin: Origin, indicators: Mapping[str, float | None] | None = None
) -> Write:
    """Return the write of a bar, with the indicators computed at it if it was applied."""
    document: Document = {
        "ticker": bar.ticker,
        "interval": bar.interval,
        "time": as_date(bar.time),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
        "adjusted_close": bar.adjusted_close,
        "source": bar.source,
        "closed": bar.closed,
        "ingested": as_date(bar.ingested),
    }
    if indicators is not None:
        document["indicators"] = dict(indicators)
    return Write(
        STOCK_PRICES,
        bar_id(bar.ticker, bar.interval, bar.time),
        document,
        Mode.UPSERT if bar.closed else Mode.UNLESS_CLOSED,
        (origin,),
    )


def series_writes(series: AnySeries, origin: Origin, end: int | None = None) -> list[Write]:
    """Return the writes of the bars of a series, those before row ``end``, without indicators."""
    return [bar_write(bar, origin) for bar in bars_of(series, 0, end)]


def snapshot_write(snapshot: IndicatorSnapshot, origin: Origin) -> Write:
    """Return the write of indicators that others computed: beside ours, on the same bar."""
    document: Document = {
        "ticker": snapshot.ticker,
        "interval": snapshot.interval,
        "time": as_date(snapshot.time),
        "indicators": dict(snapshot.values),
    }
    if snapshot.source == INTEGRATION_TEST:
        # Else the source is the bar's; this mark lets such documents be found and removed.
        document["source"] = snapshot.source
    return Write(
        STOCK_PRICES,
        bar_id(snapshot.ticker, snapshot.interval, snapshot.time),
        document,
        Mode.UPSERT,
        (origin,),
    )


def news_write(item: NewsItem, origin: Origin) -> Write:
    """Return the write of a news item."""
    return Write(NEWS, f"{item.ticker}|{item.id}", dated(item.asdict()), Mode.UPSERT, (origin,))


def post_write(post: SocialPost, origin: Origin) -> Write:
    """Return the write of a post, into the collection of its platform."""
    collection = TWITTER if post.platform == "twitter" else REDDIT
    return Write(
        collection, f"{post.ticker}|{post.id}", dated(post.asdict()), Mode.UPSERT, (origin,)
    )


def observation_write(observation: EconomicObservation, origin: Origin) -> Write:
    """Return the write of an observation; each revision is a document of its own."""
    period, known = (_iso(t) for t in (observation.time, observation.realtime_start))
    return Write(
        ECONOMY,
        f"{observation.series}|{period}|{known}",
        dated(observation.asdict()),
        Mode.UPSERT,
        (origin,),
    )


#: What a good message of each topic becomes, where that is one document.
_WRITES: dict[str, Callable[[Any, Origin], Write]] = {
    "stock-prices": bar_write,
    "technical-indicators": snapshot_write,
    "financial-news": news_write,
    "twitter-sentiment": post_write,
    "reddit-sentiment": post_write,
    "economic-indicators": observation_write,
}


def writes_of(topic: str, record: Any, origin: Origin) -> list[Write]:
    """Return what a good message of any topic becomes; nothing where it makes no document."""
    if topic == "price-history":
        return series_writes(record, origin)
    make = _WRITES.get(topic)
    return [] if make is None else [make(record, origin)]


def alert_write(alert: Mapping[str, Any], deliveries: Mapping[str, str] | None = None) -> Write:
    """Return the write of an alert, which stands as it was first stored.

    Args:
        alert: its fields.
        deliveries: what has become of it, by webhook; they are set also where it is stored already.
    """
    document = dated(alert)
    if deliveries is None:
        return Write(ALERTS, alert["id"], document, Mode.INSERT_ONLY)
    document["deliveries"] = dict(deliveries)
    return Write(ALERTS, alert["id"], document, Mode.UPSERT)


def dead_letter_write(origin: Origin, *, error: str, agent: str, time_ms: int) -> Write:
    """Return the write of a message that could not be processed, whole if a document can hold it.

    Compressed on its way, a message may be far larger than brokers let pass.
    """
    return Write(
        DEAD_LETTERS,
        f"{origin.topic}|{origin.partition}|{origin.offset}",
        {
            "topic": origin.topic,
            "partition": origin.partition,
            "offset": origin.offset,
            "key": None if origin.key is None else origin.key[:MOST_KEY_BYTES],
            "value": None if origin.value is None else origin.value[:MOST_VALUE_BYTES],
            "size": 0 if origin.value is None else len(origin.value),
            "error": bounded(error),
            "agent": agent,
            "time": as_date(time_ms),
        },
        Mode.INSERT_ONLY,
    )


def _iso(time_ms: int) -> str:
    date = as_date(time_ms)
    if time_ms % 86_400_000 == 0:
        return date.date().isoformat()
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dated(fields: Mapping[str, Any]) -> Document:
    """Return the fields of a Record with its times as dates."""
    times = ("time", "ingested", "realtime_start")
    return {name: as_date(value) if name in times else value for name, value in fields.items()}
