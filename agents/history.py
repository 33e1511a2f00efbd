"""History: bars in bulk, applied as prices are, to the same state and the same documents."""

from __future__ import annotations

import logging
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from aiokafka.structs import ConsumerRecord
from faust.types import StreamT

from agents.prices import PricesStage
from agents.services import Services
from agents.stage import Stage
from indicators.compiled import named
from models import COMMAND, INTEGRATION_TEST, recompute_orders
from models.quick_series import AnySeries, bars_of, decode_series
from models.rules import DAY_MS
from sinks import Origin, Write
from sinks.documents import series_writes
from sinks.packed import head, place
from sinks.packed_series import SeriesPacker
from tables.indicator_state import IntervalState
from topics import COMMANDS, PRICE_HISTORY
from transport import BatchingApp

log = logging.getLogger(__name__)

#: Pause between two looks whether the history is worked through, in seconds.
LOOK_S = 0.2


class Pending(NamedTuple):
    """A series whose indicators, from row ``start`` on, are computed at the end of its batch."""

    series: AnySeries
    start: int
    state: IntervalState
    origin: Origin


class HistoryStage(Stage):
    """Applies series of closed bars to the indicators of their ticker and interval.

    What becomes of a bar is what the prices agent makes of it (see :class:`agents.prices`), but
    that no snapshot is published: history is no news. It shares that agent's turn and its writer,
    so documents are stored in the order in which bars were applied.

    Kafka keeps no order between two topics. Bars that come after a later one are stored without
    indicators, and their ticker is ordered to be computed again: the order is sent with the
    documents of the batch, and whoever carries it out waits until those are stored.

    ``received``, ``dead`` and ``misrouted`` count messages; what else is counted are bars.
    """

    def __init__(self, services: Services, prices: PricesStage) -> None:
        super().__init__(services, "history", PRICE_HISTORY, prices.writer)
        self.turn = prices.turn
        self.prices = prices
        self._pending: list[Pending] = []
        #: Tickers to compute again, with their partition.
        self._late: dict[str, int] = {}
        self._packer = SeriesPacker(prices.packer)
        self._latest_ms = 0.0

    def begin(self) -> None:
        """Forget what a batch that broke off has left, and look at the clock."""
        self._pending.clear()
        self._late.clear()
        self._latest_ms = time.time() * 1000 + DAY_MS

    def decode(self, message: ConsumerRecord) -> AnySeries:
        """Return the series that a message holds (see :mod:`models.quick_series`)."""
        return decode_series(message.key, message.value, self._latest_ms)

    def apply(self, series: AnySeries, origin: Origin) -> Sequence[Write]:
        """Decide what becomes of the bars of a series; the values at them follow in `complete`."""
        ticker, partition = series.ticker, origin.partition
        if series.source == INTEGRATION_TEST or not self.routed(ticker, origin):
            return series_writes(series, origin)
        table = self.prices.table
        state = table.of(ticker, partition)
        state.check_interval(series.interval)
        self.prices.trends.mark(ticker, partition)
        if origin.offset <= state.history:
            # Their documents are stored already, with their values.
            self.services.counts[self.name, "redelivered"] += len(series.time)
            return series_writes(series, origin)
        state.history = origin.offset
        table.mark_dirty(ticker)
        interval = state.interval(series.interval)
        times, last_time = series.time, interval.last_time
        start = 0 if last_time is None else bisect_right(times, last_time)
        if last_time is not None and times[0] < last_time:
            self.services.counts[self.name, "late"] += bisect_left(times, last_time)
            self._late[ticker] = partition
        if start < len(times):
            interval.closed(times[-1], series.close[-1])
            if state.newest is None or times[-1] > state.newest:
                state.newest = times[-1]
            self._pending.append(Pending(series, start, interval, origin))
        return series_writes(series, origin, start) if start else ()

    def complete(self) -> Sequence[Write]:
        """Compute the indicators at all bars of the batch in one call, and pack their documents.

        Returns these, and those of the alerts that the bars fire.
        """
        self._order_recompute()
        pending = self._pending
        if not pending:
            return ()
        counts = [len(one.series.time) - one.start for one in pending]
        values = self.prices.table.indicators.advance(
            np.repeat([one.state.indicators.number for one in pending], counts),
            np.concatenate([_numbers(one) for one in pending]),
            np.zeros(sum(counts), dtype=np.bool_),
        )
        origin = pending[0].origin
        # All series of a batch are from one partition.
        where = place(origin.topic, origin.partition, self.services.topic_ids)
        writes: list[Write] = []
        end = 0
        for one, count in zip(pending, counts, strict=True):
            begin, end = end, end + count
            series, state = one.series, one.state
            if not state.head:
                state.head = head(series.ticker, series.interval)
            rows = values[begin:end]
            writes += self._packer.pack(
                series, one.start, rows, first=state.head, place=where, origin=one.origin
            )
            if self.prices.alerts is not None:
                writes += self._look_at_rules(one, rows)
        self.services.counts[self.name, "applied"] += end
        return writes

    def _look_at_rules(self, one: Pending, values: npt.NDArray[np.float64]) -> list[Write]:
        alerts = self.prices.alerts
        layout = self.prices.table.indicators.layout
        if alerts is None or not alerts.reads(one.series):
            return []
        try:
            bars = bars_of(one.series, one.start)
            return alerts.bars(
                [(bar, named(layout, row)) for bar, row in zip(bars, values.tolist(), strict=True)],
                one.origin,
            )
        except Exception as error:
            self.blame(one.origin, error)
            raise

    def _order_recompute(self) -> None:
        for order in recompute_orders(self._late):
            log.info("history of %s came after later bars: computing it again", order.ticker)
            self.services.outbox.add(
                COMMANDS.name,
                self._late[order.ticker],
                COMMAND.encode_key(order),
                COMMAND.encode(order),
            )


def _numbers(one: Pending) -> npt.NDArray[np.float64]:
    """Return high, low, close and volume of the bars whose indicators are computed."""
    series, start = one.series, one.start
    columns = (series.high, series.low, series.close, series.volume)
    return np.array([column[start:] for column in columns], dtype=np.float64).T


async def worked_through(app: Any) -> None:
    """Return once all history that is there for this worker's partitions is applied.

    Live bars that were applied before it would make it late.
    """
    while not app.should_stop:
        if not app.rebalancing and not app.in_recovery:
            consumer = app.consumer
            owned = [tp for tp in consumer.saved() if tp.topic == PRICE_HISTORY.name]
            if owned and all(map(consumer.caught_up, owned)):
                return
        await app.sleep(LOOK_S)


def attach(app: BatchingApp, services: Services, prices: PricesStage) -> None:
    """Declare the agent of ``price-history``."""
    stage = HistoryStage(services, prices)

    @app.agent(app.batched_topic(PRICE_HISTORY.name), name="history")
    async def history(stream: StreamT[Any]) -> None:
        """Indicators of bars in bulk: table `indicators`, collection `stock_prices`."""
        await stage.run(stream)
