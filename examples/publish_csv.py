"""Publish the bars of a CSV file, such as one that a broker or yfinance exports.

The file has a header such as ``Date,Open,High,Low,Close,Volume``; prices are adjusted for splits,
and the workers store each bar with its indicators::

    python -m examples.publish_csv AAPL aapl.csv

Kafka is the one of the settings (``make up`` starts one, ``make status`` says where).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from errors import FinancialTrendsError
from kafka_producer import FinancialDataProducer


def publish(ticker: str, path: Path) -> int:
    """Publish the daily bars in ``path``; return how many the broker acknowledged.

    Raises:
        InvalidRecord: a row breaks a rule; nothing was sent.
        BrokerUnavailable: Kafka does not answer.
    """
    frame = pd.read_csv(path, index_col=0, parse_dates=True)
    with FinancialDataProducer() as producer:
        return producer.produce_stock_data(ticker, frame.assign(source=path.name))


def main() -> int:
    """Read the command line, publish, say how many."""
    parser = argparse.ArgumentParser(description="Publish the daily bars of a CSV file.")
    parser.add_argument("ticker")
    parser.add_argument("path", type=Path, help="columns: Date,Open,High,Low,Close,Volume")
    given = parser.parse_args()
    try:
        sent = publish(given.ticker, given.path)
    except (FinancialTrendsError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{sent} bars of {given.ticker} acknowledged\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
