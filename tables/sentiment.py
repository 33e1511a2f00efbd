"""The sentiment tables: per ticker, what the texts of one topic said in the last 24 hours."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import orjson
from faust.types import AppT

from indicators.rolling_sentiment import RollingSentiment
from sinks.documents import as_date
from tables.checkpointed import Row, to_row
from tables.live import LiveTable
from trend import Opinion

log = logging.getLogger(__name__)


@dataclass(slots=True)
class SentimentState:
    """The rolling sentiment of one ticker, and the offset of the last text applied to it."""

    partition: int
    rolling: RollingSentiment
    offset: int = -1

    def opinion(self, time_ms: int) -> Opinion | None:
        """Return what the trend reads at a time not before the newest text; None without texts."""
        mean = self.rolling.mean
        if mean is None:
            return None
        return Opinion(mean, self.rolling.weight_at(time_ms), self.rolling.count)

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offset (see tables.checkpointed)."""
        return to_row(
            {
                "offset": self.offset,
                "half_life_s": self.rolling.half_life_s,
                "rolling": self.rolling.state(),
            }
        )


class SentimentRow(Row):
    """A row of these tables, shown with the mean and the counts rather than the sums and ids."""

    __slots__ = ()

    def __json__(self) -> Any:
        row = orjson.loads(self.raw)
        rolling = RollingSentiment.from_state(row["half_life_s"], row["rolling"])
        newest = rolling.newest
        return {
            "partition": self.partition,
            "offset": row["offset"],
            "half_life_s": rolling.half_life_s,
            "newest": None if newest is None else as_date(newest).isoformat(),
            "mean": rolling.mean,
            "weight": None if newest is None else rolling.weight_at(newest),
            "texts_by_hour": rolling.counts(),
        }


class SentimentTable(LiveTable[SentimentState]):
    """Follows one topic of texts; keyed by ticker.

    Args:
        app: the application.
        kind: ``news``, ``twitter`` or ``reddit``.
        half_life_s: age at which a text counts half, in seconds.
    """

    row_type = SentimentRow

    def __init__(self, app: AppT, kind: str, half_life_s: float) -> None:
        super().__init__(
            app, name=f"{kind}_sentiment", help=f"Sentiment of 24 hours of each ticker: {kind}."
        )
        self.half_life_s = half_life_s

    def new(self, partition: int) -> SentimentState:
        """Return the state of a ticker without texts."""
        return SentimentState(partition, RollingSentiment(self.half_life_s))

    def load(self, key: str, row: Any, partition: int) -> SentimentState:
        """Return the saved state; sums under another half-life are of no use, and start cold."""
        if row["half_life_s"] == self.half_life_s:
            rolling = RollingSentiment.from_state(self.half_life_s, row["rolling"])
            return SentimentState(partition, rolling, row["offset"])
        self.tell_cold(
            log,
            "%s: the stored sentiment of %s has a half-life of %g s and the setting "
            "SENTIMENT_HALF_LIFE_S is %g: it starts cold, as does that of all tickers",
            self.name,
            key,
            row["half_life_s"],
            self.half_life_s,
        )
        return SentimentState(partition, RollingSentiment(self.half_life_s), row["offset"])
