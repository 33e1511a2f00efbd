"""The numbers of a running pipeline, from Kafka and MongoDB."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pymongo.collection import Collection
from pymongo.errors import ExecutionTimeout, PyMongoError

from broker import Broker
from config import Settings
from pipeline.environment import derive
from pipeline.workers import WorkerStatus
from sinks.base import Document
from sinks.documents import (
    DATA_COLLECTIONS,
    DEAD_LETTERS,
    NEWS,
    SOURCE_CURSORS,
    STOCK_PRICES,
    TREND_COLLECTIONS,
    TRENDS,
    as_ms,
)
from sinks.mongo import connect, database, unavailable
from topics import COMMANDS, CONSUMED, DATA_TOPICS, MACRO_BACKDROP, PRICE_HISTORY

#: Longest wait for one answer of a server, in seconds: a display that waits shows old numbers.
ANSWER_TIMEOUT_S = 5.0
#: Tickers looked at one by one; a screen has no room for more.
MOST_TICKERS = 20
#: Counting the bars that have indicators reads them all: at most this part of the time goes there.
_COUNTING_SHARE = 0.05
_COUNTING_LIMIT_MS = 2_000


@dataclass(frozen=True, slots=True)
class KindStatus:
    """One kind of data, in messages and documents since the beginning of time.

    Attributes:
        topic: where its messages are.
        produced: messages ever produced: the sum of the topic's end offsets.
        stored: documents in MongoDB; of indicators, bars that have any. None if they could not be
            counted in time.
        lag: messages that no worker has processed and committed yet.
    """

    topic: str
    produced: int
    stored: int | None
    lag: int

    @property
    def processed(self) -> int:
        """Messages that workers are done with."""
        return self.produced - self.lag


@dataclass(frozen=True, slots=True)
class TickerStatus:
    """The last stored bar of a ticker; prices in the quote currency.

    ``change`` is the close over the one before it, less 1; None for a first bar. ``indicators`` are
    the values at this bar, by their names. ``trend`` is its direction and strength, ``up 63``; None
    while there is none.
    """

    ticker: str
    time: datetime
    close: float
    change: float | None
    closed: bool
    indicators: Mapping[str, float | None]
    trend: str | None = None


@dataclass(frozen=True, slots=True)
class Headline:
    """The latest news item about a ticker; ``sentiment`` is in -1..1, None if nobody judged it."""

    ticker: str
    time: datetime
    title: str
    sentiment: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All numbers, read one after the other at about the same time.

    Attributes:
        data: by kind, as in :data:`topics.DATA_TOPICS`; the history of prices is in none of them.
        history: messages of `price-history` that no worker has processed and committed yet.
        collections: documents by collection, dead letters included.
        waiting: orders, and updates of the macro backdrop, that are not worked off yet.
        tickers: the last bar of each ticker that has one, at most :data:`MOST_TICKERS`.
        headlines: the latest of each ticker that has one, of the same tickers.
        cursors: how far the price source has fetched, ms since the epoch, by ticker.
        at: when, in monotonic seconds.
    """

    data: Mapping[str, KindStatus]
    history: int
    collections: Mapping[str, int]
    waiting: int
    tickers: Mapping[str, TickerStatus]
    headlines: Mapping[str, Headline]
    cursors: Mapping[str, int]
    at: float = field(default_factory=time.monotonic)

    @property
    def lag(self) -> int:
        """Messages not processed yet, on all topics that workers consume."""
        return self.waiting + self.history + sum(kind.lag for kind in self.data.values())

    @property
    def dead_letters(self) -> int:
        """Messages that could not be processed."""
        return self.collections[DEAD_LETTERS]


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """The pipeline as it is now.

    Attributes:
        workers: those started here; empty if none were.
        data: by kind: ``prices``, ``indicators``, ``news``, ``twitter``, ``reddit``, ``economy``.
        dead_letters: documents in the collection of that name.
        lag: messages not processed yet, on all topics that workers consume.
    """

    workers: tuple[WorkerStatus, ...]
    data: Mapping[str, KindStatus]
    dead_letters: int
    lag: int


class Gauges:
    """Reads the numbers. Blocking, for use by one thread.

    Args:
        settings: where the servers are, and the workers' APP_ID; PRICE_SOURCE and BAR_INTERVAL say
            which cursors and bars belong to the tickers.
        tickers: those to look at one by one.

    Every method raises BrokerUnavailable or StoreUnavailable if a server does not answer within
    :data:`ANSWER_TIMEOUT_S`.
    """

    def __init__(self, settings: Settings, tickers: Sequence[str] = ()) -> None:
        self._settings = settings
        self._tickers = tuple(tickers)
        self._open = ExitStack()
        patience_s = min(ANSWER_TIMEOUT_S, settings.kafka_timeout_s)
        self._broker = self._open.enter_context(Broker(settings, patience_s))
        patience_s = min(ANSWER_TIMEOUT_S, settings.mongodb_timeout_s)
        client = self._open.enter_context(connect(derive(settings, mongodb_timeout_s=patience_s)))
        self._database = database(client, settings)
        self._indicated = _IndicatedBars(self._database[STOCK_PRICES])

    def __enter__(self) -> Gauges:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the connections; may be called again."""
        self._open.close()

    def read(self, *, exact: bool = False) -> Reading:
        """Return all numbers.

        Args:
            exact: count the bars with indicators now; else the last count may be a while old.
        """
        produced, lag = self._offsets()
        with self._explained():
            counts = {
                name: self._database[name].estimated_document_count()
                for name in (*DATA_COLLECTIONS.values(), *TREND_COLLECTIONS, DEAD_LETTERS)
            }
            stored: dict[str, int | None] = {
                kind: counts[collection] for kind, collection in DATA_COLLECTIONS.items()
            }
            stored["indicators"] = self._indicated.count(now=exact)
            tickers = dict(self._last_bars())
            headlines = dict(self._last_news())
            cursors = self._cursors()
        data = {
            kind: KindStatus(spec.name, produced[spec.name], stored[kind], lag[spec.name])
            for kind, spec in DATA_TOPICS.items()
        }
        waiting = lag[COMMANDS.name] + lag[MACRO_BACKDROP.name]
        history = lag[PRICE_HISTORY.name]
        return Reading(data, history, counts, waiting, tickers, headlines, cursors)

    def lag(self) -> int:
        """Return how many messages are not processed yet, on all topics that workers consume."""
        return sum(self._broker.lag(self._settings.app_id, CONSUMED).values())

    def _offsets(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return what was ever produced, and what is not processed yet, by topic."""
        done = self._broker.committed(self._settings.app_id)
        starts = self._broker.start_offsets(CONSUMED)
        # Last, so that what comes in meanwhile counts as lag and not as done.
        ends = self._broker.end_offsets(CONSUMED)
        produced, lag = dict.fromkeys(CONSUMED, 0), dict.fromkeys(CONSUMED, 0)
        for place, end in ends.items():
            produced[place[0]] += end
            lag[place[0]] += max(0, end - max(done.get(place, 0), starts.get(place, 0)))
        return produced, lag

    def _last_bars(self) -> Iterable[tuple[str, TickerStatus]]:
        trends = self._trends()
        for ticker in self._tickers[:MOST_TICKERS]:
            where = {
                "ticker": ticker,
                "interval": self._settings.bar_interval,
                # Indicators of others can stand there without a bar.
                "close": {"$exists": True},
            }
            found = list(self._database[STOCK_PRICES].find(where).sort("time", -1).limit(2))
            if found:
                last, before = found[0], found[1] if len(found) > 1 else None
                earlier = None if before is None else before["close"]
                yield (
                    ticker,
                    TickerStatus(
                        ticker,
                        last["time"],
                        last["close"],
                        last["close"] / earlier - 1 if earlier else None,
                        last["closed"],
                        last.get("indicators", {}),
                        trends.get(ticker),
                    ),
                )

    def _last_news(self) -> Iterable[tuple[str, Headline]]:
        for ticker in self._tickers[:MOST_TICKERS]:
            last = self._database[NEWS].find_one({"ticker": ticker}, sort=[("time", -1)])
            if last is not None:
                yield ticker, Headline(ticker, last["time"], last["title"], last["sentiment"])

    def _trends(self) -> dict[str, str]:
        where = {"_id": {"$in": list(self._tickers[:MOST_TICKERS])}}
        found = self._database[TRENDS].find(where, {"direction": 1, "strength": 1})
        return {one["_id"]: f"{one['direction']} {one['strength']:.0f}" for one in found}

    def _cursors(self) -> dict[str, int]:
        source = self._settings.price_source
        if source == "none" or not self._tickers:
            return {}
        ids = [f"{source}|{ticker}" for ticker in self._tickers]
        found = self._database[SOURCE_CURSORS].find({"_id": {"$in": ids}})
        return {document["key"]: as_ms(document["since"]) for document in found}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except PyMongoError as error:
            raise unavailable(self._settings.mongodb_address, error) from error


class _IndicatedBars:
    """How many bars have indicators: what "stored" means for that kind, which has no collection.

    There is no cheap exact number, so it is counted now and then, the less often the longer it
    takes.
    """

    def __init__(self, collection: Collection[Document]) -> None:
        self._collection = collection
        self._count: int | None = None
        self._due = 0.0

    def count(self, *, now: bool) -> int | None:
        """Return the last count, after counting again if that is due; None if it takes too long."""
        began = time.monotonic()
        if not now and began < self._due:
            return self._count
        try:
            self._count = self._collection.count_documents(
                {"indicators": {"$exists": True}}, maxTimeMS=_COUNTING_LIMIT_MS
            )
        except ExecutionTimeout:
            self._count = None
        ended = time.monotonic()
        self._due = ended + (ended - began) / _COUNTING_SHARE
        return self._count
