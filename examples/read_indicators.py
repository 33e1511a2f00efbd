"""Read a ticker's closes and indicators from MongoDB into a pandas table.

::

    python -m examples.read_indicators AAPL

MongoDB is the one of the settings (``make up`` starts one, ``make status`` says where).
"""

from __future__ import annotations

import argparse
import sys

import pandas as pd
from pymongo.errors import PyMongoError

from config import Settings, settings
from sinks.documents import STOCK_PRICES
from sinks.mongo import connect, database


def read(ticker: str, interval: str = "1d", *, where: Settings | None = None) -> pd.DataFrame:
    """Return the closed bars of ``ticker`` by time: ``close``, and a column for each indicator."""
    chosen = settings() if where is None else where
    query = {"ticker": ticker, "interval": interval, "closed": True}
    wanted = {"_id": 0, "time": 1, "close": 1, "indicators": 1}
    with connect(chosen) as client:
        found = database(client, chosen)[STOCK_PRICES].find(query, wanted).sort("time")
        rows = [
            {"time": bar["time"], "close": bar["close"], **bar.get("indicators", {})}
            for bar in found
        ]
    return pd.DataFrame(rows, columns=None if rows else ["time", "close"]).set_index("time")


def main() -> int:
    """Read the command line, print the last bars."""
    parser = argparse.ArgumentParser(description="Print the last bars of a ticker.")
    parser.add_argument("ticker")
    parser.add_argument(
        "--interval", default="1d", help="length of the bars (default: %(default)s)"
    )
    given = parser.parse_args()
    try:
        table = read(given.ticker, given.interval)
    except PyMongoError as error:
        sys.stderr.write(f"error: no MongoDB at {settings().mongodb_address}: {error}\n")
        return 1
    if table.empty:
        sys.stderr.write(f"no closed {given.interval} bars of {given.ticker} are stored\n")
        return 1
    sys.stdout.write(f"{table.tail(10).round(2).to_string()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
