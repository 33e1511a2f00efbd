"""The bars that all contestants work through: a seeded random walk per ticker, interleaved."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from config import Settings
from delivery import Sender
from indicators import Ohlcv
from models import BAR, Bar

#: A Monday in 2024, 00:00 UTC.
START_MS = 1_704_672_000_000
MINUTE_MS = 60_000
#: Bars handed to the producer at once.
_CHUNK = 10_000


@functools.lru_cache(maxsize=65_536)
def ticker_name(number: int) -> str:
    """The name of a ticker: T00000, T00001, ..."""
    return f"T{number:05d}"


def bars(tickers: int, first_index: int = 0) -> Iterator[dict[str, Any]]:
    """Bars without end, as the fields of a :class:`models.Bar`: one of each ticker, then the next.

    The n-th bar of a ticker is the same however many tickers there are beside it.

    Args:
        tickers: how many tickers.
        first_index: the index of the first bar of each; bars before it are left out.
    """
    walks = [_walk(number, first_index) for number in range(tickers)]
    while True:
        for walk in walks:
            yield next(walk)


def history(ticker: int, count: int) -> list[Ohlcv]:
    """The first ``count`` bars of one ticker, as indicators read them."""
    names = Ohlcv._fields
    return [Ohlcv(*(bar[name] for name in names)) for bar in islice(_walk(ticker, 0), count)]


def records(tickers: int, count: int) -> dict[str, list[Bar]]:
    """The first ``count`` bars in all, as Records, by ticker."""
    found: dict[str, list[Bar]] = {}
    for fields in islice(bars(tickers), count):
        found.setdefault(fields["ticker"], []).append(BAR.parse(fields))
    return found


def message(bar: dict[str, Any]) -> tuple[bytes, bytes]:
    """Key and value of the message that holds a bar."""
    return bar["ticker"].encode(), orjson.dumps(bar)


def produce(settings: Settings, topic: str, tickers: int, count: int, first_index: int = 0) -> None:
    """Put ``count`` bars on ``topic``, acknowledged.

    Raises:
        BrokerUnavailable: Kafka did not acknowledge in time.
    """
    sender = Sender(settings)
    stream = (message(bar) for bar in islice(bars(tickers, first_index), count))
    while chunk := list(islice(stream, _CHUNK)):
        sender.send(topic, chunk)
    sender.close()


def _walk(number: int, first_index: int) -> Iterator[dict[str, Any]]:
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
