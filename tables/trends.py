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
    """What was published last of a ticker: the JSON of its trend, None before the first.

    It is kept as it was sent: as a dict it would take five times the memory. The ``offset`` is the
    version of the trend, the sum of the offsets of its inputs: like one of them, it only grows.
    """

    partition: int
    offset: int = -1
    trend: bytes | None = None

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offset (see tables.checkpointed)."""
        return b'{"offset":%d,"trend":%s}' % (self.offset, self.trend or b"null")

    def says(self, components: Mapping[str, float], weights: Mapping[str, float]) -> bool:
        """Whether these are the components and weights that were published.

        They lie side by side in the JSON, and nothing else in it can look like them: quotes within
        a text are escaped.
        """
        sought = orjson.dumps({"components": components, "weights": weights})[1:-1]
        return self.trend is not None and sought in self.trend


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
        trend = row["trend"]
        return PublishedState(
            partition, row["offset"], None if trend is None else orjson.dumps(trend)
        )
