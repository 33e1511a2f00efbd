"""The ``followed`` table: what `follow` and `unfollow` have changed about what the sources poll."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from faust.types import AppT

from tables.checkpointed import CheckpointedTable, Row
from transport.checkpoint import Rows

log = logging.getLogger(__name__)

#: What is known of a name: the offset of the last order, and by kind whether it is followed.
Said = Mapping[str, Any]


class FollowedRow(Row):
    """A row of this table, read once: sources ask for all of them at every look."""

    __slots__ = ("said",)

    def __init__(self, raw: bytes, partition: int) -> None:
        super().__init__(raw, partition)
        self.said: Said = orjson.loads(raw)


class FollowedTable(CheckpointedTable):
    """Per name whether it is followed, as a ticker and as an economic series.

    Tickers and series may share a name, and then share a row. The settings say what is followed of
    which there is no row. A State for checkpoints. ``kind`` is ``ticker`` or ``series``.
    """

    row_type = FollowedRow

    def __init__(self, app: AppT) -> None:
        super().__init__(
            app, name="followed", help="Tickers and series that were followed or unfollowed."
        )
        self._live: dict[str, FollowedRow] = {}
        self._dirty: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def order(self, name: str, kind: str, follow: bool, partition: int, offset: int) -> None:
        """Follow ``name`` from now on, or no longer; an order known already changes nothing."""
        said = self._said().get(name, {"offset": -1})
        if offset > said["offset"]:
            # The offset comes first in a row (see tables.checkpointed), as it did before.
            said = {**said, "offset": offset, kind: follow}
            self._live[name] = FollowedRow(orjson.dumps(said), partition)
            self._dirty.add(name)
            self._told.discard((kind, name))

    def names(self, kind: str, start: Iterable[str]) -> list[str]:
        """Return what is followed of ``kind`` here: ``start``, and what orders made of it."""
        said = {name: row[kind] for name, row in self._said().items() if kind in row}
        followed = (name for name, follow in said.items() if follow)
        names = []
        for name in dict.fromkeys([*start, *followed]):
            if said.get(name, True):
                names.append(name)
            elif (kind, name) not in self._told:
                self._told.add((kind, name))
                log.info("%s %s was unfollowed: `faust -A app follow` undoes it", kind, name)
        return names

    def cut(self) -> Rows:
        """Serialise what changed (see transport.checkpoint.State)."""
        dirty, self._dirty = self._dirty, set()
        return {name: (self._live[name].partition, self._live[name].raw) for name in dirty}

    def void(self) -> None:
        """Drop what no checkpoint has saved; the saved rows stand."""
        self._live.clear()
        self._dirty.clear()

    def _said(self) -> dict[str, Said]:
        saved: Any = self.data
        return {name: row.said for name, row in [*saved.items(), *self._live.items()]}
