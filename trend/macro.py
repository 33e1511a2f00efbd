"""The macro backdrop: which way each economic series moved, and what that means for prices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple


class Change(NamedTuple):
    """The value of an economic series in its last two periods, in the series' units."""

    value: float
    before: float


class Reading(NamedTuple):
    """How a series is read.

    Its change is the difference of its last two periods, in percent of the earlier one where it is
    ``relative``. What is ``usual`` says nothing; a change of ``scale`` beyond that scores
    tanh(1) = 0.76, up where more is good for prices (``sense`` 1), down where it is bad (-1).
    """

    sense: int
    relative: bool
    usual: float
    scale: float


#: The series that have a say. Growth and a steep curve are good; inflation, unemployment, dear
#: money and fear are bad. Usual are 1.2 % of (nominal) growth a quarter and 0.2 % of inflation a
#: month.
READINGS: dict[str, Reading] = {
    "GDP": Reading(1, True, 1.2, 1.0),
    "CPIAUCSL": Reading(-1, True, 0.2, 0.3),
    "UNRATE": Reading(-1, False, 0.0, 0.2),
    "FEDFUNDS": Reading(-1, False, 0.0, 0.25),
    "DGS10": Reading(-1, False, 0.0, 0.1),
    "T10Y2Y": Reading(1, False, 0.0, 0.1),
    "VIXCLS": Reading(-1, True, 0.0, 10.0),
}


class Backdrop:
    """What the economic series say together; it does not change.

    >>> backdrop = Backdrop({"UNRATE": Change(4.5, 4.0), "T10Y2Y": Change(0.4, 0.4)})
    >>> {series: round(score, 2) for series, score in backdrop.scores.items()}
    {'UNRATE': -0.99, 'T10Y2Y': 0.0}
    >>> backdrop.text
    'the macro backdrop is adverse: UNRATE +0.50'
    """

    def __init__(self, changes: Mapping[str, Change]) -> None:
        self.changes = changes

    @cached_property
    def scores(self) -> dict[str, float]:
        """The score of each series that has a say and of which two periods are known, -1 to 1."""
        scores = {}
        for series, reading in READINGS.items():
            change = self.changes.get(series)
            size = None if change is None else moved(series, change)
            if size is not None:
                scores[series] = reading.sense * math.tanh((size - reading.usual) / reading.scale)
        return scores

    @cached_property
    def score(self) -> float:
        """The mean of the series' scores; 0 where there is none."""
        return sum(self.scores.values()) / max(1, len(self.scores))

    @cached_property
    def share(self) -> float:
        """How many of the series that have a say are known, 0 to 1."""
        return len(self.scores) / len(READINGS)

    @cached_property
    def text(self) -> str:
        """The two series that say most of what all say together, in words."""
        agreeing = {series: one * self.score for series, one in self.scores.items()}
        weighty = sorted(agreeing, key=lambda series: -agreeing[series])[:2]
        said = ", ".join(self._change(series) for series in weighty if agreeing[series] > 0)
        return f"the macro backdrop is {'favourable' if self.score > 0 else 'adverse'}: {said}"

    def _change(self, series: str) -> str:
        size = moved(series, self.changes[series])
        return f"{series} {size:+.2f}{'%' if READINGS[series].relative else ''}"


def moved(series: str, change: Change) -> float | None:
    """Return by how much a series moved: in percent, or in its units (see :class:`Reading`).

    None where no percentage can be told.

    >>> moved("GDP", Change(102.0, 100.0)), moved("UNRATE", Change(4.0, 3.5))
    (2.0, 0.5)
    """
    difference = change.value - change.before
    if not READINGS[series].relative:
        return difference
    return 100.0 * difference / abs(change.before) if change.before else None
