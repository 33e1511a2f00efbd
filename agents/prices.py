"""Bars: keep the indicators of each ticker, store the bar with them, publish a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from faust.types import StreamT

from agents.alerts import Alerts
from agents.services import Services
from agents.stage import Stage
from agents.trends import Trends
from errors import InvalidRecord
from models import (
    INDICATOR_SNAPSHOT,
    INTEGRATION_TEST,
    OURSELVES,
    Bar,
)
from sinks import Origin, Write
from sinks.documents import bar_write
from tables.indicators import IndicatorTable, IntervalState, Values
from topics import STOCK_PRICES, TECHNICAL_INDICATORS
from transport import BatchingApp


class PricesStage(Stage):
    """Applies bars to the indicators of their ticker and interval.

    - A closed bar later than the last one advances the state.
    - A bar still forming is computed on a copy of the state; only the trend's inputs remember it.
    - A bar at or before the last one is stored without indicators (*late* where it is before it):
      `recompute` takes it in.
    - A message at or below the offset that the state has seen is a redelivery: its document is
      stored already, with its values.
    """

    def __init__(
        self,
        services: Services,
        table: IndicatorTable,
        trends: Trends,
        alerts: Alerts | None = None,
    ) -> None:
        super().__init__(services, "prices", STOCK_PRICES)
        self._alerts = alerts
        self.table = table
        self.trends = trends
        self._publishing = services.settings.publish_snapshots

    def apply(self, bar: Bar, origin: Origin) -> Sequence[Write]:
        """Apply one bar (see the class)."""
        if bar.source == INTEGRATION_TEST or not self.routed(bar.ticker, origin):
            return [bar_write(bar, origin)]
        self.trends.mark(bar.ticker, origin.partition)
        state = self.table.of(bar.ticker, origin.partition)
        if origin.offset <= state.offset:
            self.count("redelivered")
            return [bar_write(bar, origin)]
        interval = state.interval(bar.interval, self.table.specification)
        if interval.last_time is not None and bar.time <= interval.last_time:
            if bar.closed and bar.time < interval.last_time:
                self.count("late")
            return [bar_write(bar, origin)]
        values = self._advance(interval, bar) if bar.closed else self._forming(interval, bar)
        state.offset = origin.offset
        if state.newest is None or bar.time > state.newest:
            state.newest = bar.time
        self.table.mark_dirty(bar.ticker)
        if self._publishing:
            self._publish(bar, values, origin.partition)
        writes = [bar_write(bar, origin, values)]
        if self._alerts is not None:
            writes += self._alerts.bar(bar, values, origin)
        return writes

    def _advance(self, interval: IntervalState, bar: Bar) -> Values:
        try:
            values = interval.advance(bar, bar.time)
        except ValueError as error:
            raise _refused(bar, error) from error
        self.count("applied")
        return values

    def _forming(self, interval: IntervalState, bar: Bar) -> Values:
        try:
            values = interval.form(bar, bar.time)
        except ValueError as error:
            raise _refused(bar, error) from error
        self.count("forming")
        return values

    def _publish(self, bar: Bar, values: Mapping[str, float | None], partition: int) -> None:
        snapshot = INDICATOR_SNAPSHOT.dump(
            {
                "ticker": bar.ticker,
                "interval": bar.interval,
                "time": bar.time,
                "values": values,
                "source": OURSELVES,
                "closed": bar.closed,
            }
        )
        self.services.outbox.add(
            TECHNICAL_INDICATORS.name, partition, bar.ticker.encode(), snapshot
        )


def _refused(bar: Bar, error: ValueError) -> InvalidRecord:
    """Return the error of a bar that indicators refused before anything was changed."""
    return InvalidRecord("bar", bar.close, str(error))


def attach(
    app: BatchingApp,
    services: Services,
    table: IndicatorTable,
    trends: Trends,
    alerts: Alerts | None = None,
) -> PricesStage:
    """Declare the agent of ``stock-prices``; ``alerts`` where rules are about bars."""
    stage = PricesStage(services, table, trends, alerts)
    app.checkpoints.register_state(table)

    @app.agent(app.batched_topic(STOCK_PRICES.name), name="prices")
    async def prices(stream: StreamT[Any]) -> None:
        """Indicators of each bar: table `indicators`, collection `stock_prices`, snapshots."""
        await stage.run(stream)

    return stage
