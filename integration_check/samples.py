"""Test data of all six kinds: what is sent, and the documents that it must become.

The documents are written out here, not made by the code under test. Everything is the only one of
its kind: times lie between 1970 and 2001 at bars of seven seconds, which nobody trades, and names
carry the run.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka_producer import FinancialDataProducer
from models import INTEGRATION_TEST
from sinks.base import POSITIONS

INTERVAL = "7s"
_STEP_MS = 7_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Document = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """What makes one run's data unlike those of all others.

    ``time`` and ``now`` are ms since the epoch: of the first bar, and of the run.
    """

    name: str = field(default_factory=lambda: secrets.token_hex(6))
    time: int = field(default_factory=lambda: secrets.randbelow(140_000_000) * _STEP_MS + 1_000)
    now: int = field(default_factory=lambda: time.time_ns() // 1_000_000)


@dataclass(frozen=True)
class Expected:
    """One document as it must be stored.

    Attributes:
        collection: where.
        identity: the fields by which there must be exactly one.
        document: all its fields.
        ignored: fields that another check looks at, or that follow from the message's place.
    """

    collection: str
    identity: Document
    document: Document
    ignored: frozenset[str] = frozenset({POSITIONS})

    @property
    def id(self) -> str:
        """Its ``_id``."""
        name: str = self.document["_id"]
        return name


@dataclass(frozen=True)
class Sample:
    """Test data of one kind for one ticker.

    Attributes:
        title: what it is, for people.
        kind: the name in the consumer's counts.
        send: sends it; returns how many messages the broker acknowledged.
        messages: how many these are.
        documents: what they must become.
    """

    title: str
    kind: str
    send: Callable[[FinancialDataProducer], int]
    messages: int
    documents: Sequence[Expected]


def samples(run: Run, tickers: Sequence[str]) -> list[Sample]:
    """Return the test data of a run, six kinds for each ticker."""
    return [
        sample
        for number, ticker in enumerate(tickers)
        for sample in (
            _prices(run, ticker),
            _indicator(run, ticker),
            _news(run, ticker),
            _post(run, ticker, "twitter"),
            _post(run, ticker, "reddit"),
            _economy(run, ticker, number),
        )
    ]


def bad_bar(run: Run) -> tuple[Document, str]:
    """Return a bar that must be refused, and the field at fault."""
    return _bar(run, 0, 10.0) | {"high": 1.0}, "high"


def _bar(run: Run, number: int, price: float, *, closed: bool = True) -> Document:
    return {
        "interval": INTERVAL,
        "time": run.time + number * _STEP_MS,
        "open": price,
        "high": price + 2.5,
        "low": price - 1.25,
        "close": price + 0.5,
        "volume": 1_000.0 + number,
        "adjusted_close": price - 0.125,
        "source": INTEGRATION_TEST,
        "closed": closed,
        "ingested": run.now,
    }


def _bar_document(ticker: str, bar: Document) -> Document:
    return {
        "_id": f"{ticker}|{bar['interval']}|{bar['time']}",
        "ticker": ticker,
        **_dated(bar),
    }


def _prices(run: Run, ticker: str) -> Sample:
    rows = [
        _bar(run, 0, 10.0),
        # What is known in the end replaces what was known before...
        _bar(run, 1, 20.0, closed=False),
        _bar(run, 1, 21.0),
        # ...and not the other way round.
        _bar(run, 2, 30.0),
        _bar(run, 2, 31.0, closed=False),
        _bar(run, 3, 40.0, closed=False),
    ]
    stored = [_bar_document(ticker, rows[number]) for number in (0, 2, 3, 5)]
    elsewhere = frozenset({"indicators", POSITIONS})
    return Sample(
        f"{ticker}: stock prices",
        "prices",
        lambda producer: producer.produce_stock_data(ticker, rows),
        len(rows),
        [
            Expected("stock_prices", _only(document, "interval", "time"), document, elsewhere)
            for document in stored
        ],
    )


def _indicator(run: Run, ticker: str) -> Sample:
    name = f"integration_test_{run.name}"
    bar = _bar(run, 0, 10.0)
    row = {"value": 0.625} | {key: bar[key] for key in ("time", "interval", "source")}
    document = _bar_document(ticker, bar) | {"indicators": {name: 0.625}}
    return Sample(
        f"{ticker}: technical indicator, on its bar",
        "indicators",
        lambda producer: producer.produce_indicator_data(ticker, name, row),
        1,
        [Expected("stock_prices", _only(document, "interval", "time"), document)],
    )


def _news(run: Run, ticker: str) -> Sample:
    row = {
        "id": f"integration-test-{run.name}",
        "time": run.time,
        "title": f"Test of {ticker}: größer ≥ kleiner",
        "summary": "First line\nSecond line",
        "url": f"https://news.example/{run.name}",
        "publisher": "Integration Test",
        "sentiment": 0.25,
        "source": INTEGRATION_TEST,
        "ingested": run.now,
    }
    document = {"_id": f"{ticker}|{row['id']}", "ticker": ticker, **_dated(row)}
    return Sample(
        f"{ticker}: financial news",
        "news",
        lambda producer: producer.produce_news_data(ticker, row),
        1,
        [Expected("news", _only(document, "id"), document)],
    )


def _post(run: Run, ticker: str, platform: str) -> Sample:
    row = {
        "id": f"integration-test-{run.name}",
        "time": run.time,
        "text": f"${ticker} on {platform} 🚀",
        "author": "integration-test",
        "sentiment": -0.5,
        "engagement": 7.0,
        "url": f"https://{platform}.example/{run.name}",
        "source": INTEGRATION_TEST,
        "ingested": run.now,
    }
    document = {
        "_id": f"{ticker}|{row['id']}",
        "ticker": ticker,
        "platform": platform,
        **_dated(row),
    }

    def send(producer: FinancialDataProducer) -> int:
        if platform == "twitter":
            return producer.produce_twitter_sentiment(ticker, row)
        return producer.produce_reddit_sentiment(ticker, row)

    collection = f"{platform}_sentiment"
    expected = Expected(collection, _only(document, "id"), document)
    return Sample(f"{ticker}: {platform} sentiment", platform, send, 1, [expected])


def _economy(run: Run, ticker: str, number: int) -> Sample:
    # A ticker may hold characters that a series' name may not.
    series = f"INTEGRATION-TEST-{run.name}-{number}"
    day = _date(run.time).replace(hour=0, minute=0, second=0)
    published = day + timedelta(days=30)
    row = {
        "time": day,
        "value": -3.75,
        "realtime_start": published,
        "title": f"Test beside {ticker}",
        "units": "Percent",
        "frequency": "Monthly",
        "source": INTEGRATION_TEST,
        "ingested": run.now,
    }
    document = {
        "_id": f"{series}|{day.date()}|{published.date()}",
        "series": series,
        **_dated(row),
    }
    return Sample(
        f"{ticker}: economic indicator",
        "economy",
        lambda producer: producer.produce_economic_data(series, row),
        1,
        [
            Expected(
                "economic_indicators",
                {name: document[name] for name in ("series", "time", "realtime_start")},
                document,
            )
        ],
    )


def _only(document: Document, *names: str) -> Document:
    return {name: document[name] for name in ("ticker", *names)}


def _date(time_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=time_ms)


def _dated(row: Document) -> Document:
    """Return the row with its times as MongoDB gives them back."""
    return {
        name: _date(value) if name in ("time", "ingested") and isinstance(value, int) else value
        for name, value in row.items()
    }
