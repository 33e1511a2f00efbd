"""Compares what is stored with what was sent, value by value: the judge of the other tests."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from pymongo.database import Database

from indicators import Ohlcv, parse
from models import BAR, Bar
from sinks.base import Document
from sinks.documents import STOCK_PRICES, as_date
from tests.indicators.reference import differences, near_flat, reference

FIELDS = ("open", "high", "low", "close", "volume", "adjusted_close", "source", "closed")

#: A Monday in 2024, 00:00 UTC.
START_MS = 1_704_672_000_000


def random_bars(
    tickers: Sequence[str], count: int, *, interval: str = "1m", seed: int = 1
) -> list[Bar]:
    """Return ``count`` closed bars of each ticker, tickers interleaved, on a random walk."""
    chance = random.Random(seed)
    prices = {ticker: chance.uniform(5, 500) for ticker in tickers}
    bars = []
    for index in range(count):
        for ticker in tickers:
            opening = prices[ticker]
            close = prices[ticker] = opening * (1 + chance.gauss(0, 0.01))
            bars.append(
                BAR.parse(
                    {
                        "ticker": ticker,
                        "interval": interval,
                        "time": START_MS + 60_000 * index,
                        "open": opening,
                        "high": max(opening, close) * 1.001,
                        "low": min(opening, close) * 0.999,
                        "close": close,
                        "volume": float(chance.randint(0, 10_000)),
                        "source": "test",
                        "ingested": START_MS,
                    }
                )
            )
    return bars


def wrong(database: Database[Document], sent: Iterable[Bar], specification: str) -> list[str]:
    """Return what is missing, doubled or different, in words; nothing where all is right.

    Indicators are compared with `ta`, computed at once over all bars of a ticker and interval.
    """
    groups: dict[tuple[str, str], dict[int, Bar]] = defaultdict(dict)
    for one in sent:
        groups[one.ticker, one.interval][one.time] = one
    found = []
    for (ticker, interval), bars in groups.items():
        where = {"ticker": ticker, "interval": interval}
        stored = list(database[STOCK_PRICES].find(where).sort("time"))
        found += [f"{ticker} {interval}: {text}" for text in _wrong(stored, bars, specification)]
    return found


def _wrong(stored: list[Document], bars: dict[int, Bar], specification: str) -> list[str]:
    expected = [bars[time] for time in sorted(bars)]
    if [one["time"] for one in stored] != [as_date(one.time) for one in expected]:
        return [f"{len(stored)} documents for {len(expected)} bars, or at other times"]
    found = []
    for document, one in zip(stored, expected, strict=True):
        for name in FIELDS:
            if document[name] != getattr(one, name):
                found.append(f"{document['_id']}: {name} is {document[name]!r}")
        if "indicators" not in document:
            found.append(f"{document['_id']}: no indicators")
    if found:
        return found
    history = [Ohlcv(one.open, one.high, one.low, one.close, one.volume) for one in expected]
    asked = parse(specification)
    return differences(
        (document["indicators"] for document in stored),
        reference(history, asked),
        max(one.high for one in history),
        {"cci": near_flat(history, 20)},
    )
