"""The tables of economic series: the two newest periods of each, for its owner and for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from faust.types import AppT

from sinks.documents import as_date
from tables.checkpointed import Row, to_row
from tables.live import LiveTable
from trend import Backdrop, Change


class Observed(NamedTuple):
    """One observation of a series: of two of a period, the later revision is the greater.

    Times are ms since the epoch: of the period, of the publication, and of our getting it.
    """

    time: int
    realtime_start: int
    ingested: int
    value: float


def newest_two(observations: Iterable[Observed]) -> list[Observed]:
    """Return the two newest periods, each at its latest revision, the newest first.

    It depends on nothing but which observations there are.

    >>> revised = Observed(2, 9, 9, 5.1)
    >>> newest_two([Observed(2, 3, 3, 5.0), Observed(1, 2, 2, 4.0), revised])[0] is revised
    True
    """
    found: list[Observed] = []
    for one in sorted(observations, reverse=True):
        if not found or one.time != found[-1].time:
            found.append(one)
    return found[:2]


@dataclass(slots=True)
class SeriesState:
    """The two newest periods of a series, and the offset of the last message applied to them."""

    partition: int
    offset: int = -1
    observations: tuple[Observed, ...] = ()

    def take(self, observations: Iterable[Observed]) -> bool:
        """Take observations in; returns whether they changed anything."""
        before = self.observations
        self.observations = tuple(newest_two((*before, *observations)))
        return self.observations != before

    def change(self) -> Change | None:
        """Return the last two values; None where there is but one."""
        if len(self.observations) < 2:
            return None
        newest, before = self.observations
        return Change(newest.value, before.value)

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offset (see tables.checkpointed)."""
        # orjson takes no named tuples.
        observations = [list(one) for one in self.observations]
        return to_row({"offset": self.offset, "observations": observations})


class SeriesRow(Row):
    """A row of these tables, shown with dates and names."""

    __slots__ = ()

    def __json__(self) -> Any:
        row = orjson.loads(self.raw)
        shown = [
            {
                "time": as_date(time).isoformat(),
                "realtime_start": as_date(known).isoformat(),
                "value": value,
            }
            for time, known, _, value in row["observations"]
        ]
        return {"partition": self.partition, "offset": row["offset"], "observations": shown}


class SeriesTable(LiveTable[SeriesState]):
    """Rows of series, whatever their key."""

    row_type = SeriesRow

    def new(self, partition: int) -> SeriesState:
        """Return the state of a series without observations."""
        return SeriesState(partition)

    def load(self, key: str, row: Any, partition: int) -> SeriesState:  # noqa: ARG002
        """Return the saved state."""
        observations = tuple(Observed(*one) for one in row["observations"])
        return SeriesState(partition, row["offset"], observations)


class EconomyTable(SeriesTable):
    """Follows ``economic-indicators``; keyed by series."""

    def __init__(self, app: AppT) -> None:
        super().__init__(app, name="economy", help="The two newest periods of each series.")


class MacroTable(SeriesTable):
    """Follows ``macro-backdrop``, where every partition has all series; keyed ``partition|series``.

    So each worker has the backdrop of its tickers at hand.
    """

    def __init__(self, app: AppT) -> None:
        super().__init__(app, name="macro", help="All economic series, in each partition.")

    @staticmethod
    def key(partition: int, series: str) -> str:
        """Return the key of a series in a partition."""
        return f"{partition}|{series}"

    def backdrop(self, partition: int) -> tuple[Backdrop, int]:
        """Return the backdrop of a partition, and the offset of the newest message in it."""
        changes: dict[str, Change] = {}
        newest = -1
        for key in list(self.known(partition)):
            state = self.of(key, partition)
            newest = max(newest, state.offset)
            change = state.change()
            if change is not None:
                changes[key.partition("|")[2]] = change
        return Backdrop(changes), newest

    def __getitem__(self, key: str) -> Row:
        """Return the row of a key; of a series alone, any partition's: all say the same.

        Whoever looks into the table over HTTP is sent to the worker that owns the *hash* of the
        key, which tells nothing of the partition in it.
        """
        data: Any = self.data
        if "|" not in key:
            rows = (row for other, row in data.items() if other.partition("|")[2] == key)
            found: Row | None = next(rows, None)
            if found is not None:
                return found
        row: Row = super().__getitem__(key)
        return row
