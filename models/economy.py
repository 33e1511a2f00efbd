"""Observations of macroeconomic series."""

from __future__ import annotations

from typing import Annotated, Any

import faust
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from models import rules
from models.codec import Codec


class EconomicObservation(
    faust.Record, namespace="financial_trends.EconomicObservation", include_metadata=False
):
    """The value of one series for one period, as it was known from ``realtime_start`` on.

    ``time`` is the start of the period and ``realtime_start`` the day of the (revised) publication,
    both ms since the epoch, UTC.
    """

    series: str
    time: int
    value: float
    realtime_start: int
    source: str
    ingested: int
    title: str = ""
    units: str = ""
    frequency: str = ""


ECONOMIC_OBSERVATION = Codec(
    EconomicObservation,
    "series",
    {
        "series": rules.Series,
        "time": rules.Time,
        "value": rules.Number,
        "realtime_start": rules.Time,
        "source": rules.Label,
        "ingested": rules.Time,
        "title": rules.Title,
        "units": rules.Label,
        "frequency": rules.Label,
    },
    times=("time", "realtime_start"),
)


class SeriesUpdate(faust.Record, namespace="financial_trends.SeriesUpdate", include_metadata=False):
    """The two newest periods of a series, each at its latest revision, the newest first.

    ``time`` is the start of the newest one, ms since the epoch; ``observations`` have the fields
    ``time``, ``realtime_start``, ``ingested`` and ``value`` of an :class:`EconomicObservation`.
    """

    series: str
    time: int
    observations: list[dict[str, Any]]


@with_config(ConfigDict(strict=True, extra="ignore"))
class _Observed(TypedDict):
    time: rules.Time
    realtime_start: rules.Time
    ingested: rules.Time
    value: rules.Number


SERIES_UPDATE = Codec(
    SeriesUpdate,
    "series",
    {
        "series": rules.Series,
        "time": rules.Time,
        "observations": Annotated[list[_Observed], Field(min_length=1, max_length=2)],
    },
)
