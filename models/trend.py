"""The trend of a ticker: what all its streams are joined into."""

from __future__ import annotations

from typing import Annotated, Literal

import faust
from pydantic import Field

from models import rules
from models.codec import Codec


class Trend(faust.Record, namespace="financial_trends.Trend", include_metadata=False):
    """Where a ticker is heading, how strongly, how surely, and why.

    ``direction`` is up, down or sideways; ``strength`` is 0-100, ``confidence`` 0-1; ``components``
    holds each input's score in -1..1, ``reasons`` the weightiest of them in words.
    """

    ticker: str
    time: int
    direction: str
    strength: float
    confidence: float
    components: dict[str, float]
    reasons: list[str]


TREND = Codec(
    Trend,
    "ticker",
    {
        "ticker": rules.Ticker,
        "time": rules.Time,
        "direction": Literal["up", "down", "sideways"],
        "strength": Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)],
        "confidence": Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)],
        "components": dict[rules.IndicatorName, rules.Number],
        "reasons": list[rules.Title],
    },
)
