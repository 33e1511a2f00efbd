"""What an indicator remembers, and how that becomes plain JSON and returns from it.

A field of an indicator is part of its state when its metadata is one of `COUNT`, `NUMBER`,
`OUTPUT` and `RING`; parameters, and what follows from them alone, are not. The state is the
list of these fields in the order of their declaration, so it stays short.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

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


def _read_ring(empty: deque[float], stored: Any) -> deque[float]:
    if not isinstance(stored, list):
        raise ValueError(f"expected a list of numbers, not {stored!r:.60}")
    if empty.maxlen is not None and len(stored) > empty.maxlen:
        raise ValueError(f"expected at most {empty.maxlen} numbers, not {len(stored)}")
    return deque((_read_number(None, number) for number in stored), empty.maxlen)


COUNT: Mapping[str, _Reader] = {_READER: _read_count}
"""A count of bars that stops where nothing depends on it any more."""

NUMBER: Mapping[str, _Reader] = {_READER: _read_number}
"""A finite number."""

OUTPUT: Mapping[str, _Reader] = {_READER: _read_output}
"""A published value: a finite number, or None while there is none."""

RING: Mapping[str, _Reader] = {_READER: _read_ring}
"""The last values of something, oldest first: a deque with a `maxlen`."""


@cache
def _remembered(kind: Any) -> tuple[tuple[str, _Reader], ...]:
    return tuple(
        (one.name, one.metadata[_READER]) for one in fields(kind) if _READER in one.metadata
    )


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
        state.append(list(value) if isinstance(value, deque) else value)
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


def verify_in_step(indicator: object, first: deque[float], second: deque[float]) -> None:
    """Refuse two rings that are filled together but are not equally full.

    Raises:
        ValueError: giving both lengths.
    """
    if len(first) != len(second):
        raise ValueError(
            f"{indicator!r}: two windows that go together hold {len(first)} and {len(second)} bars"
        )


def duplicate(indicator: _Kind) -> _Kind:
    """A copy of an indicator that shares nothing that changes."""
    kind: Any = type(indicator)
    shared, rings = _copied(kind)
    # Not `kind(...)`: the parameters have been checked, and building fresh rings takes longer.
    twin: _Kind = object.__new__(kind)
    for name in shared:
        setattr(twin, name, getattr(indicator, name))
    for name in rings:
        setattr(twin, name, getattr(indicator, name).copy())
    return twin
