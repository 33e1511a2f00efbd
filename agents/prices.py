"""Bars: keep the indicators of each ticker, store the bar with them, publish a snapshot."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from faust.types import StreamT

from agents.services import Services
from agents.stage import Stage
from errors import InvalidRecord
from models import (
    INDICATOR_SNAPSHOT,
    INTEGRATION_TEST,
    OURSELVES,
    Bar,
)
from sinks import Origin, Write
from sinks.documents import bar_write
from tables.indicators import IndicatorTable, IntervalState
from topics import STOCK_PRICES, TECHNICAL_INDICATORS
from transport import BatchingApp

log = logging.getLogger(__name__)


class PricesStage(Stage):
    """Applies bars to the indicators of their ticker and interval.

    - A closed bar later than the last one advances the state.
    - A bar still forming is computed on a copy of the state.
    - A bar at or before the last one is stored without indicators (*late* where it is before it):
      `recompute` takes it in.
    - A message at or below the offset that the state has seen is a redelivery: its document is
      stored already.
    """

    def __init__(self, services: Services, table: IndicatorTable) -> None:
        super().__init__(services, "prices", STOCK_PRICES)
        self.table = table
        self._misrouted: set[str] = set()
        self._publishing = services.settings.publish_snapshots

    def apply(self, bar: Bar, origin: Origin) -> Sequence[Write]:
        """Apply one bar (see the class)."""
        if bar.source == INTEGRATION_TEST or not self._routed(bar, origin):
            return [bar_write(bar, origin)]
        state = self.table.of(bar.ticker, origin.partition)
        if origin.offset <= state.offset:
            self._count("redelivered")
            return [bar_write(bar, origin)]
        interval = state.interval(bar.interval, self.table.specification)
        if interval.last_time is not None and bar.time <= interval.last_time:
            if bar.closed and bar.time < interval.last_time:
                self._count("late")
            return [bar_write(bar, origin)]
        if bar.closed:
            values = self._advance(interval, bar)
            state.offset = origin.offset
            self.table.mark_dirty(bar.ticker)
        else:
            values = self._forming(interval, bar)
        if self._publishing:
            self._publish(bar, values, origin.partition)
        return [bar_write(bar, origin, values)]

    def _advance(self, interval: IntervalState, bar: Bar) -> dict[str, float | None]:
        _update(interval.indicators, bar)
        interval.last_time = bar.time
        self._count("applied")
        return interval.indicators.values()

    def _forming(self, interval: IntervalState, bar: Bar) -> dict[str, float | None]:
        copy = interval.indicators.clone()
        _update(copy, bar)
        self._count("forming")
        return copy.values()

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

    def _routed(self, bar: Bar, origin: Origin) -> bool:
        """Whether the bar came on its ticker's partition, whose owner keeps the state."""
        if origin.partition == self.services.partition_of(bar.ticker):
            return True
        self._count("misrouted")
        if bar.ticker not in self._misrouted:
            self._misrouted.add(bar.ticker)
            log.warning(
                "%s came on partition %d, not on its own: stored without indicators. "
                "Its producer must partition by murmur2 (librdkafka: partitioner=murmur2_random)",
                bar.ticker,
                origin.partition,
            )
        return False

    def _count(self, what: str) -> None:
        self.services.counts[self.name, what] += 1


def _update(indicators: Any, bar: Bar) -> None:
    try:
        indicators.update(bar)
    except ValueError as error:
        # Refused before anything was changed.
        raise InvalidRecord("bar", bar.close, str(error)) from error


def attach(app: BatchingApp, services: Services, table: IndicatorTable) -> PricesStage:
    """Declare the agent of ``stock-prices``."""
    stage = PricesStage(services, table)
    app.checkpoints.register_state(table)

    @app.agent(app.batched_topic(STOCK_PRICES.name), name="prices")
    async def prices(stream: StreamT[Any]) -> None:
        """Indicators of each bar: table `indicators`, collection `stock_prices`, snapshots."""
        await stage.run(stream)

    return stage
