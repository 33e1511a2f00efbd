"""What every indicator in the registry promises, one small check each.

A check takes the class of an indicator; `test_checks.py` runs all of them over the registry.
"""

import inspect
import json
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Protocol

import pytest

from indicators import Indicator, Ohlcv
from tests.indicators.bars import walk

Check = Callable[[type[Indicator]], None]

# More than the longest warm-up, with a flat stretch in it.
BARS = walk(150)


class _Parameter(Protocol):
    name: str
    default: Any


def _parameters(kind: Any) -> list[_Parameter]:
    return [one for one in fields(kind) if one.init]


def through_json(state: Any) -> Any:
    return json.loads(json.dumps(state, allow_nan=False))


def check_docstring(kind: type[Indicator]) -> None:
    """The docstring has a first sentence, formula, parameters, warm-up, example, source."""
    text = inspect.getdoc(kind) or ""
    assert text.split("\n\n")[0].endswith(".")
    for part in ("Formula:", "Parameters:", "Warm-up:", "Examples:", ">>> ", "References:"):
        assert part in text
    for parameter in _parameters(kind):
        documented = text.split("Parameters:")[1].split("Warm-up:")[0]
        inherited = "".join(inspect.getdoc(base) or "" for base in kind.__mro__[1:])
        assert f"{parameter.name}: " in documented + inherited


def check_names(kind: type[Indicator]) -> None:
    """Values have the names of the outputs, in their order, and each is an attribute."""
    indicator = kind()
    for bar in BARS:
        indicator.update(bar)
        assert tuple(indicator.values) == kind.outputs
        assert indicator.values == {name: getattr(indicator, name) for name in kind.outputs}


def check_single_value(kind: type[Indicator]) -> None:
    """An indicator has `value` exactly if it has one output."""
    indicator = kind()
    assert hasattr(indicator, "value") == (len(kind.outputs) == 1)
    for bar in BARS:
        indicator.update(bar)
    if hasattr(indicator, "value"):
        assert [indicator.value] == list(indicator.values.values())


def check_repr(kind: type[Indicator]) -> None:
    """The repr is the call that makes the indicator, whatever it has seen since."""
    indicator = kind()
    written = ", ".join(f"{one.name}={one.default!r}" for one in _parameters(kind))
    assert repr(indicator) == f"{kind.__name__}({written})"
    indicator.update(BARS[0])
    assert repr(indicator) == f"{kind.__name__}({written})"


def check_bad_parameters(kind: type[Indicator]) -> None:
    """A parameter out of bounds or of another type is refused by name and value."""
    for parameter in _parameters(kind):
        for bad in (0, -1, 1001, True, "14", None, math.nan, math.inf, [3]):
            with pytest.raises(ValueError, match=f"^{kind.name}: {parameter.name} ") as caught:
                kind(**{parameter.name: bad})
            assert str(caught.value).endswith(f"not {bad!r}")


def check_windows_are_integers(kind: type[Indicator]) -> None:
    """Only the deviations may be fractional: there is no half of a bar."""
    for parameter in _parameters(kind):
        if parameter.name == "deviations":
            continue
        with pytest.raises(ValueError, match="whole number of bars"):
            kind(**{parameter.name: parameter.default + 0.5})


def check_warm_up(kind: type[Indicator]) -> None:
    """An output is None at first, becomes a float, and on moving prices stays one."""
    indicator = kind()
    assert set(indicator.values.values()) == {None}
    seen: set[str] = set()
    for index in range(80):
        indicator.update(Ohlcv(10.0 + index, 12.0 + index, 9.0, 11.0 + index % 7, 100.0))
        warm = {name for name, value in indicator.values.items() if isinstance(value, float)}
        assert seen <= warm
        seen = warm
    assert seen == set(kind.outputs)


def check_constant_input(kind: type[Indicator]) -> None:
    """Nothing raises on prices that never move, traded or not; what has a value is finite."""
    for price in (0.0, 1e-6, 1.0, 0.1 + 0.2, 1e9, 9.9e99):
        for volume in (0.0, 3.0, 9.9e99):
            indicator = kind()
            for _ in range(60):
                indicator.update(Ohlcv.at(price, volume))
                assert_finite(indicator)


def check_extreme_input(kind: type[Indicator]) -> None:
    """The largest and smallest numbers a bar may hold, in turn, leave everything finite."""
    numbers = (9.9e99, 5e-324, 0.0, 1e9, 1e-300, 9.9e99, 1e-6)
    indicator = kind()
    for index in range(200):
        high, low, close, volume = (numbers[index * step % 7] for step in (1, 2, 3, 5))
        indicator.update(Ohlcv(close, max(high, low), min(high, low), close, volume))
        assert_finite(indicator)


def assert_finite(indicator: Indicator) -> None:
    assert all(x is None or math.isfinite(x) for x in indicator.values.values())
    through_json(indicator.state())


def check_state_at_every_prefix(kind: type[Indicator]) -> None:
    """Restored after any bar, an indicator is equal and goes on bit for bit the same."""
    original = kind()
    restored: list[Indicator] = []
    for bar in BARS[:90]:
        restored.append(kind.from_state(through_json(original.state())))
        assert restored[-1] == original
        assert restored[-1].values == original.values
        original.update(bar)
        for one in restored:
            one.update(bar)
            assert one.values == original.values


def check_state_is_bounded(kind: type[Indicator]) -> None:
    """The state stops growing once the indicator is warm."""
    indicator = kind()
    sizes = []
    for bar in BARS:
        indicator.update(bar)
        sizes.append(sum(len(part) if isinstance(part, list) else 1 for part in indicator.state()))
    assert max(sizes) <= 50
    assert max(sizes[60:]) == max(sizes[:60])


def check_bad_state(kind: type[Indicator]) -> None:
    """A state of another shape is refused, and never half accepted."""
    indicator = kind()
    for bar in BARS:
        indicator.update(bar)
    good = indicator.state()
    wrong: list[Any] = [None, {}, "state", 5, [], good[:-1], [*good, 1.0]]
    strange: list[Any] = ["1", True, {}, math.nan, 10**400, [None], ["1"], [1.0] * 1002]
    for place, part in enumerate(good):
        for bad in strange:
            wrong.append([*good[:place], bad, *good[place + 1 :]])
        if isinstance(part, int):
            wrong.append([*good[:place], -1, *good[place + 1 :]])
    for state in wrong:
        with pytest.raises(ValueError, match=kind.__name__):
            kind.from_state(state)


def check_clone(kind: type[Indicator]) -> None:
    """Neither of an indicator and its copy notices what the other takes in."""
    indicator = kind()
    for bar in BARS[:60]:
        indicator.update(bar)
        before = through_json(indicator.state())
        twin = indicator.clone()
        assert twin == indicator
        twin.update(Ohlcv(1.0, 1e6, 0.5, 2.0, 5e6))
        assert indicator.state() == before
        after = through_json(twin.state())
        indicator.clone().update(bar)
        indicator.update(bar)
        assert twin.state() == after
        indicator = indicator.clone()


def check_slots(kind: type[Indicator]) -> None:
    """No indicator has a dictionary: there are many of them, and a typo must not add a field."""
    with pytest.raises(AttributeError):
        kind().typo = 1  # type: ignore[attr-defined]


CHECKS: tuple[Check, ...] = tuple(
    check for name, check in sorted(globals().items()) if name.startswith("check_")
)
