"""Rows of numbers for all tickers of a worker, and one of them as a set of indicators."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from indicators.base import Bar
from indicators.compiled.layout import Layout, Row
from indicators.registry import Specification

#: Rows there is room for at first; room doubles when it is used up.
FIRST_ROOM = 64


class RowStore:
    """The rows of one specification, side by side; row 0 stays cold and is nobody's.

    Attributes:
        layout: which number is what.
    """

    def __init__(self, specification: Specification) -> None:
        self.layout = Layout(specification)
        self.rows = self._room(FIRST_ROOM)
        self._free = list(range(FIRST_ROOM - 1, 0, -1))

    def _room(self, rows: int) -> npt.NDArray[np.float64]:
        """Return room for so many rows; it takes memory only once it is written to."""
        room = np.empty((rows, self.layout.width))
        room[0] = self.layout.cold
        return room

    @cached_property
    def _compiled(self) -> tuple[Callable[..., None], npt.NDArray[np.int64]]:
        """The compiled loop, and the number by which it knows each indicator."""
        # Here, as numba takes a fifth of a second, which commands that compute nothing save.
        from indicators.compiled.advance import NUMBERS, advance  # noqa: PLC0415

        return advance, np.array([NUMBERS[name] for name in self.layout.names], dtype=np.int64)

    def warm_up(self) -> None:
        """Compile now, or load what an earlier run has compiled, rather than at the first bar."""
        number = self.take()
        self.advance([number], [(1.0, 1.0, 1.0, 1.0)], [True])
        self.give_back(number)

    def take(self) -> int:
        """Return the number of a cold row, which is the caller's until it gives it back."""
        if not self._free:
            room = len(self.rows)
            rows = self._room(2 * room)
            rows[:room] = self.rows
            self.rows = rows
            self._free = list(range(2 * room - 1, room - 1, -1))
        number = self._free.pop()
        self.rows[number] = self.layout.cold
        return number

    def give_back(self, number: int) -> None:
        """Take a row back; nobody must use it any more."""
        self._free.append(number)

    def advance(
        self,
        numbers: npt.ArrayLike,
        bars: npt.ArrayLike,
        forming: npt.ArrayLike,
    ) -> Row:
        """Give each bar to its row, in order; returns the values at each, NaN where there is none.

        Args:
            numbers: the row of each bar.
            bars: high, low, close and volume of each: finite, below `LARGEST_MAGNITUDE`.
            forming: whether a bar is tried only, and its row left as it is.

        Returns:
            An array of shape (bars, values), values as in ``specification.outputs``.
        """
        layout = self.layout
        which = np.array(numbers, dtype=np.int64)
        out = np.empty((len(which), len(layout.outputs)))
        function, kinds = self._compiled
        function(
            self.rows,
            which,
            np.array(bars, dtype=np.float64),
            np.array(forming, dtype=np.bool_),
            kinds,
            layout.offsets,
            layout.parameters,
            layout.outputs,
            out,
        )
        return out


class RowSet:
    """The indicators of one ticker: an `IndicatorSet` that lies in a row.

    Examples:
        >>> from indicators import Ohlcv, parse
        >>> from indicators.compiled import RowSet, RowStore
        >>> indicators = RowSet(RowStore(parse("sma 2, obv")))
        >>> for close, volume in ((10.0, 100.0), (12.0, 50.0)):
        ...     indicators.update(Ohlcv.at(close, volume))
        ...     print(indicators.values())
        {'sma': None, 'obv': 100.0}
        {'sma': 11.0, 'obv': 150.0}
    """

    __slots__ = ("_store", "number")

    def __init__(self, store: RowStore) -> None:
        self._store = store
        #: The number of the row.
        self.number = store.take()

    def __del__(self) -> None:
        self._store.give_back(self.number)

    def update(self, bar: Bar) -> None:
        """Take in the next closed bar, in the order of time: of finite numbers."""
        self._store.advance([self.number], [(bar.high, bar.low, bar.close, bar.volume)], [False])

    def values(self) -> dict[str, float | None]:
        """The current value of every output, in the order of the registry."""
        layout = self._store.layout
        return named(layout, self.row[layout.outputs].tolist())

    def some(self, names: tuple[str, ...]) -> tuple[dict[str, float | None], float | None]:
        """The current values of those outputs that there are, and :attr:`slope`: read at once."""
        layout = self._store.layout
        there, places = layout.some(names)
        *values, slope = (None if v != v else v for v in self.row[places].tolist())  # noqa: PLR0124
        return dict(zip(there, values, strict=True)), slope

    @property
    def slope(self) -> float | None:
        """The slope of the OBV; None before it is warm."""
        slope = float(self.row[self._store.layout.slope])
        return None if slope != slope else slope  # noqa: PLR0124

    def state(self) -> list[list[Any]]:
        """The state of each indicator as its own `state()` gives it, that of the slope last."""
        return self._store.layout.write(self.row)

    @property
    def row(self) -> Row:
        """The row itself, which changes with the next bar."""
        row: Row = self._store.rows[self.number]
        return row

    @classmethod
    def from_state(cls, store: RowStore, state: Any) -> Self:
        """The set as it was when `state` was taken.

        Raises:
            ValueError: if the state has not the shape that the specification asks for.
        """
        return cls._of(store, store.layout.read(state))

    @classmethod
    def from_row(cls, store: RowStore, row: str | Sequence[float | None]) -> Self:
        """The set as it was when `row` was taken.

        Args:
            store: where it is to lie.
            row: what :func:`packed` returned, as text; or its numbers, None in the place of NaN.

        Raises:
            ValueError: if it has not as many numbers as the specification asks for.
        """
        if isinstance(row, str):
            numbers = np.frombuffer(binascii.a2b_base64(row), dtype="<f8")
        else:
            numbers = np.array(row, dtype=np.float64)
        if numbers.shape != (store.layout.width,):
            raise ValueError(f"expected a row of {store.layout.width} numbers, not {row!r:.60}")
        return cls._of(store, numbers)

    @classmethod
    def _of(cls, store: RowStore, row: Row) -> Self:
        restored = cls(store)
        store.rows[restored.number] = row
        return restored


def packed(row: Row) -> bytes:
    """Return a row as text: the base64 of its numbers, 8 bytes each, the lowest first."""
    numbers = row.astype("<f8", copy=False)
    return binascii.b2a_base64(numbers.tobytes(), newline=False)


def named(layout: Layout, values: Sequence[float]) -> dict[str, float | None]:
    """Return values by the names of their outputs, with None in the place of NaN."""
    return {
        name: None if value != value else value  # noqa: PLR0124 - NaN differs from itself
        for name, value in zip(layout.output_names, values, strict=True)
    }
