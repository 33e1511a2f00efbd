"""The ``trends`` table: per ticker, the trend that was published last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from faust.types import AppT

from tables.checkpointed import Row
from tables.live import LiveTable


@dataclass(slots=True)
class PublishedState:
    """What was published last of a ticker.

    It is kept as the JSON of its row: as a dict it would take five times the memory. The ``offset``
    is the version of the trend, the sum of the offsets of its inputs: like one of them, it only
    grows.
    """

    partition: int
    offset: int = -1
    row: bytes = b'{"offset":-1,"trend":null}'

    @property
    def is_first(self) -> bool:
        """Whether nothing was published yet."""
        return self.offset < 0

    def publish(self, version: int, trend: bytes) -> None:
        """Take note of what is published."""
        self.offset = version
        self.row = b'{"offset":%d,"trend":%s}' % (version, trend)

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offset (see tables.checkpointed)."""
        return self.row

    def says(self, components: Mapping[str, float], weights: Mapping[str, float]) -> bool:
        """Whether these are the components and weights that were published.

        They lie side by side in the JSON, and nothing else in it can look like them: quotes within
        a text are escaped.
        """
        return orjson.dumps({"components": components, "weights": weights})[1:-1] in self.row


class TrendRow(Row):
    """A row of this table, shown with its partition."""

    __slots__ = ()

    def __json__(self) -> Any:
        row = orjson.loads(self.raw)
        return {"partition": self.partition, "version": row["offset"], "trend": row["trend"]}


class TrendTable(LiveTable[PublishedState]):
    """Follows the versions of trends; keyed by ticker."""

    row_type = TrendRow

    def __init__(self, app: AppT) -> None:
        super().__init__(app, name="trends", help="The trend of each ticker, as last published.")

    def new(self, partition: int) -> PublishedState:
        """Return the state of a ticker without a trend."""
        return PublishedState(partition)

    def load(self, key: str, row: Any, partition: int) -> PublishedState:  # noqa: ARG002
        """Return the saved state."""
        state = PublishedState(partition)
        if row["trend"] is not None:
            state.publish(row["offset"], orjson.dumps(row["trend"]))
        return state
