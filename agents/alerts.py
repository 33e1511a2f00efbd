"""Alerts: rules are looked at where bars, texts and trends are applied, by the ticker's owner."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.structs import ConsumerRecord
from faust.types import StreamT

from agents.services import Services
from agents.stage import Stage
from alerts import BAR, TREND, Event, Firing, Rule, RuleBook
from indicators.rolling_sentiment import RollingSentiment
from models import ALERT, Bar, Trend
from models.quick import AnyBar, QuickBar
from models.quick_series import AnySeries
from sinks import Origin, Write
from sinks.documents import alert_write
from tables.alerts import AlertTable
from topics import ALERTS, TRENDS
from transport import BatchingApp

log = logging.getLogger(__name__)

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.WARNING}


class Silent(NamedTuple):
    """A source that has been silent of a ticker for too long.

    ``heard`` is when it was last heard, ``due`` when that became too long ago, ms since the epoch.
    """

    ticker: str
    partition: int
    rule: Rule
    source: str
    heard: int
    due: int


class Alerts:
    """Looks at rules, and hands what they fire to the writers and the outbox.

    A Store for checkpoints, whose cut decides on silences: nothing else writes the table without a
    message. Documents and messages of an alert are part of the checkpoint that covers the event.
    """

    def __init__(self, app: BatchingApp, services: Services, book: RuleBook) -> None:
        # Before the writer that it submits to, so that its mark covers what it submits.
        app.checkpoints.register_store(self)
        self.writer = services.writer("alerts")
        self.book = book
        #: Here, and so before all tables of inputs (see the table).
        self.table = AlertTable(app, book)
        app.checkpoints.register_state(self.table)
        self._services = services
        self._silent: list[Silent] = []

    def about(self, stream: str) -> Alerts | None:
        """Return self where any rule may be about messages of a stream, else None."""
        return self if self.book.reads(stream) or self.book.listened else None

    def bar(
        self, bar: AnyBar, indicators: Mapping[str, float | None], origin: Origin
    ) -> list[Write]:
        """Look at a bar that was applied; returns the documents of the alerts that it fires."""
        return self.bars([(bar, indicators)], origin)

    def reads(self, series: AnySeries) -> bool:
        """Whether any rule is about closed bars such as these, or listens to their source."""
        rules = self.book.at(BAR, series.ticker, series.interval, closed=True)
        return bool(rules) or series.source in self.book.listened

    def bars(
        self, bars: Sequence[tuple[AnyBar, Mapping[str, float | None]]], origin: Origin
    ) -> list[Write]:
        """Look at the bars of one message, which are of one interval, with their indicators.

        Returns the documents of the alerts that they fire.
        """
        first = bars[0][0]
        rules = self.book.at(BAR, first.ticker, first.interval, closed=first.closed)
        if not rules and first.source not in self.book.listened:
            return []
        events = [_event(bar, indicators if rules else None) for bar, indicators in bars]
        return self._take(rules, events, first, origin)

    def text(
        self, stream: str, record: Any, rolling: RollingSentiment, origin: Origin
    ) -> list[Write]:
        """Look at a text that was added up; returns the documents of the alerts that it fires."""
        rules = self.book.at(stream, record.ticker)
        values: dict[str, Any] = {}
        if rules:
            values = {
                f"{stream}.sentiment": rolling.mean,
                f"{stream}.latest": record.sentiment,
                f"{stream}.count": rolling.count,
            }
        newest = record.time if rolling.newest is None else rolling.newest
        return self._take(rules, [Event(f"{stream}|{record.id}", newest, values)], record, origin)

    def trend(self, trend: Trend, origin: Origin) -> list[Write]:
        """Look at a trend that was published; returns the documents of the alerts that it fires."""
        rules = self.book.at(TREND, trend.ticker)
        values = {
            "trend": trend.direction,
            "trend.strength": trend.strength,
            "trend.confidence": trend.confidence,
        }
        event = Event(f"trend|{trend.time}|{trend.version}", trend.time, values)
        return self._take(rules, [event], trend, origin)

    def silent(self, found: Sequence[Silent]) -> None:
        """Have the next checkpoint fire these silences, if they go on."""
        self._silent = list(found)

    def cut(self) -> None:
        """Fire silences, and hand them to writer and outbox."""
        silent, self._silent = self._silent, []
        writes: list[Write] = []
        for one in silent:
            state = self.table.find(one.ticker, one.partition)
            firing = state and state.silence(one.rule, one.source, one.heard, one.due)
            if firing:
                writes.append(self._publish(firing, one.ticker, one.partition))
                self.table.mark_dirty(one.ticker)
        if writes:
            self.writer.submit(writes)

    async def flushed(self, mark: None) -> None:
        """Nothing is kept here: writer and outbox have marks of their own."""

    def void(self) -> None:
        """Forget the silences; who found them will find them again."""
        self._silent.clear()

    def _take(
        self, rules: tuple[Rule, ...], events: Iterable[Event], record: Any, origin: Origin
    ) -> list[Write]:
        source = getattr(record, "source", None)
        heard = source is not None and source in self.book.listened
        if not rules and not heard:
            return []
        state = self.table.of(record.ticker, origin.partition)
        if not state.is_new(origin.topic, origin.offset):
            return []
        self.table.mark_dirty(record.ticker)
        if source is not None and heard:
            state.hear(source, record.ingested, of_prices=isinstance(record, Bar | QuickBar))
        return [
            self._publish(firing, record.ticker, origin.partition)
            for event in events
            for firing in state.take(rules, event)
        ]

    def _publish(self, firing: Firing, ticker: str, partition: int) -> Write:
        alert = firing.alert(ticker) | {"ingested": int(time.time() * 1000)}
        log.log(_LEVELS[firing.rule.severity], "alert %s: %s", firing.rule.name, alert["message"])
        self._services.counts["alerts", "fired"] += 1
        self._services.outbox.add(ALERTS.name, partition, ticker.encode(), ALERT.dump(alert))
        return alert_write(alert)


def _event(bar: AnyBar, indicators: Mapping[str, float | None] | None) -> Event:
    """Return the event of a bar; without values where no rule asks for them."""
    values: dict[str, Any] = {}
    if indicators is not None:
        values.update(indicators)
        values.update(open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume)
    return Event(f"{bar.interval}|{bar.time}", bar.time, values, bar.interval)


class TrendAlertsStage(Stage):
    """Looks at trends as they were published.

    Not where they are evaluated: which evaluations there are depends on when checkpoints are made,
    and after a crash they are others. What was published stands in its topic, in one order.
    """

    def __init__(self, services: Services, alerts: Alerts) -> None:
        super().__init__(services, "trend_alerts", TRENDS, alerts.writer)
        self._alerts = alerts
        self._wanted = alerts.book.reads(TREND)

    def one(self, message: ConsumerRecord) -> Sequence[Write]:
        """Pass all over, undecoded, where no rule is about trends."""
        return super().one(message) if self._wanted else ()

    def apply(self, trend: Trend, origin: Origin) -> Sequence[Write]:
        """Look at one trend; it is stored already."""
        return self._alerts.trend(trend, origin) if self.routed(trend.ticker, origin) else []


def attach(app: BatchingApp, services: Services, alerts: Alerts) -> None:
    """Declare the agent of ``trends``."""
    stage = TrendAlertsStage(services, alerts)

    @app.agent(app.batched_topic(TRENDS.name), name="trend_alerts")
    async def trend_alerts(stream: StreamT[Any]) -> None:
        """Rules about trends: table and collection `alerts`."""
        await stage.run(stream)
