"""The document and the snapshot of a bar, as every contestant writes them.

The same as `sinks.documents` and the prices agent make, which a test compares; here without the
program's packages, because contestants run under other interpreters, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from indicators import Ohlcv

COLLECTION = "stock_prices"


def ohlcv(bar: Mapping[str, Any]) -> Ohlcv:
    """The numbers of a bar, as indicators read them."""
    return Ohlcv(bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"])


def document_id(bar: Mapping[str, Any]) -> str:
    """The business key of a bar."""
    return f"{bar['ticker']}|{bar['interval']}|{bar['time']}"


def document(bar: Mapping[str, Any], values: Mapping[str, float | None]) -> dict[str, Any]:
    """The document of a bar with the indicators at it, ``_id`` included."""
    return {
        "_id": document_id(bar),
        "ticker": bar["ticker"],
        "interval": bar["interval"],
        "time": datetime.fromtimestamp(bar["time"] / 1000, UTC),
        "open": bar["open"],
        "high": bar["high"],
        "low": bar["low"],
        "close": bar["close"],
        "volume": bar["volume"],
        "adjusted_close": bar.get("adjusted_close"),
        "source": bar["source"],
        "closed": bar.get("closed", True),
        "ingested": datetime.fromtimestamp(bar["ingested"] / 1000, UTC),
        "indicators": values,
    }


def snapshot(bar: Mapping[str, Any], values: Mapping[str, float | None]) -> dict[str, Any]:
    """The message that tells others of the indicators at a bar."""
    return {
        "ticker": bar["ticker"],
        "interval": bar["interval"],
        "time": bar["time"],
        "values": values,
        "source": "financial-trends",
        "closed": bar.get("closed", True),
    }
