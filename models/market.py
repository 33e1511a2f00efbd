"""Prices and what is computed from them."""

from __future__ import annotations

from typing import Optional

import faust

from models import rules
from models.codec import Codec, Fields


class Bar(faust.Record, namespace="financial_trends.Bar", include_metadata=False):
    """Open, high, low, close and volume of one ticker over one interval.

    ``time`` and ``ingested`` are ms since the epoch, UTC; ``time`` is the opening time. Prices are
    in the quote currency and adjusted for splits, not for dividends (``adjusted_close`` is
    adjusted for both); ``volume`` is in shares. ``closed`` is False while the bar is still forming.
    """

    ticker: str
    interval: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    source: str
    ingested: int
    adjusted_close: Optional[float] = None  # noqa: UP045 - Faust reads Optional, not unions
    closed: bool = True


class IndicatorSnapshot(
    faust.Record, namespace="financial_trends.IndicatorSnapshot", include_metadata=False
):
    """The values of indicators at one bar; None where an indicator is not warm yet."""

    ticker: str
    interval: str
    time: int
    values: dict[str, Optional[float]]  # noqa: UP045
    source: str
    closed: bool = True


def _high_over_low(bar: Fields) -> tuple[str, str] | None:
    if bar["high"] < bar["low"]:
        return "high", f"is below low ({bar['low']!r})"
    return None


BAR = Codec(
    Bar,
    "ticker",
    {
        "ticker": rules.Ticker,
        "interval": rules.Interval,
        "time": rules.Time,
        "open": rules.Price,
        "high": rules.Price,
        "low": rules.Price,
        "close": rules.Price,
        "volume": rules.Volume,
        "source": rules.Label,
        "ingested": rules.Time,
        "adjusted_close": rules.Price | None,
        "closed": bool,
    },
    check=_high_over_low,
)

INDICATOR_SNAPSHOT = Codec(
    IndicatorSnapshot,
    "ticker",
    {
        "ticker": rules.Ticker,
        "interval": rules.Interval,
        "time": rules.Time,
        "values": rules.IndicatorValues,
        "source": rules.Label,
        "closed": bool,
    },
)
