"""What an indicator remembers, and how that becomes plain JSON and returns from it.

A field of an indicator is part of its state when its metadata is one of `COUNT`, `NUMBER`,
`OUTPUT` and `RING`; parameters, and what follows from them alone, are not. The state is the
list of these fields in the order of their declaration, so it stays short.
"""

import math
from array import array
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeAlias, TypeVar

Ring: TypeAlias = "array[float]"
"""The last values of something, oldest first, without boxes: a quarter of a deque's memory, and
there are thirteen for each ticker. Whoever appends to a full one deletes the first value before."""

_Reader = Callable[[Any, Any], Any]
_READER = "reader"
# Integers beyond this do not survive JSON in other languages; no count comes near it.
_LARGEST_COUNT = 2**53
_Kind = TypeVar("_Kind")


def _read_count(_: int, stored: Any) -> int:
    if type(stored) is not int or not 0 <= stored <= _LARGEST_COUNT:
        raise ValueError(f"expected a count, not {stored!r:.60}")
    return stored


def _read_number(_: object, stored: Any) -> float:
    if isinstance(stored, bool) or not isinstance(stored, int | float):
        raise ValueError(f"expected a number, not {stored!r:.60}")
    try:
        number = float(stored)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _read_output(_: object, stored: Any) -> float | None:
    return None if stored is None else _read_number(_, stored)


def _read_ring(_: Ring, stored: Any) -> Ring:
    if not isinstance(stored, list):
        raise ValueError(f"expected a list of numbers, not {stored!r:.60}")
    return array("d", [_read_number(None, number) for number in stored])


COUNT: Mapping[str, _Reader] = {_READER: _read_count}
"""A count of bars that stops where nothing depends on it any more."""

NUMBER: Mapping[str, _Reader] = {_READER: _read_number}
"""A finite number."""

OUTPUT: Mapping[str, _Reader] = {_READER: _read_output}
"""A published value: a finite number, or None while there is none."""

RING: Mapping[str, _Reader] = {_READER: _read_ring}
"""A `Ring`."""


def ring() -> Ring:
    """An empty ring."""
    return array("d")


@cache
def _remembered(kind: Any) -> tuple[tuple[str, _Reader], ...]:
    return tuple(
        (one.name, one.metadata[_READER]) for one in fields(kind) if _READER in one.metadata
    )


@cache
def remembered_fields(kind: Any) -> tuple[tuple[str, Mapping[str, _Reader]], ...]:
    """The fields of a kind's state, in their order: the name, and one of `COUNT`, `NUMBER`..."""
    kinds = {id(one[_READER]): one for one in (COUNT, NUMBER, OUTPUT, RING)}
    return tuple((name, kinds[id(reader)]) for name, reader in _remembered(kind))


@cache
def _copied(kind: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of a kind's fields: those a copy may share, and the rings, which it must not."""
    rings = tuple(name for name, reader in _remembered(kind) if reader is _read_ring)
    return tuple(one.name for one in fields(kind) if one.name not in rings), rings


def write(indicator: object) -> list[Any]:
    """The state of an indicator: a list of numbers, None and lists of numbers."""
    kind: Any = type(indicator)
    state = []
    for name, _ in _remembered(kind):
        value = getattr(indicator, name)
        state.append(value.tolist() if isinstance(value, array) else value)
    return state


def read(indicator: object, state: Any) -> None:
    """Put a written state into a fresh indicator that has the same parameters.

    Raises:
        ValueError: if the state has another shape, naming the field that differs.
    """
    kind: Any = type(indicator)
    layout = _remembered(kind)
    if not isinstance(state, list) or len(state) != len(layout):
        raise ValueError(
            f"{indicator!r}: a state is a list of {len(layout)} items "
            f"({', '.join(name.lstrip('_') for name, _ in layout)}), not {state!r:.60}"
        )
    for (name, reader), stored in zip(layout, state, strict=True):
        try:
            setattr(indicator, name, reader(getattr(indicator, name), stored))
        except ValueError as error:
            raise ValueError(f"{indicator!r}: state of {name.lstrip('_')}: {error}") from None


def verify_rings(indicator: object, most: int, *rings: Ring) -> None:
    """Refuse rings of more than `most` values, or not equally full though filled together.

    Raises:
        ValueError: giving the lengths.
    """
    lengths = {len(one) for one in rings}
    if len(lengths) > 1:
        raise ValueError(
            f"{indicator!r}: windows that go together hold "
            f"{' and '.join(str(len(one)) for one in rings)} bars"
        )
    if max(lengths) > most:
        raise ValueError(f"{indicator!r}: expected at most {most} numbers, not {max(lengths)}")


def duplicate(indicator: _Kind) -> _Kind:
    """A copy of an indicator that shares nothing that changes."""
    kind: Any = type(indicator)
    shared, rings = _copied(kind)
    # Not `kind(...)`: the parameters have been checked, and building fresh rings takes longer.
    twin: _Kind = object.__new__(kind)
    for name in shared:
        setattr(twin, name, getattr(indicator, name))
    for name in rings:
        setattr(twin, name, getattr(indicator, name)[:])
    return twin
