"""A series of bars as BSON: the same bytes as bar by bar (see sinks.packed), made column by column.

The documents of a series differ in their numbers only, so one of them is packed, repeated, and all
values of a column are put in their places at once: that takes an eighth of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.quick_series import AnySeries, bars_of
from models.series import NUMBERS
from sinks.base import Mode, Origin, PackedWrite
from sinks.documents import STOCK_PRICES
from sinks.packed import ADJUSTED_AT, ID_AT, PRICES_AT, Indicators, pack_bar

Values = npt.NDArray[np.float64]

#: So many bars of one shape, and it is worth while; while indicators warm up, shapes change.
LONG = 16


class SeriesPacker:
    """Packs the bars of a series with the values at them.

    Args:
        indicators: packs the values of one bar.
    """

    def __init__(self, indicators: Indicators) -> None:
        self._indicators = indicators

    def pack(
        self,
        series: AnySeries,
        start: int,
        values: Values,
        *,
        first: bytes,
        place: bytes,
        origin: Origin,
    ) -> list[PackedWrite]:
        """Return the writes of the bars of a series.

        Args:
            series: the bars.
            start: the row of the first bar to pack.
            values: those of all indicators at the bars from there on, (bars, outputs), NaN where
                there is none.
            first: the head of its ticker and interval (see sinks.packed).
            place: that of the partition that the message is from (see sinks.packed).
            origin: the message.
        """
        prefix = f"{series.ticker}|{series.interval}|"
        names = [f"{prefix}{time}" for time in series.time[start:]]
        origins = (origin,)
        writes = [PackedWrite(STOCK_PRICES, name, Mode.UPSERT, origins) for name in names]
        for begin, end in _alike(series, start, names, values):
            long = end - begin >= LONG
            several = begin + 1 if long else end
            parts = self._indicators.pack(values[begin:several])
            bars = bars_of(series, start + begin, start + several)
            for write, bar, part in zip(writes[begin:several], bars, parts, strict=True):
                pack_bar(write, bar, first, part, place)
            if long:
                document = bytearray(writes[begin].packed * (end - begin))
                prices = ID_AT + len(names[begin]) + len(first)
                tail = len(place) + 18 if place else 1
                inside = len(document) // (end - begin) - tail - len(parts[0])
                columns = _Columns(document, end - begin)
                rows = slice(start + begin, start + end)
                columns.texts(ID_AT, names[begin:end])
                columns.numbers(prices + PRICES_AT[0], series.time[rows], "<i8")
                for at, name in zip(PRICES_AT[1:], NUMBERS, strict=True):
                    columns.numbers(prices + at, getattr(series, name)[rows], "<f8")
                adjusted = series.adjusted_close
                if adjusted is not None and adjusted[start + begin] is not None:
                    columns.numbers(prices + ADJUSTED_AT, adjusted[rows], "<f8")
                for number, at in self._indicators.places(values[begin]):
                    columns.numbers(inside + at, values[begin:end, number], "<f8")
                for write, whole in zip(writes[begin:end], columns.documents(), strict=True):
                    write.packed = whole
        return writes


class _Columns:
    """The same document many times over, to be filled column by column.

    Args:
        buffer: the documents, one behind the other.
        count: how many.
    """

    def __init__(self, buffer: bytearray, count: int) -> None:
        self._buffer = buffer
        self._count = count
        self._size = len(buffer) // count

    def numbers(self, at: int, values: Any, kind: str) -> None:
        """Put a number into each document, at byte ``at``."""
        column: npt.NDArray[Any] = np.ndarray(
            (self._count,), kind, self._buffer, offset=at, strides=(self._size,)
        )
        column[:] = values

    def texts(self, at: int, values: Sequence[str]) -> None:
        """Put an ASCII text into each document, at byte ``at``; all have the same length."""
        self.numbers(at, [value.encode() for value in values], f"S{len(values[0])}")

    def documents(self) -> Iterator[bytes]:
        """Yield the documents."""
        whole, size = bytes(self._buffer), self._size
        return (whole[start : start + size] for start in range(0, len(whole), size))


def _alike(
    series: AnySeries, start: int, names: Sequence[str], values: Values
) -> Iterator[tuple[int, int]]:
    """Yield from where to where the documents have the same length and lack the same values."""
    shape = np.isnan(values)
    adjusted = series.adjusted_close
    lengths = list(map(len, names))
    lacks = [False] * len(names) if adjusted is None else [one is None for one in adjusted[start:]]
    columns = np.column_stack((shape, lacks, lengths))
    edges = np.flatnonzero((columns[1:] != columns[:-1]).any(axis=1)) + 1
    begin = 0
    for edge in (*edges.tolist(), len(names)):
        yield begin, edge
        begin = edge
