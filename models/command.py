"""Orders to the worker that owns a ticker."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

import faust

from models import rules
from models.codec import Codec


class Command(faust.Record, namespace="financial_trends.Command", include_metadata=False):
    """``recompute``: rebuild a ticker's state and documents from its first stored bar."""

    ticker: str
    action: str
    time: int


COMMAND = Codec(
    Command,
    "ticker",
    {"ticker": rules.Ticker, "action": Literal["recompute"], "time": rules.Time},
)


def recompute_orders(tickers: Iterable[str]) -> list[Command]:
    """Return the orders to rebuild ``tickers``, given now.

    Raises:
        InvalidRecord: one of them is no ticker.
    """
    now = int(time.time() * 1000)
    return [
        COMMAND.parse({"ticker": ticker, "action": "recompute", "time": now}) for ticker in tickers
    ]
