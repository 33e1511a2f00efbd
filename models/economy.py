"""Observations of macroeconomic series."""

from __future__ import annotations

import faust

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
