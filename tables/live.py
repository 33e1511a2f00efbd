"""Live objects over the rows of a table: what changed is marked, and saved by checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

import orjson
from faust.types import AppT

from tables.checkpointed import CheckpointedTable
from transport.checkpoint import Rows


class LiveState(Protocol):
    """What is known of one key, and the offset of the last message applied to it.

    The offset is one of the topic that the table follows, in the key's partition; -1 before the
    first message.
    """

    partition: int
    offset: int

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offset (see tables.checkpointed.to_row)."""


S = TypeVar("S", bound=LiveState)


class LiveTable(CheckpointedTable, Generic[S]):
    """The saved rows, with live objects over them for the keys in use.

    A State for checkpoints (see transport.checkpoint). Subclasses say how a state is made,
    :meth:`new`, and how it is read from its row, :meth:`load`.
    """

    def __init__(self, app: AppT, *, name: str, help: str) -> None:  # noqa: A002 - Faust's name
        super().__init__(app, name=name, help=help)
        self._live: dict[str, S] = {}
        self._dirty: set[str] = set()
        self._told_cold = False

    def new(self, partition: int) -> S:
        """Return the state of a key of which nothing is known."""
        raise NotImplementedError

    def load(self, key: str, row: Any, partition: int) -> S:
        """Return the state that was saved as this row, which is decoded JSON."""
        raise NotImplementedError

    def of(self, key: str, partition: int) -> S:
        """Return the live state of ``key``; a new one where nothing is saved."""
        live = self._live.get(key)
        if live is None:
            live = self.find(key, partition)
            if live is None:
                live = self._live[key] = self.new(partition)
        return live

    def live(self, key: str) -> S | None:
        """Return the state of ``key`` if it is live; None where its row would have to be read."""
        return self._live.get(key)

    def find(self, key: str, partition: int) -> S | None:
        """Return the live state of ``key``; None where nothing is known of it."""
        live = self._live.get(key)
        if live is None:
            raw = self.row(key)
            if raw is not None:
                live = self._live[key] = self.load(key, orjson.loads(raw), partition)
        return live

    def known(self, partition: int) -> Iterator[str]:
        """Return the keys of one partition of which anything is known, saved or not."""
        data: Any = self.data
        yield from (key for key, row in data.items() if row.partition == partition)
        for key, state in self._live.items():
            if state.partition == partition and key not in data:
                yield key

    def mark_dirty(self, key: str) -> None:
        """Have the next checkpoint save ``key``."""
        self._dirty.add(key)

    def cut(self) -> Rows:
        """Return what changed, as it is now (see transport.checkpoint.State)."""
        dirty, self._dirty = self._dirty, set()
        return self.frozen({key: self._live[key] for key in dirty})

    def frozen(self, states: Mapping[str, S]) -> Rows:
        """Return the rows of these states, which do not change with them."""
        return {key: (state.partition, state.dump()) for key, state in states.items()}

    def void(self) -> None:
        """Drop live objects and dirty marks; the saved rows stand."""
        self._live.clear()
        self._dirty.clear()

    def tell_cold(self, logger: logging.Logger, message: str, *arguments: object) -> None:
        """Warn, the first time only, of saved states that are of no use any more."""
        if not self._told_cold:
            self._told_cold = True
            logger.warning(message, *arguments)
