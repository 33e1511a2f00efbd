"""What alert rules would have fired over what is stored of a ticker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from alerts import BAR, NEWS, REDDIT, TREND, TWITTER, AlertState, Event, RuleBook
from alerts.names import PRICES
from config import Settings
from errors import StoreUnavailable
from indicators.rolling_sentiment import RollingSentiment, attention
from models import INTEGRATION_TEST
from sinks import documents
from sinks.base import Document
from sinks.documents import as_ms
from sinks.mongo import connect, database

_TEXTS = {NEWS: documents.NEWS, TWITTER: documents.TWITTER, REDDIT: documents.REDDIT}


class Trial:
    """Looks at the stored messages of a ticker with rules, in the order of time.

    As a worker would have that got them in this order: closed bars with the values that are stored
    at them, texts with their sentiment, trends as they were published.

    Attributes:
        looked_at: how many messages of each stream there were.
    """

    def __init__(self, settings: Settings, book: RuleBook) -> None:
        self.looked_at: Counter[str] = Counter()
        self._settings = settings
        self._book = book

    def run(self, ticker: str) -> list[dict[str, Any]]:
        """Return the alerts of a ticker, in the order of time. Blocking.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        found: list[dict[str, Any]] = []
        try:
            with connect(self._settings) as client:
                store = database(client, self._settings)
                for stream in (BAR, *_TEXTS, TREND):
                    found += self._stream(store, stream, ticker)
        except PyMongoError as error:
            raise StoreUnavailable(self._settings.mongodb_address, str(error)) from error
        return sorted(found, key=lambda alert: (alert["time"], alert["id"]))

    def _stream(
        self, store: Database[Document], stream: str, ticker: str
    ) -> Iterator[dict[str, Any]]:
        if not self._book.reads(stream):
            return
        state = AlertState(0)
        for event in self._events(store, stream, ticker):
            self.looked_at[stream] += 1
            rules = self._book.at(stream, ticker, event.interval)
            for firing in state.take(rules, event):
                yield firing.alert(ticker)

    def _events(self, store: Database[Document], stream: str, ticker: str) -> Iterator[Event]:
        if stream == BAR:
            return _bars(store, ticker)
        if stream == TREND:
            return _trends(store, ticker)
        rolling = RollingSentiment(self._settings.sentiment_half_life_s)
        return _texts(store, stream, ticker, rolling)


def _bars(store: Database[Document], ticker: str) -> Iterator[Event]:
    where = {"ticker": ticker, "closed": True, "indicators": {"$exists": True}}
    for one in _in_order(store, documents.STOCK_PRICES, where):
        values = {**one["indicators"], **{name: one[name] for name in PRICES}}
        time = as_ms(one["time"])
        yield Event(f"{one['interval']}|{time}", time, values, one["interval"])


def _texts(
    store: Database[Document], stream: str, ticker: str, rolling: RollingSentiment
) -> Iterator[Event]:
    where = {"ticker": ticker, "sentiment": {"$type": "number"}}
    for one in _in_order(store, _TEXTS[stream], where):
        time = as_ms(one["time"])
        weight = 1.0 if stream == NEWS else attention(one.get("engagement", 0.0))
        rolling.add(one["id"], time, one["sentiment"], weight)
        values = {
            f"{stream}.sentiment": rolling.mean,
            f"{stream}.latest": one["sentiment"],
            f"{stream}.count": rolling.count,
        }
        yield Event(f"{stream}|{one['id']}", time, values)


def _trends(store: Database[Document], ticker: str) -> Iterator[Event]:
    for one in _in_order(store, documents.TREND_HISTORY, {"ticker": ticker}):
        values = {
            "trend": one["direction"],
            "trend.strength": one["strength"],
            "trend.confidence": one["confidence"],
        }
        time = as_ms(one["time"])
        yield Event(f"trend|{time}|{one['version']}", time, values)


def _in_order(store: Database[Document], name: str, where: Document) -> Iterator[Document]:
    no_tests = {"source": {"$ne": INTEGRATION_TEST}}
    yield from store[name].find({**where, **no_tests}).sort([("time", 1), ("_id", 1)])
