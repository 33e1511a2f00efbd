"""The ``alerts`` table: per ticker, what its alert rules remember."""

from __future__ import annotations

from typing import Any

import orjson
from faust.types import AppT

from alerts import AlertState, RuleBook
from tables.checkpointed import Row
from tables.live import LiveTable


class AlertRow(Row):
    """A row of this table, with names for what rules remember."""

    __slots__ = ()

    def __json__(self) -> Any:
        row = orjson.loads(self.raw)
        rules = {
            key: {"holds": level, "fired": fired, "memory": memory}
            for key, (_, memory, level, fired) in row["rules"].items()
        }
        return {
            "partition": self.partition,
            "offsets": row["marks"],
            "rules": rules,
            "heard": row["heard"],
        }


class AlertTable(LiveTable[AlertState]):
    """Follows all topics that rules read, by an offset of each; keyed by ticker.

    To be registered with checkpoints before the tables whose values rules read: what a rule has
    seen must never be behind them. A message that they apply again after a crash is then passed
    over here by its offset, and the alert that it fired was stored before any row was saved.
    """

    row_type = AlertRow

    def __init__(self, app: AppT, book: RuleBook) -> None:
        super().__init__(app, name="alerts", help="What the alert rules remember of each ticker.")
        self._book = book

    def new(self, partition: int) -> AlertState:
        """Return the state of a ticker whose rules have seen nothing."""
        return AlertState(partition)

    def load(self, key: str, row: Any, partition: int) -> AlertState:  # noqa: ARG002
        """Return the saved state, without what is of rules that are no more."""
        return AlertState.restored(partition, row, self._book)
