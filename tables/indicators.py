"""The ``indicators`` table: per ticker, the state of its indicators at every interval."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import orjson
from faust.types import AppT

from indicators import IndicatorSet, Specification
from sinks.documents import as_date
from tables.checkpointed import CheckpointedTable, Row
from transport.checkpoint import Rows

log = logging.getLogger(__name__)


@dataclass(slots=True)
class IntervalState:
    """The indicators of one ticker at one interval.

    ``last_time`` is the opening time of the last closed bar applied, ms since the epoch.
    """

    indicators: IndicatorSet
    last_time: int | None = None


@dataclass(slots=True)
class TickerState:
    """All intervals of one ticker, and the source offset of the last message applied to them."""

    partition: int
    offset: int = -1
    intervals: dict[str, IntervalState] = field(default_factory=dict)

    def interval(self, name: str, specification: Specification) -> IntervalState:
        """Return the state of one interval, a cold one where there is none yet."""
        state = self.intervals.get(name)
        if state is None:
            state = self.intervals[name] = IntervalState(IndicatorSet(specification))
        return state

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offset (see tables.checkpointed)."""
        return orjson.dumps(
            {
                "offset": self.offset,
                "intervals": {
                    name: {
                        "last_time": state.last_time,
                        "fingerprint": state.indicators.specification.fingerprint,
                        "state": state.indicators.state(),
                    }
                    for name, state in self.intervals.items()
                },
            }
        )


class IndicatorRow(Row):
    """A row of this table, shown with the indicators' values rather than their inner state."""

    __slots__ = ()
    specification: Specification

    def __json__(self) -> Any:
        row = orjson.loads(self.raw)
        shown = {}
        for name, saved in row["intervals"].items():
            values = None
            if saved["fingerprint"] == self.specification.fingerprint:
                values = IndicatorSet.from_state(self.specification, saved["state"]).values()
            last = saved["last_time"]
            shown[name] = {
                "last_bar": None if last is None else as_date(last).isoformat(),
                "parameters": saved["fingerprint"],
                "values": values,
            }
        return {"partition": self.partition, "offset": row["offset"], "intervals": shown}


class IndicatorTable(CheckpointedTable):
    """The saved rows, with live objects over them for the tickers in use.

    A State for checkpoints: what changed is marked dirty and saved at the next one.
    """

    def __init__(self, app: AppT, specification: Specification) -> None:
        super().__init__(
            app, name="indicators", help="Technical indicators of each ticker, by interval."
        )
        self.specification = specification
        self.row_type = type("IndicatorRow", (IndicatorRow,), {"specification": specification})
        self._live: dict[str, TickerState] = {}
        self._dirty: set[str] = set()
        self._told_cold = False

    def of(self, ticker: str, partition: int) -> TickerState:
        """Return the live state of ``ticker``; a new one where nothing is saved."""
        live = self._live.get(ticker)
        if live is None:
            raw = self.row(ticker)
            live = TickerState(partition) if raw is None else self._load(ticker, raw, partition)
            self._live[ticker] = live
        return live

    def mark_dirty(self, ticker: str) -> None:
        """Have the next checkpoint save ``ticker``."""
        self._dirty.add(ticker)

    def cut(self) -> Rows:
        """Serialise what changed (see transport.checkpoint.State)."""
        dirty, self._dirty = self._dirty, set()
        live = self._live
        return {ticker: (live[ticker].partition, live[ticker].dump()) for ticker in dirty}

    def void(self) -> None:
        """Drop live objects and dirty marks; the saved rows stand."""
        self._live.clear()
        self._dirty.clear()

    def _load(self, ticker: str, raw: bytes, partition: int) -> TickerState:
        row = orjson.loads(raw)
        state = TickerState(partition, row["offset"])
        for name, saved in row["intervals"].items():
            if saved["fingerprint"] == self.specification.fingerprint:
                indicators = IndicatorSet.from_state(self.specification, saved["state"])
            else:
                indicators = IndicatorSet(self.specification)
                self._tell_cold(ticker)
            state.intervals[name] = IntervalState(indicators, saved["last_time"])
        return state

    def _tell_cold(self, ticker: str) -> None:
        if not self._told_cold:
            self._told_cold = True
            log.warning(
                "the stored state of %s was computed with other indicators than the setting "
                "INDICATORS now says (%s): it starts cold, as do all such tickers; "
                "`faust -A app recompute TICKER` rebuilds one from its history",
                ticker,
                self.specification,
            )
