"""Orders to the owners of tickers and series."""

from __future__ import annotations

import orjson
import pytest

from errors import InvalidRecord
from models import COMMAND, follow_orders, recompute_orders, unfollow_orders


def test_orders_say_what_to_do() -> None:
    orders = [*recompute_orders(["AAPL"]), *follow_orders(["^GSPC"]), *unfollow_orders(["IBM"])]
    orders += follow_orders(["CP0000EZ19M086NEST"], "series")
    assert [(one.ticker, one.action, one.kind) for one in orders] == [
        ("AAPL", "recompute", "ticker"),
        ("^GSPC", "follow", "ticker"),
        ("IBM", "unfollow", "ticker"),
        ("CP0000EZ19M086NEST", "follow", "series"),
    ]


def test_an_order_of_an_older_version_is_about_a_ticker() -> None:
    old = orjson.dumps({"ticker": "AAPL", "action": "recompute", "time": 1_700_000_000_000})
    assert COMMAND.decode(b"AAPL", old).kind == "ticker"


@pytest.mark.parametrize("name", ["", "aapl", "A B", "A" * 33])
def test_what_is_no_ticker_is_refused(name: str) -> None:
    with pytest.raises(InvalidRecord, match="ticker"):
        follow_orders([name])


def test_series_are_not_recomputed() -> None:
    fields = {"ticker": "GDP", "action": "recompute", "time": 1_700_000_000_000, "kind": "series"}
    with pytest.raises(InvalidRecord, match="only tickers are recomputed"):
        COMMAND.parse(fields)
