"""The few statistics that the results need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed (nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5), percentile([4.0, 1.0, 3.0, 2.0], 0.99)
    (2.0, 4.0)

    Raises:
        ValueError: there are no values, or ``share`` is not above 0 and at most 1.
    """
    if not values or not 0.0 < share <= 1.0:
        raise ValueError(f"no percentile {share:g} of {len(values)} values")
    rank = -(-len(values) * round(share * 10_000) // 10_000)
    return sorted(values)[rank - 1]


def medians(rounds: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The median of each name over the rounds that have it.

    >>> medians([{"a": 1.0}, {"a": 5.0, "b": 2.0}, {"a": 3.0}])
    {'a': 3.0, 'b': 2.0}
    """
    found: dict[str, list[float]] = {}
    for one in rounds:
        for name, value in one.items():
            found.setdefault(name, []).append(value)
    return {name: median(values) for name, values in found.items()}


def ratios(rounds: Iterable[Mapping[str, float]], ours: str) -> dict[str, float]:
    """How many times the rate of each other name ours is: the median of the rounds' own ratios.

    Within a round both ran on the same messages and within minutes of each other, so what the
    machine did besides falls out, as it does not from a ratio of medians.

    >>> ratios([{"we": 10.0, "they": 5.0}, {"we": 6.0, "they": 2.0}], "we")
    {'they': 2.5}
    """
    return medians(
        {name: one[ours] / value for name, value in one.items() if name != ours}
        for one in rounds
        if ours in one
    )
