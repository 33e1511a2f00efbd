"""Real daily bars that come with a package: five US stocks, the last of them on 2013-03-01.

`bokeh_sampledata.stocks` holds 12,154 rows from the public Quandl WIKI set: AAPL, IBM and MSFT from
2000-03-01, GOOG from 2004-08-19, FB from 2012-05-18. What it records:

- ``open``, ``high``, ``low``, ``close`` and ``volume`` as they were traded: on the day of a 2:1
  split the price halves.
- ``adj_close``, the close adjusted for splits *and* dividends, those after 2013 included. So even
  on the last day it differs from the close (AAPL split 7:1 in 2014).

Bars must be adjusted for splits and not for dividends, or every indicator would take a split for a
crash. `bars` derives that from the recording alone, see `split_ratios`. Prices are then in shares
as they stood on the last recorded day. The recording has three splits: AAPL on 2000-06-21 and
2005-02-28, MSFT on 2003-02-18, each 2:1.

The same bars by hand: divide the recorded prices of all days before a split by its ratio, multiply
the volumes by it; leave IBM, GOOG and FB as they are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from errors import SourceUnavailable
from models import BAR, Bar

#: The source that recorded bars name.
SOURCE = "replay"

#: The tickers that are recorded.
TICKERS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")

INTERVAL = "1d"

#: No dividend moves the adjustment so far in one day (the greatest recorded is MSFT's special
#: dividend of 2004: 1.11), and no usual split moves it less (3:2).
SMALLEST_SPLIT = 1.4

#: How far adjustment and prices may each be from a ratio of whole or half numbers.
ADJUSTMENT_TOLERANCE = 0.02
OVERNIGHT_TOLERANCE = 0.15


def bars(ticker: str) -> list[Bar]:
    """Return the closed daily bars of ``ticker``, oldest first, adjusted for splits.

    ``time`` is midnight UTC of the trading day. Reads from disk the first time: call it from a
    thread in async code.

    Raises:
        SourceUnavailable: ``ticker`` is not recorded, or the package is missing.
    """
    if ticker not in TICKERS:
        raise SourceUnavailable(f"{ticker!r} is not recorded; these are: {', '.join(TICKERS)}")
    columns = _columns(ticker)
    shares = _shares_per_share(
        split_ratios(columns["open"], columns["close"], columns["adj_close"])
    )
    received = int(time.time() * 1000)
    return [
        BAR.parse(
            {
                "ticker": ticker,
                "interval": INTERVAL,
                "time": _midnight_ms(date),
                "open": columns["open"][i] / shares[i],
                "high": columns["high"][i] / shares[i],
                "low": columns["low"][i] / shares[i],
                "close": columns["close"][i] / shares[i],
                "volume": columns["volume"][i] * shares[i],
                "adjusted_close": columns["adj_close"][i],
                "source": SOURCE,
                "ingested": received,
            }
        )
        for i, date in enumerate(columns["date"])
    ]


def split_ratios(
    opens: Sequence[float], closes: Sequence[float], adjusted: Sequence[float]
) -> list[float]:
    """Return for each day the new shares per old share on that morning, 1.0 without a split.

    A day counts as a split only where two things agree on the ratio, a multiple of one half: the
    jump of ``adjusted / closes`` from the day before, and the fall of the price overnight. The
    adjustment alone could be a huge dividend, the price alone a crash (AAPL halved on 2000-09-29).

    >>> split_ratios([101.0, 50.5], [101.25, 55.5], [50.625, 55.5])
    [1.0, 2.0]
    """
    ratios = [1.0]
    for day in range(1, len(closes)):
        jump = (adjusted[day] / closes[day]) / (adjusted[day - 1] / closes[day - 1])
        overnight = closes[day - 1] / opens[day]
        ratio = round(jump * 2) / 2
        certain = (
            jump >= SMALLEST_SPLIT
            and abs(jump / ratio - 1) <= ADJUSTMENT_TOLERANCE
            and abs(overnight / ratio - 1) <= OVERNIGHT_TOLERANCE
        )
        ratios.append(ratio if certain else 1.0)
    return ratios


def _shares_per_share(ratios: Sequence[float]) -> list[float]:
    """Return for each day what one share of that day is on the last day."""
    shares = [1.0] * len(ratios)
    for day in range(len(ratios) - 2, -1, -1):
        shares[day] = shares[day + 1] * ratios[day + 1]
    return shares


def _columns(ticker: str) -> dict[str, Any]:
    try:
        # Here and not above: reading the file takes a tenth of a second, and most never need it.
        from bokeh_sampledata import stocks  # noqa: PLC0415
    except ImportError as error:
        raise SourceUnavailable(
            "the recorded prices are missing: `pip install bokeh_sampledata`, "
            "or use `--source simulated`"
        ) from error
    columns: dict[str, Any] = getattr(stocks, ticker)
    return columns


def _midnight_ms(date: str) -> int:
    return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp() * 1000)
