"""Which number of a row is which field of which indicator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from indicators.base import Indicator
from indicators.bollinger import BollingerBands
from indicators.cci import CCI, ROUNDING
from indicators.ema import EMA
from indicators.macd import MACD
from indicators.memory import COUNT, OUTPUT, RING, remembered_fields
from indicators.obv_slope import ObvSlope
from indicators.registry import INDICATORS, Specification
from indicators.roc import ROC
from indicators.rsi import RSI

Row = npt.NDArray[np.float64]


class Place(NamedTuple):
    """Where a field is: ``capacity`` values behind a length for a ring, else one number."""

    name: str
    at: int
    kind: Any
    capacity: int


class Layout:
    """The rows of one specification; the slope of the OBV, which trends read, comes last.

    Attributes:
        specification: what the rows hold.
        width: numbers in a row.
        names: of the indicators, in order.
        offsets: where the fields of each indicator begin.
        output_names: ``specification.outputs``, in whose order the values are.
        outputs: where each value is.
        slope: where the slope of the OBV is.
        parameters: (indicators, most of them), what the compiled functions are given.
    """

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        self._indicators = [*(one.build() for one in specification), ObvSlope()]
        self.names = tuple(one.name for one in self._indicators)
        self._places: list[list[Place]] = []
        offsets, outputs = [], []
        at = 0
        for indicator in self._indicators:
            offsets.append(at)
            places, at = _places(indicator, at)
            self._places.append(places)
            where = {place.name: place.at for place in places}
            outputs += [where[name] for name in indicator.outputs]
        self.width = at
        self.offsets = np.array(offsets, dtype=np.int64)
        self.output_names = specification.outputs
        self.outputs = np.array(outputs[:-1], dtype=np.int64)
        self.slope = outputs[-1]
        given = [_parameters(one) for one in self._indicators]
        most = max(map(len, given))
        self.parameters = np.array([one + [0.0] * (most - len(one)) for one in given])
        self.cold = self._cold()
        self._some: dict[tuple[str, ...], tuple[list[str], npt.NDArray[np.int64]]] = {}

    def _cold(self) -> Row:
        row = np.zeros(self.width)
        for places in self._places:
            for place in places:
                if place.kind is OUTPUT:
                    row[place.at] = math.nan
        return row

    def some(self, names: tuple[str, ...]) -> tuple[list[str], npt.NDArray[np.int64]]:
        """Return which of these outputs there are, and where they are; the slope comes last."""
        found = self._some.get(names)
        if found is None:
            there = [name for name in names if name in self.output_names]
            which = [self.outputs[self.output_names.index(name)] for name in there]
            found = self._some[names] = there, np.array([*which, self.slope], dtype=np.int64)
        return found

    def write(self, row: Row) -> list[list[Any]]:
        """Return the state of each indicator, as its own `state()` does; the slope's comes last."""
        numbers = row.tolist()
        return [[_written(place, numbers) for place in places] for places in self._places]

    def read(self, state: Sequence[Any]) -> Row:
        """Return the row of what :meth:`write` or the indicators' own `state()` returned.

        Raises:
            ValueError: it has not the shape that the specification asks for.
        """
        kinds: list[type[Indicator]] = [
            *(INDICATORS[one.name] for one in self.specification),
            ObvSlope,
        ]
        if not isinstance(state, list) or len(state) != len(kinds):
            raise ValueError(
                f"the state of {str(self.specification)!r} is a list of {len(kinds) - 1} items, "
                f"and one of the OBV's slope, not {state!r:.60}"
            )
        row = self.cold.copy()
        entries = [*(one.parameters for one in self.specification), {}]
        for kind, parameters, places, saved in zip(
            kinds, entries, self._places, state, strict=True
        ):
            kind.from_state(saved, **parameters)  # which checks it
            for place, value in zip(places, saved, strict=True):
                if place.kind is RING:
                    row[place.at] = len(value)
                    row[place.at + 1 : place.at + 1 + len(value)] = value
                else:
                    row[place.at] = math.nan if value is None else value
        return row


def _places(indicator: Indicator, at: int) -> tuple[list[Place], int]:
    places = []
    for name, kind in remembered_fields(type(indicator)):
        capacity = _capacity(indicator, name) if kind is RING else 0
        places.append(Place(name, at, kind, capacity))
        at += 1 + capacity
    return places, at


def _capacity(indicator: Any, ring: str) -> int:
    if ring == "_ks":
        return int(indicator.smooth)
    return int(indicator.window) + isinstance(indicator, ROC)


def _parameters(indicator: Indicator) -> list[float]:
    """Those of the constructor, and what the class derives from them."""
    given = [float(getattr(indicator, one.name)) for one in fields(indicator) if one.init]  # type: ignore[arg-type]
    match indicator:
        case EMA() | RSI() | ObvSlope():
            given.append(indicator._alpha)
        case MACD():
            given += indicator._alphas
        case BollingerBands():
            given += (indicator._scale, indicator._rounding)
        case CCI():
            given.append(ROUNDING)
    return given


def _written(place: Place, numbers: Sequence[float]) -> Any:
    value = numbers[place.at]
    if place.kind is RING:
        return numbers[place.at + 1 : place.at + 1 + int(value)]
    if place.kind is COUNT:
        return int(value)
    return None if value != value else value  # noqa: PLR0124 - NaN is what differs from itself
