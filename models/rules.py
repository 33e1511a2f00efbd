"""The rules that fields of Records obey, as types that pydantic checks strictly.

Strictly means: ``true`` is no number, ``"5"`` is no number, NaN and infinity are none either.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

TICKER_PATTERN = r"^[A-Z0-9^][A-Z0-9.\-=^&]{0,31}$"
INTERVAL_PATTERN = r"^[1-9][0-9]{0,2}(s|m|h|d|wk|mo)$"

DAY_MS = 86_400_000
#: 1600-01-01; macro series reach back far before 1970.
EARLIEST_MS = -11_676_096_000_000
#: 9999-12-31, the last day that Python can write.
LATEST_MS = 253_402_300_799_999

Ticker = Annotated[str, Field(pattern=TICKER_PATTERN)]
Interval = Annotated[str, Field(pattern=INTERVAL_PATTERN)]
Series = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-^=]{1,64}$")]
#: Milliseconds since the epoch, UTC. That it is not in the future is checked against the clock.
Time = Annotated[int, Field(ge=EARLIEST_MS, le=LATEST_MS)]
#: Bounded so that no sum or square of a window can overflow a float.
MOST_PRICE = 1e15
MOST_VOLUME = 1e18
Price = Annotated[float, Field(ge=0, le=MOST_PRICE, allow_inf_nan=False)]
Volume = Annotated[float, Field(ge=0, le=MOST_VOLUME, allow_inf_nan=False)]
#: A sum of offsets.
Version = Annotated[int, Field(ge=0, le=2**63 - 1)]
Number = Annotated[float, Field(ge=-1e300, le=1e300, allow_inf_nan=False)]
Sentiment = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Identifier = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]+$")]
Label = Annotated[str, Field(max_length=256)]
Title = Annotated[str, Field(max_length=2_000)]
Text = Annotated[str, Field(max_length=100_000)]
Url = Annotated[str, Field(max_length=4_096)]
IndicatorName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
IndicatorValues = Annotated[dict[IndicatorName, Number | None], Field(min_length=1, max_length=200)]

_ticker = re.compile(TICKER_PATTERN)


def is_ticker(text: str) -> bool:
    """Return whether ``text`` may be a ticker."""
    return _ticker.fullmatch(text) is not None


def check_ticker(ticker: str) -> str:
    """Return ``ticker`` if it is one.

    Raises:
        ValueError: it is empty, over-long or has characters that no ticker has.
    """
    if not is_ticker(ticker):
        raise ValueError(
            f"{ticker!r} is no ticker: 1 to 32 characters of A-Z 0-9 . - = ^ & (for example "
            "AAPL, BRK-B, ^GSPC, EURUSD=X)"
        )
    return ticker
