"""The stages of a worker without its servers: what they store stays in memory, nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from faust import Record

from agents import news, social
from agents.alerts import Alerts, TrendAlertsStage
from agents.economy import Broadcast, EconomyStage
from agents.history import HistoryStage
from agents.macro import MacroStage
from agents.prices import PricesStage
from agents.sentiment import SentimentStage
from agents.services import Services
from agents.stage import Stage
from agents.trends import InputTables, Trends
from alerts import RuleBook
from config import read_settings
from indicators import parse
from models import COMMAND, SERIES_UPDATE, TREND, SeriesUpdate
from sinks import MemorySink, Origin, Sink, Writer
from sinks.base import Document
from tables.indicators import IndicatorTable
from tables.live import LiveTable
from tables.sentiment import SentimentTable
from tables.series import EconomyTable, MacroTable
from topics import ALERTS, COMMANDS, DATA_TOPICS, MACRO_BACKDROP, PRICE_HISTORY, TRENDS
from transport import Batch, BatchingApp
from transport.checkpoint import Rows

KINDS = ("news", "twitter", "reddit")


class MemoryServices(Services):
    """Services whose writers all fill one sink."""

    def __init__(self, app: BatchingApp, settings: Any) -> None:
        super().__init__(app, settings)
        self.sink = MemorySink()

    def writer(self, agent: str, sink: Sink | None = None) -> Writer:
        """Return a writer to the one sink."""
        return super().writer(agent, self.sink)


class MemoryWorker:
    """The stages that have state, as the app joins them, and a checkpoint by hand."""

    def __init__(self, book: RuleBook | None = None, **settings: Any) -> None:
        self.settings = read_settings(_env_file=None, **settings)
        app = BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://")
        self.services = MemoryServices(app, self.settings)
        self.prices = IndicatorTable(app, parse(self.settings.indicators))
        half_life_s = self.settings.sentiment_half_life_s
        self.sentiments = {kind: SentimentTable(app, kind, half_life_s) for kind in KINDS}
        self.economy, self.macro = EconomyTable(app), MacroTable(app)
        inputs = InputTables(self.prices, self.sentiments, self.macro)
        self.trends = Trends(app, self.services, inputs)
        self.alerts = Alerts(app, self.services, book or RuleBook())
        self.broadcast = Broadcast(self.services, self.economy)
        prices = PricesStage(self.services, self.prices, self.trends, self.alerts.about("bar"))
        self.stages: Mapping[str, Stage] = {
            "prices": prices,
            "history": HistoryStage(self.services, prices),
            "news": self._texts("news", news.text, news.to_writes, lambda _: 1.0),
            **{
                name: self._texts(name, social.text, social.to_writes_of(name), social.weight)
                for name in ("twitter", "reddit")
            },
            "economy": EconomyStage(self.services, self.economy, self.broadcast),
            "macro": MacroStage(self.services, self.macro, self.trends),
            "trends": TrendAlertsStage(self.services, self.alerts),
        }
        self.tables: list[LiveTable[Any]] = [
            self.alerts.table,
            self.prices,
            *self.sentiments.values(),
            self.economy,
            self.macro,
            self.trends.table,
        ]
        #: What was sent to `trends`, in order.
        self.published: list[dict[str, Any]] = []
        #: What was sent to `alerts`, in order.
        self.alerted: list[dict[str, Any]] = []
        #: Tickers that were ordered to be computed again.
        self.recomputed: list[str] = []
        #: Messages of `macro-backdrop` that no checkpoint has saved.
        self._uncommitted: list[tuple[SeriesUpdate, Origin]] = []
        self._offsets: dict[tuple[str, int], int] = {}

    def _texts(self, kind: str, text: Any, to_writes: Any, weight: Any) -> SentimentStage:
        return SentimentStage(
            self.services,
            kind,
            DATA_TOPICS[kind],
            text=text,
            to_writes=to_writes,
            weight=weight,
            table=self.sentiments[kind],
            trends=self.trends,
            alerts=self.alerts.about(kind),
        )

    def origin(self, kind: str, key: str, partition: int | None = None) -> Origin:
        """Return where the next message of a topic is."""
        place = self.services.partition_of(key) if partition is None else partition
        offset = self._offsets[kind, place] = self._offsets.get((kind, place), -1) + 1
        derived = {"macro": MACRO_BACKDROP, "trends": TRENDS, "history": PRICE_HISTORY}
        topic = derived.get(kind) or DATA_TOPICS[kind]
        return Origin(topic.name, place, offset, key.encode(), b"{}")

    def apply(self, kind: str, record: Any, origin: Origin | None = None) -> Origin:
        """Apply one Record of a kind, by default as the next message of its topic."""
        if origin is None:
            key = record.series if kind == "economy" else record.ticker
            origin = self.origin(kind, key)
        # A stage may write into a Record; a message comes as new every time.
        stage = self.stages[kind]
        stage.begin()
        writes = [*stage.apply(_copy(record), origin)]
        writes += stage.complete()
        self.services.sink.write(writes)
        return origin

    async def process(self, kind: str, batch: Batch) -> None:
        """Put a batch through the stage of its kind, until it is stored; nothing is sent."""
        stage = self.stages[kind]
        self.services.outbox.post = lambda: None  # type: ignore[method-assign]
        await stage.process(batch)
        await stage.writer.flushed(stage.writer.cut())

    def apply_all(self, messages: Iterable[tuple[str, Any]]) -> None:
        """Apply Records of several kinds."""
        for kind, record in messages:
            self.apply(kind, record)

    async def checkpoint(self) -> None:
        """Make a cut, store and send all, keep the rows: a checkpoint, save the changelog."""
        self._uncommitted.clear()
        rows = await self._cut()
        for table, changed in rows:
            table.keep(changed)
        self._deliver()

    async def half_checkpoint(self, saved: int) -> None:
        """Make one that ends when so many tables are saved, in the order of the app."""
        for table, changed in (await self._cut())[:saved]:
            table.keep(changed)
        self.crash()

    async def _cut(self) -> list[tuple[LiveTable[Any], Rows]]:
        self.broadcast.cut()
        self.trends.cut()
        self.alerts.cut()
        marks = [(writer, writer.cut()) for writer in (self.trends.writer, self.alerts.writer)]
        rows = [(table, table.cut()) for table in self.tables]
        for writer, mark in marks:
            await writer.flushed(mark)
        return rows

    def crash(self) -> None:
        """Lose what no checkpoint has saved; of the backdrop, it comes again."""
        for table in self.tables:
            table.void()
        for store in (self.trends, self.alerts, self.broadcast, self.services.outbox):
            store.void()
        for update, origin in self._uncommitted:
            self.apply("macro", update, origin)

    def close(self) -> None:
        """End what was started."""
        self.services.close()

    def documents(self, collection: str) -> dict[str, Document]:
        """Return what is stored."""
        return self.services.sink.collections[collection]

    def _deliver(self) -> None:
        """Bring what was sent to where it is read."""
        gathered = dict(self.services.outbox._gathered)
        self.services.outbox.void()
        for (topic, partition), messages in gathered.items():
            for key, value in messages:
                if topic == TRENDS.name:
                    self.published.append(orjson.loads(value))
                    self.apply("trends", TREND.decode(key, value))
                if topic == ALERTS.name:
                    self.alerted.append(orjson.loads(value))
                if topic == COMMANDS.name:
                    self.recomputed.append(COMMAND.decode(key, value).ticker)
                if topic == MACRO_BACKDROP.name:
                    update = SERIES_UPDATE.decode(key, value)
                    origin = self.origin("macro", update.series, partition)
                    self.apply("macro", update, origin)
                    self._uncommitted.append((update, origin))


def _copy(record: Record) -> Record:
    return record.derive()
