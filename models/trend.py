"""The trend of a ticker: what all its streams are joined into."""

from __future__ import annotations

from typing import Annotated, Literal

import faust
from pydantic import Field

from models import rules
from models.codec import Codec


class Trend(faust.Record, namespace="financial_trends.Trend", include_metadata=False):
    """Where a ticker is heading, how strongly, how surely, and why.

    ``time`` is that of the newest bar, item or post of the ticker, ms since the epoch, and
    ``version`` grows with every message that went into it: of two trends of a ticker, the one with
    the later time counts, then the one with the greater version.

    ``direction`` is up, down or sideways; ``strength`` is 0-100, ``confidence`` 0-1; ``components``
    holds each input's score in -1..1, ``weights`` what each of them counted, together the
    confidence, ``reasons`` the weightiest of them in words.
    """

    ticker: str
    time: int
    version: int
    direction: str
    strength: float
    confidence: float
    components: dict[str, float]
    weights: dict[str, float]
    reasons: list[str]


TREND = Codec(
    Trend,
    "ticker",
    {
        "ticker": rules.Ticker,
        "time": rules.Time,
        "version": rules.Version,
        "direction": Literal["up", "down", "sideways"],
        "strength": Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)],
        "confidence": Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)],
        "components": dict[rules.IndicatorName, rules.Number],
        "weights": dict[rules.IndicatorName, Annotated[float, Field(ge=0, le=1)]],
        "reasons": list[rules.Title],
    },
)
