"""Rows of the table ``indicators``: on their way to the changelog, and as the table holds them.

A row is JSON (see tables.checkpointed) with the numbers of each interval's indicators as base64:
3 kB a ticker. Here the numbers lie as numbers, side by side for all tickers, and the JSON around
them as a *frame*, with gaps where the numbers go. The row itself is put together when it is asked
for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from indicators.compiled import RowSet, RowStore
from sinks.documents import as_date
from tables.checkpointed import Row
from tables.indicator_state import IntervalState, TickerState, filled
from transport.checkpoint import Rows


class FrozenRows(Rows):
    """The rows of tickers as they are at one moment: their numbers are copied."""

    def __init__(self, store: RowStore, states: Mapping[str, TickerState]) -> None:
        #: By ticker the partition, the frame, and where its numbers are below.
        self._tickers: dict[str, tuple[int, bytes, slice]] = {}
        which: list[int] = []
        for key, state in states.items():
            first = len(which)
            which += [one.indicators.number for one in state.intervals.values()]
            place = slice(first, len(which))
            self._tickers[key] = state.partition, state.frame(), place
        self._numbers = store.rows[which]

    def __getitem__(self, key: str) -> tuple[int, bytes]:
        partition, frame, place = self._tickers[key]
        return partition, filled(frame, list(self._numbers[place]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tickers)

    def __len__(self) -> int:
        return len(self._tickers)

    def held(
        self, before: Mapping[str, Row], row_type: type[IndicatorRow], store: RowStore
    ) -> dict[str, Row]:
        """Return the rows as a table holds them, their numbers in ``store``.

        Args:
            before: the rows that these replace. What one of them had in ``store`` goes on to the
                row that takes its place, and is overwritten.
            row_type: of the rows to return.
            store: which keeps the numbers of what is saved, beside those that are live.
        """
        rows: dict[str, Row] = {}
        which: list[int] = []
        for key, (partition, frame, place) in self._tickers.items():
            replaced = before.get(key)
            sets = replaced.sets if isinstance(replaced, IndicatorRow) else ()
            wanted = place.stop - place.start
            if len(sets) != wanted:
                sets = tuple(RowSet(store) for _ in range(wanted))
            rows[key] = row_type(frame, partition, sets)
            which += [one.number for one in sets]
        store.rows[which] = self._numbers
        return rows


class IndicatorRow(Row):
    """A row of this table, shown with the indicators' values rather than their inner state.

    Either whole, as it came from the changelog, or a frame with its numbers elsewhere, as this
    worker saved it.
    """

    __slots__ = ("sets",)
    indicators: RowStore

    def __init__(self, raw: bytes, partition: int, sets: tuple[RowSet, ...] = ()) -> None:
        super().__init__(raw, partition)
        self.sets = sets

    def whole(self) -> bytes:
        """Return the row as it is in the changelog."""
        if not self.sets:
            return self.raw
        return filled(self.raw, [one.row for one in self.sets])

    def __json__(self) -> Any:
        row = orjson.loads(self.whole())
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
