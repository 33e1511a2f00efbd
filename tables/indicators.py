"""The ``indicators`` table: per ticker, the state of its indicators at every interval."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from faust.types import AppT

from indicators import Specification
from indicators.compiled import RowSet, RowStore
from tables.checkpointed import Row
from tables.indicator_rows import FrozenRows, IndicatorRow
from tables.indicator_state import IntervalState, TickerState
from tables.live import LiveTable
from transport.checkpoint import Rows

log = logging.getLogger(__name__)


class IndicatorTable(LiveTable[TickerState]):
    """Follows ``stock-prices`` and ``price-history``; keyed by ticker."""

    def __init__(self, app: AppT, specification: Specification) -> None:
        super().__init__(
            app, name="indicators", help="Technical indicators of each ticker, by interval."
        )
        self.specification = specification
        self.indicators = RowStore(specification)
        shown = type("IndicatorRow", (IndicatorRow,), {"indicators": self.indicators})
        self.row_type: type[IndicatorRow] = shown
        #: The numbers of saved rows.
        self._saved = RowStore(specification)

    def frozen(self, states: Mapping[str, TickerState]) -> Rows:
        """Return the rows of these states (see tables.live)."""
        return FrozenRows(self.indicators, states)

    def held(self, rows: Rows) -> Mapping[str, Row]:
        """Return rows as the table holds them (see tables.checkpointed)."""
        if isinstance(rows, FrozenRows):
            return rows.held(self.data, self.row_type, self._saved)
        return super().held(rows)

    def new(self, partition: int) -> TickerState:
        """Return the state of a ticker that had no bar yet."""
        return TickerState(partition, self.indicators)

    def load(self, key: str, row: Any, partition: int) -> TickerState:
        """Return the saved state; what other indicators left behind starts cold."""
        fingerprint = self.specification.fingerprint
        state = TickerState(
            partition,
            self.indicators,
            row["offset"],
            newest=row.get("newest"),
            history=row.get("history", -1),
        )
        for name, saved in row["intervals"].items():
            if saved["fingerprint"] == fingerprint:
                state.intervals[name] = IntervalState.restored(self.indicators, saved)
                continue
            cold = IntervalState(RowSet(self.indicators), saved["last_time"])
            state.intervals[name] = cold
            self.tell_cold(
                log,
                "the stored state of %s was computed with other indicators than the setting "
                "INDICATORS now says (%s): it starts cold, as do all such tickers; "
                "`faust -A app recompute TICKER` rebuilds one from its history",
                key,
                self.specification,
            )
        return state
