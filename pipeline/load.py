"""The initial load: the history that MongoDB does not have yet, in bulk, oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config import Settings
from kafka_producer import FinancialDataProducer
from models import Bar, recompute_orders
from models.series import MOST_BARS
from sinks.base import Document
from sinks.documents import STOCK_PRICES, as_date, as_ms
from sinks.mongo import connect, database, unavailable
from sources.base import PriceSource
from topics import COMMANDS

#: Records handed to the producer at once; between two of them a stop is noticed.
CHUNK = 500
#: Bars of history handed to it at once: some messages.
BARS_AT_ONCE = 10 * MOST_BARS

#: Called with a ticker and how many of its bars the broker has acknowledged.
Report = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing of one ticker's history.

    Attributes:
        missing: the bars that MongoDB does not have, oldest first.
        total: how many bars the history has.
        late: whether a later bar is stored already. Then the missing ones come too late for its
            indicators, which must be computed again from the first bar on. Workers see to that
            where they have applied the later bar; where their state was lost, they cannot know.
    """

    missing: Sequence[Bar]
    total: int
    late: bool


def read_history(source: PriceSource, tickers: Sequence[str]) -> dict[str, list[Bar]]:
    """Return the history of each ticker, oldest bar first; also where an event loop runs already.

    Raises:
        UnknownKeys: the source does not have some of the tickers.
        SourceUnavailable: it cannot be used.
    """

    async def history() -> dict[str, list[Bar]]:
        return await source.history(tickers)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(history())).result()


def find_gaps(settings: Settings, history: Mapping[str, Sequence[Bar]]) -> dict[str, Gap]:
    """Return what MongoDB does not have of each ticker's history.

    Raises:
        StoreUnavailable: MongoDB does not answer.
    """
    try:
        with connect(settings) as client:
            collection = database(client, settings)[STOCK_PRICES]
            # From the index alone: of those that are new, nothing else has to be asked.
            known = set(collection.distinct("ticker"))
            return {
                ticker: _gap(collection, bars)
                if ticker in known
                else Gap(bars, len(bars), late=False)
                for ticker, bars in history.items()
            }
    except PyMongoError as error:
        raise unavailable(settings.mongodb_address, error) from error


def load(
    producer: FinancialDataProducer, gaps: Mapping[str, Gap], report: Report, stop: Event
) -> int:
    """Produce the missing bars, ticker by ticker; return how many the broker acknowledged.

    Args:
        producer: sends them.
        gaps: what is missing (see :func:`find_gaps`).
        report: told of the progress.
        stop: ends the load between two chunks. What is missing then is found the next time.

    Raises:
        BrokerUnavailable: Kafka did not acknowledge in time.
    """
    sent = 0
    for ticker, gap in gaps.items():
        if gap.missing:
            report(ticker, 0)
        for start in range(0, len(gap.missing), BARS_AT_ONCE):
            if stop.is_set():
                return sent
            chunk = gap.missing[start : start + BARS_AT_ONCE]
            sent += producer.produce_history(chunk)
            report(ticker, start + len(chunk))
    return sent


def order_recompute(producer: FinancialDataProducer, tickers: Iterable[str]) -> None:
    """Have the workers rebuild tickers from their first stored bar.

    Raises:
        BrokerUnavailable: Kafka did not acknowledge in time.
    """
    producer.produce_records(COMMANDS, recompute_orders(tickers))


def _gap(collection: Collection[Document], bars: Sequence[Bar]) -> Gap:
    if not bars:
        return Gap((), 0, late=False)
    where = {"ticker": bars[0].ticker, "interval": bars[0].interval, "closed": True}
    until = {"$lte": as_date(bars[-1].time)}
    stored = {
        as_ms(document["time"])
        for document in collection.find(where | {"time": until}, {"_id": 0, "time": 1})
    }
    missing = [bar for bar in bars if bar.time not in stored]
    after = {"$gt": as_date(missing[0].time)} if missing else {}
    late = bool(missing) and collection.find_one(where | {"time": after}) is not None
    return Gap(missing, len(bars), late)
