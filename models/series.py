"""Bars in bulk: the history of a ticker at one interval, as columns."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Annotated, Any, Optional

import faust
from pydantic import Field, ValidationError

from errors import InvalidRecord
from models import rules
from models.codec import Codec, Fields

#: Most bars of one message: some 50 kB of JSON.
MOST_BARS = 500

#: The columns that are numbers of the bar; beside them stand ``time`` and ``adjusted_close``.
NUMBERS = ("open", "high", "low", "close", "volume")


class BarSeries(faust.Record, namespace="financial_trends.BarSeries", include_metadata=False):
    """Closed bars of one ticker and interval, oldest first: a column a field, as long as ``time``.

    All fields mean what they mean in a :class:`models.Bar`; ``source`` and ``ingested`` are those
    of all bars. ``adjusted_close`` is None where no bar has one.
    """

    ticker: str
    interval: str
    source: str
    ingested: int
    time: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    adjusted_close: Optional[list[Optional[float]]] = None  # noqa: UP045 - Faust reads Optional


def _column(rule: Any) -> Any:
    return Annotated[list[rule], Field(min_length=1, max_length=MOST_BARS)]


class SeriesCodec(Codec[BarSeries]):
    """The codec of series: what is wrong with one bar names its row, counted from 0."""

    def _complaint(self, error: ValidationError) -> InvalidRecord:
        problem = super()._complaint(error)
        field, _, row = problem.field.partition(".")
        if not row.isdecimal():
            return problem
        problem.field = field
        return problem.at_row(int(row))


def _check(fields: Fields) -> tuple[str, str] | None:
    """Compare the columns with each other.

    Raises:
        InvalidRecord: a row breaks a rule of several fields.
    """
    times: list[int] = fields["time"]
    for name in (*NUMBERS, "adjusted_close"):
        column = fields[name]
        if column is not None and len(column) != len(times):
            return name, f"has {len(column)} values for {len(times)} bars: give one for each time"
    for row, (one, after) in enumerate(pairwise(times), start=1):
        if after <= one:
            raise InvalidRecord(
                "time", after, f"does not come after {one}: sort the bars, each time once", row
            )
    if times[-1] > time.time() * 1000 + rules.DAY_MS:
        raise InvalidRecord("time", times[-1], "lies more than a day in the future", len(times) - 1)
    for row, (high, low) in enumerate(zip(fields["high"], fields["low"], strict=True)):
        if high < low:
            raise InvalidRecord("high", high, f"is below low ({low!r})", row)
    return None


BAR_SERIES = SeriesCodec(
    BarSeries,
    "ticker",
    {
        "ticker": rules.Ticker,
        "interval": rules.Interval,
        "source": rules.Label,
        "ingested": rules.Time,
        "time": _column(rules.Time),
        "open": _column(rules.Price),
        "high": _column(rules.Price),
        "low": _column(rules.Price),
        "close": _column(rules.Price),
        "volume": _column(rules.Volume),
        "adjusted_close": _column(rules.Price | None) | None,
    },
    check=_check,
    times=(),
)
