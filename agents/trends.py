"""The trend of each ticker: evaluated and published when a checkpoint is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agents.services import Services
from models import TREND
from sinks import Write
from sinks.trends import trend_writes
from tables.indicators import IndicatorTable
from tables.sentiment import SentimentTable
from tables.series import MacroTable
from tables.trends import TrendTable
from topics import TRENDS
from transport import BatchingApp
from trend import NO_BAR, Backdrop, Inputs, Opinion, evaluate, leading, parse_weights


class InputTables(NamedTuple):
    """Where the latest state of each input is; the sentiments are by kind: ``news``, ..."""

    prices: IndicatorTable
    sentiments: Mapping[str, SentimentTable]
    macro: MacroTable


class Joined(NamedTuple):
    """What is known of a ticker at one moment.

    ``time`` is that of the newest bar, item or post, ms since the epoch; ``version`` is the sum of
    the offsets up to which the inputs have been applied.
    """

    time: int
    version: int
    inputs: Inputs


class Trends:
    """Evaluates the tickers of which anything has changed, at every cut of a checkpoint.

    A Store for checkpoints: a committed offset means that the trend of the state up to it is stored
    and published. So a ticker has at most one trend a checkpoint, and its last one always. Stages
    mark a ticker with every message of it, also with one that the state has seen before: after a
    crash its trend may not have been published.

    Collection `trends` always has the latest evaluation. What differs from the one published before
    goes to the topic and to the collection `trend_history` as well.
    """

    def __init__(self, app: BatchingApp, services: Services, inputs: InputTables) -> None:
        # Before the stores that it submits to, so that their marks cover what it submits.
        app.checkpoints.register_store(self)
        self.writer = services.writer("trends")
        #: To be registered after all tables of inputs: what says that a trend is published must not
        #: be ahead of what it was computed from.
        self.table = TrendTable(app)
        self.inputs = inputs
        self._services = services
        self._weights = parse_weights(services.settings.trend_weights)
        #: Tickers that changed, with their partition; and partitions of which all did.
        self._tickers: dict[str, int] = {}
        self._partitions: set[int] = set()

    def mark(self, ticker: str, partition: int) -> None:
        """Have the next checkpoint evaluate ``ticker``."""
        self._tickers[ticker] = partition

    def mark_partition(self, partition: int) -> None:
        """Have the next checkpoint evaluate all tickers of a partition that have a trend."""
        self._partitions.add(partition)

    def cut(self) -> None:
        """Evaluate what is marked, and hand it to writer and outbox."""
        tickers = self._take_marks()
        backdrops = {one: self.inputs.macro.backdrop(one) for one in set(tickers.values())}
        writes: list[Write] = []
        for ticker, partition in tickers.items():
            joined = self.join(ticker, partition, *backdrops[partition])
            if joined is not None:
                writes += self._publish(ticker, partition, joined)
        if writes:
            self.writer.submit(writes)

    async def flushed(self, mark: None) -> None:
        """Nothing is kept here: writer and outbox have marks of their own."""

    def void(self) -> None:
        """Forget the marks; the messages that made them will come again."""
        self._tickers.clear()
        self._partitions.clear()

    def join(
        self, ticker: str, partition: int, backdrop: Backdrop, macro_offset: int
    ) -> Joined | None:
        """Return what is known of a ticker; None while it had no bar, no item and no post."""
        times: list[int] = []
        version = macro_offset + 1
        bar = NO_BAR
        prices = self.inputs.prices.find(ticker, partition)
        if prices is not None:
            bar = leading(prices.last_bars())
            version += prices.offset + 1 + prices.history + 1
            if prices.newest is not None:
                times.append(prices.newest)
        found = {}
        for kind, table in self.inputs.sentiments.items():
            state = table.find(ticker, partition)
            if state is not None and state.rolling.newest is not None:
                found[kind] = state
                version += state.offset + 1
                times.append(state.rolling.newest)
        if not times:
            return None
        time = max(times)
        opinions: dict[str, Opinion] = {}
        for kind, state in found.items():
            opinion = state.opinion(time)
            if opinion is not None:
                opinions[kind] = opinion
        return Joined(time, version, Inputs(bar, opinions, backdrop))

    def _take_marks(self) -> dict[str, int]:
        tickers, self._tickers = self._tickers, {}
        partitions, self._partitions = self._partitions, set()
        for partition in partitions:
            tickers.update(dict.fromkeys(self.table.known(partition), partition))
        return tickers

    def _publish(self, ticker: str, partition: int, joined: Joined) -> Iterable[Write]:
        evaluation = evaluate(joined.inputs, self._weights)
        # Not a Record: making one takes longer than all the rest.
        trend: dict[str, Any] = {"ticker": ticker, "time": joined.time, "version": joined.version}
        trend.update(evaluation._asdict())
        self._services.counts["trends", "evaluated"] += 1
        published = self.table.of(ticker, partition)
        # Where these are the same, nothing but words and time has changed: all else follows.
        if published.says(evaluation.components, evaluation.weights):
            return trend_writes(trend, first=False, changed=False)
        first, message = published.is_first, TREND.dump(trend)
        published.publish(joined.version, message)
        self.table.mark_dirty(ticker)
        self._services.counts["trends", "published"] += 1
        self._services.outbox.add(TRENDS.name, partition, ticker.encode(), message)
        return trend_writes(trend, first=first, changed=True)
