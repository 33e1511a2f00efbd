"""Orders to the worker that owns a ticker, or an economic series."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import faust
from pydantic import Field

from models import rules
from models.codec import Codec

Action = Literal["recompute", "follow", "unfollow"]
Kind = Literal["ticker", "series"]


class Command(faust.Record, namespace="financial_trends.Command", include_metadata=False):
    """What to do with ``ticker``, which is a series' name where ``kind`` is ``series``.

    ``recompute``: rebuild a ticker's state and documents from its first stored bar. ``follow`` and
    ``unfollow``: have the sources poll it from now on, or no longer.
    """

    ticker: str
    action: str
    time: int
    kind: str = "ticker"


def _check(fields: dict[str, Any]) -> tuple[str, str] | None:
    if fields["kind"] == "ticker" and not rules.is_ticker(fields["ticker"]):
        return "ticker", "a ticker has 1 to 32 characters of A-Z 0-9 . - = ^ &"
    if fields["kind"] == "series" and fields["action"] == "recompute":
        return "kind", "only tickers are recomputed"
    return None


COMMAND = Codec(
    Command,
    "ticker",
    {
        "ticker": Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-^=&]{1,64}$")],
        "action": Action,
        "time": rules.Time,
        "kind": Kind,
    },
    check=_check,
)


def recompute_orders(tickers: Iterable[str]) -> list[Command]:
    """Return the orders to rebuild ``tickers``, given now.

    Raises:
        InvalidRecord: one of them is no ticker.
    """
    return _orders(tickers, "recompute", "ticker")


def follow_orders(names: Iterable[str], kind: Kind = "ticker") -> list[Command]:
    """Return the orders to poll ``names`` from now on.

    Raises:
        InvalidRecord: one of them is no ticker, or no series.
    """
    return _orders(names, "follow", kind)


def unfollow_orders(names: Iterable[str], kind: Kind = "ticker") -> list[Command]:
    """Return the orders to poll ``names`` no longer.

    Raises:
        InvalidRecord: one of them is no ticker, or no series.
    """
    return _orders(names, "unfollow", kind)


def _orders(names: Iterable[str], action: Action, kind: Kind) -> list[Command]:
    now = int(time.time() * 1000)
    return [
        COMMAND.parse({"ticker": name, "action": action, "time": now, "kind": kind})
        for name in names
    ]
