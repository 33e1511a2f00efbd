"""The loops over a set of indicators, unrolled: straight code with a line for each of them.

CPython specialises a line of code for the kind of object that it meets there. In a loop one line
meets fourteen kinds and stays slow; unrolled, the same work takes about half the time.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from indicators.base import Bar, Indicator


class Unrolled(NamedTuple):
    """What is done with the indicators of a set, given in the order of their kinds.

    Attributes:
        update: gives a bar to each.
        values: returns the current value of every output, by name.
    """

    update: Callable[[Sequence[Indicator], Bar], None]
    values: Callable[[Sequence[Indicator]], dict[str, float | None]]


@cache
def unrolled(kinds: tuple[type[Indicator], ...]) -> Unrolled:
    """Return the functions for sets of these kinds.

    >>> from indicators import OBV, SMA, Ohlcv
    >>> update, values = unrolled((SMA, OBV))
    >>> indicators = [SMA(1), OBV()]
    >>> update(indicators, Ohlcv.at(10.0, 500.0))
    >>> values(indicators)
    {'sma': 10.0, 'obv': 500.0}
    """
    names = [f"one_{number}" for number in range(len(kinds))]
    unpack = f"    [{', '.join(names)}] = indicators"
    outputs = [
        f"{output!r}: {name}.{output}"
        for name, kind in zip(names, kinds, strict=True)
        for output in kind.outputs
    ]
    source = "\n".join(
        [
            "def update(indicators, bar):",
            unpack,
            *(f"    {name}.update(bar)" for name in names),
            "def values(indicators):",
            unpack,
            f"    return {{{', '.join(outputs)}}}",
        ]
    )
    namespace: dict[str, Any] = {}
    # The text is made of attribute names of our own classes, as a dataclass makes its methods.
    exec(source, namespace)  # noqa: S102
    return Unrolled(namespace["update"], namespace["values"])
