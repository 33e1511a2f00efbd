"""Bars: keep the indicators of each ticker, store the bar with them, publish a snapshot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord
from faust.types import StreamT

from agents.alerts import Alerts
from agents.services import Services
from agents.stage import Stage
from agents.trends import Trends
from indicators.compiled import named
from models import INTEGRATION_TEST
from models.quick import AnyBar, decode_bar
from models.rules import DAY_MS
from models.snapshots import snapshots
from sinks import Origin, Write
from sinks.documents import bar_write
from sinks.packed import BarWrite, Indicators, head, pack_bar, place
from tables.indicator_state import IntervalState
from tables.indicators import IndicatorTable
from topics import STOCK_PRICES, TECHNICAL_INDICATORS
from transport import BatchingApp

#: A bar of the batch whose indicators are computed at its end, with all the others.
Pending = tuple[AnyBar, IntervalState, BarWrite]


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
        self.alerts = alerts
        self.table = table
        self.trends = trends
        self._publishing = services.settings.publish_snapshots
        self._pending: list[Pending] = []
        self.packer = Indicators(table.specification.outputs)
        self._snapshot = snapshots(table.specification.outputs)
        self._latest_ms = 0.0

    def begin(self) -> None:
        """Forget what a batch that broke off has left, and look at the clock."""
        self._pending.clear()
        self._latest_ms = time.time() * 1000 + DAY_MS

    def decode(self, message: ConsumerRecord) -> AnyBar:
        """Return the bar that a message holds (see :func:`models.quick.decode_bar`)."""
        return decode_bar(message.key, message.value, self._latest_ms)

    def apply(self, bar: AnyBar, origin: Origin) -> Sequence[Write]:
        """Decide what becomes of one bar (see the class); its values follow in `complete`."""
        ticker, partition = bar.ticker, origin.partition
        if bar.source == INTEGRATION_TEST:
            return [bar_write(bar, origin)]
        state = self.table.live(ticker)
        # What is live came the right way before: only its owner has it.
        if state is None or state.partition != partition:
            if not self.routed(ticker, origin):
                return [bar_write(bar, origin)]
            state = self.table.of(ticker, partition)
        interval = state.intervals.get(bar.interval)
        if interval is None:
            # Also where it is a redelivery: what was refused is refused again.
            state.check_interval(bar.interval)
        self.trends.mark(ticker, partition)
        if origin.offset <= state.offset:
            self.count("redelivered")
            return [bar_write(bar, origin)]
        if interval is None:
            interval = state.interval(bar.interval)
        last_time = interval.last_time
        if last_time is not None and bar.time <= last_time:
            if bar.closed and bar.time < last_time:
                self.count("late")
            return [bar_write(bar, origin)]
        if bar.closed:
            interval.closed(bar.time, bar.close)
        state.offset = origin.offset
        if state.newest is None or bar.time > state.newest:
            state.newest = bar.time
        self.table.mark_dirty(ticker)
        write = BarWrite(bar, origin)
        self._pending.append((bar, interval, write))
        return [write]

    def complete(self) -> Sequence[Write]:
        """Compute the indicators at all bars of the batch in one call, and fill their writes.

        Returns the documents of the alerts that the bars fire.
        """
        pending = self._pending
        if not pending:
            return ()
        values = self.table.indicators.advance(
            [state.indicators.number for _, state, _ in pending],
            [(bar.high, bar.low, bar.close, bar.volume) for bar, _, _ in pending],
            [not bar.closed for bar, _, _ in pending],
        )
        origin = pending[0][2].origins[0]
        # All bars of a batch are from one partition.
        where = place(origin.topic, origin.partition, self.services.topic_ids)
        for (bar, state, write), packed in zip(pending, self.packer.pack(values), strict=True):
            if not state.head:
                state.head = head(bar.ticker, bar.interval)
            pack_bar(write, bar, state.head, packed, where)
        forming = sum([not bar.closed for bar, _, _ in pending])
        self.services.counts[self.name, "applied"] += len(pending) - forming
        self.services.counts[self.name, "forming"] += forming
        if self._publishing or forming or self.alerts is not None:
            return self._tell(pending, values.tolist())
        return ()

    def _tell(
        self, pending: Sequence[Pending], values: Sequence[Sequence[float]]
    ) -> Sequence[Write]:
        """Publish snapshots, remember the values at bars that are forming, look at the rules."""
        layout = self.table.indicators.layout
        alerts: list[Write] = []
        origin = pending[0][2].origins[0]
        try:
            for (bar, state, write), row in zip(pending, values, strict=True):
                origin = write.origins[0]
                # Unless the same batch has its end: a bar that is closed is not forming any more.
                if not bar.closed and (state.last_time is None or bar.time > state.last_time):
                    state.formed(bar.time, bar.close, named(layout, row))
                if self._publishing:
                    self._publish(bar, row, origin.partition)
                if self.alerts is not None:
                    alerts += self.alerts.bar(bar, named(layout, row), origin)
        except Exception as error:
            self.blame(origin, error)
            raise
        return alerts

    def _publish(self, bar: AnyBar, values: Sequence[float], partition: int) -> None:
        self.services.outbox.add(
            TECHNICAL_INDICATORS.name, partition, bar.ticker.encode(), self._snapshot(bar, values)
        )


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
