"""The ``indicators`` table: per ticker, the state of its indicators at every interval."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from faust.types import AppT

from indicators import Bar, Specification
from indicators.compiled import RowSet, RowStore, packed
from indicators.obv_slope import ObvSlope
from sinks.documents import as_date
from tables.checkpointed import Row, to_row
from tables.live import LiveTable
from transport.checkpoint import Rows
from trend import LastBar
from trend.scores import READ

log = logging.getLogger(__name__)

Values = dict[str, float | None]


@dataclass(slots=True)
class IntervalState:
    """The indicators of one ticker at one interval, and what the trend wants to know beside them.

    ``last_time`` is the opening time of the last closed bar applied, ms since the epoch. ``last``
    are opening time and close of the newest bar; ``forming`` the values at it while it is forming,
    and None when it is closed: then they are those of the indicators. ``head`` is the part of a
    bar's document that is always the same (see sinks.packed).
    """

    indicators: RowSet
    last_time: int | None = None
    last: tuple[int, float] | None = None
    forming: Mapping[str, float | None] | None = None
    head: bytes = b""

    def advance(self, bar: Bar, time: int) -> Values:
        """Take in the closed bar that opened at ``time``; returns the values at it."""
        self.indicators.update(bar)
        self.closed(time, bar.close)
        return self.indicators.values()

    def closed(self, time: int, close: float) -> None:
        """Take note that the indicators have taken in the closed bar that opened at ``time``."""
        self.last_time = time
        if self.last is None or time >= self.last[0]:
            self.last = (time, close)
            self.forming = None

    def formed(self, time: int, close: float, values: Values) -> None:
        """Take note of the values as if the bar that opened at ``time`` closed as it stands."""
        if self.last is None or time >= self.last[0]:
            self.last = (time, close)
            self.forming = values

    def last_bar(self) -> LastBar | None:
        """Return the newest bar as the trend reads it; None before the first one."""
        if self.last is None:
            return None
        values = self.indicators.values() if self.forming is None else self.forming
        return LastBar(*self.last, values, self.indicators.slope)

    def saved(self, fingerprint: str) -> dict[str, Any]:
        """Return everything but the row of the indicators, as JSON that does not change."""
        saved: dict[str, Any] = {"last_time": self.last_time, "fingerprint": fingerprint}
        if self.last is not None:
            saved["bar"] = self.last
        if self.forming is not None:
            forming = self.forming
            saved["forming"] = {name: forming[name] for name in READ if name in forming}
        return saved

    @classmethod
    def restored(cls, store: RowStore, saved: Any) -> IntervalState:
        """Return what was saved, under the same specification."""
        if "row" in saved:
            indicators = RowSet.from_row(store, saved["row"])
        else:
            # Written by earlier versions: a list for each indicator, the first ones without slope.
            slope = saved.get("obv_slope") or ObvSlope().state()
            indicators = RowSet.from_state(store, [*saved["state"], slope])
        state = cls(indicators, saved["last_time"])
        if "bar" in saved:
            time, close = saved["bar"]
            state.last = (time, close)
        state.forming = saved.get("forming")
        return state


@dataclass(slots=True)
class TickerState:
    """All intervals of one ticker, and the source offset of the last message applied to them.

    ``history`` is the offset in `price-history` of the last one from there, -1 before the first;
    ``newest`` is the opening time of the newest bar there was at any interval, ms since the epoch;
    ``store`` has the rows of the indicators.
    """

    partition: int
    store: RowStore
    offset: int = -1
    intervals: dict[str, IntervalState] = field(default_factory=dict)
    newest: int | None = None
    history: int = -1

    def interval(self, name: str) -> IntervalState:
        """Return the state of one interval, a cold one where there is none yet."""
        state = self.intervals.get(name)
        if state is None:
            state = self.intervals[name] = IntervalState(RowSet(self.store))
        return state

    def last_bars(self) -> dict[str, LastBar]:
        """Return the newest bar of each interval that has one."""
        bars = {name: interval.last_bar() for name, interval in self.intervals.items()}
        return {name: bar for name, bar in bars.items() if bar is not None}

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offsets (see tables.checkpointed)."""
        return FrozenRows(self.store, {"": self})[""][1]


class FrozenRows(Rows):
    """The rows of tickers as they are at one moment, each made anew when it is asked for.

    All at once would be 3 kB a ticker, beside the ones that they replace; so the numbers are
    copied, side by side, and the rows come one by one.
    """

    def __init__(self, store: RowStore, states: Mapping[str, TickerState]) -> None:
        fingerprint = store.layout.specification.fingerprint
        #: By ticker the partition, the fields but for the intervals, and where these are below.
        self._tickers: dict[str, tuple[int, dict[str, Any], dict[str, int]]] = {}
        self._saved: list[dict[str, Any]] = []
        numbers: list[int] = []
        for key, state in states.items():
            # Without history, a row is what it was before there was that topic.
            history = {} if state.history < 0 else {"history": state.history}
            fields = {"offset": state.offset, **history, "newest": state.newest}
            places = {}
            for name, interval in state.intervals.items():
                places[name] = len(numbers)
                numbers.append(interval.indicators.number)
                self._saved.append(interval.saved(fingerprint))
            self._tickers[key] = state.partition, fields, places
        self._numbers = store.rows[numbers]

    def __getitem__(self, key: str) -> tuple[int, bytes]:
        partition, fields, places = self._tickers[key]
        intervals = {
            name: self._saved[place] | {"row": packed(self._numbers[place])}
            for name, place in places.items()
        }
        return partition, to_row(fields | {"intervals": intervals})

    def __iter__(self) -> Iterator[str]:
        return iter(self._tickers)

    def __len__(self) -> int:
        return len(self._tickers)


class IndicatorRow(Row):
    """A row of this table, shown with the indicators' values rather than their inner state."""

    __slots__ = ()
    indicators: RowStore

    def __json__(self) -> Any:
        row = orjson.loads(self.raw)
        shown = {}
        for name, saved in row["intervals"].items():
            values = slope = None
            if saved["fingerprint"] == self.indicators.layout.specification.fingerprint:
                state = IntervalState.restored(self.indicators, saved)
                values, slope = state.indicators.values(), state.indicators.slope
            last = saved["last_time"]
            shown[name] = {
                "last_bar": None if last is None else as_date(last).isoformat(),
                "parameters": saved["fingerprint"],
                "values": values,
                "obv_slope": slope,
            }
        return {"partition": self.partition, "offset": row["offset"], "intervals": shown}


class IndicatorTable(LiveTable[TickerState]):
    """Follows ``stock-prices`` and ``price-history``; keyed by ticker."""

    def __init__(self, app: AppT, specification: Specification) -> None:
        super().__init__(
            app, name="indicators", help="Technical indicators of each ticker, by interval."
        )
        self.specification = specification
        self.indicators = RowStore(specification)
        self.row_type = type("IndicatorRow", (IndicatorRow,), {"indicators": self.indicators})

    def frozen(self, states: Mapping[str, TickerState]) -> Rows:
        """Return the rows of these states (see tables.live)."""
        return FrozenRows(self.indicators, states)

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
