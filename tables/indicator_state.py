"""The live state of one ticker's indicators, as the table ``indicators`` follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from errors import InvalidRecord
from indicators import Bar
from indicators.compiled import RowSet, RowStore, packed
from indicators.compiled.layout import Row as Numbers
from indicators.obv_slope import ObvSlope
from tables.checkpointed import to_row
from trend import LastBar
from trend.scores import READ

Values = dict[str, float | None]

#: Most intervals of one ticker: its row, of some 2 kB for each, must fit into a message.
MOST_INTERVALS = 100

#: The gap of a frame; nothing else in one looks like it, as quotes in a text are escaped.
_GAP = b'"row":""'


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
        """Return the newest bar with what the trend reads of it; None before the first one."""
        if self.last is None:
            return None
        found, slope = self.indicators.some(READ)
        return LastBar(*self.last, found if self.forming is None else self.forming, slope)

    def saved(self, fingerprint: str) -> dict[str, Any]:
        """Return everything as JSON, with a gap in the place of the indicators' numbers."""
        saved: dict[str, Any] = {"last_time": self.last_time, "fingerprint": fingerprint}
        if self.last is not None:
            saved["bar"] = self.last
        if self.forming is not None:
            forming = self.forming
            saved["forming"] = {name: forming[name] for name in READ if name in forming}
        saved["row"] = ""
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

    def check_interval(self, name: str) -> None:
        """Refuse one interval more than a row can hold.

        Raises:
            InvalidRecord: the ticker has `MOST_INTERVALS` others.
        """
        if name not in self.intervals and len(self.intervals) >= MOST_INTERVALS:
            raise InvalidRecord(
                "interval",
                name,
                f"the ticker has bars of {MOST_INTERVALS} other lengths: state is kept of no more",
            )

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

    def frame(self) -> bytes:
        """Return the row but for the numbers of the indicators (see :func:`filled`)."""
        fingerprint = self.store.layout.specification.fingerprint
        # Without history, a row is what it was before there was that topic.
        history = {} if self.history < 0 else {"history": self.history}
        intervals = {name: one.saved(fingerprint) for name, one in self.intervals.items()}
        fields = {"offset": self.offset, **history, "newest": self.newest}
        return to_row(fields | {"intervals": intervals})

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offsets (see tables.checkpointed)."""
        return filled(self.frame(), [one.indicators.row for one in self.intervals.values()])


def filled(frame: bytes, numbers: Sequence[Numbers]) -> bytes:
    """Return a row: a frame, and in its gaps the base64 of each interval's numbers."""
    first, *others = frame.split(_GAP)
    parts = [first]
    for one, after in zip(numbers, others, strict=True):
        parts += (b'"row":"', packed(one), b'"', after)
    return b"".join(parts)
