"""How far back Yahoo has bars of each length, and how much of that is asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from errors import ConfigurationError
from sources.market_hours import DAY_MS

#: How far back Yahoo has bars of each length, in days; longer ones go back to the beginning.
REACH_DAYS = {"1m": 7, "60m": 729, "1h": 729} | dict.fromkeys(("2m", "5m", "15m", "30m", "90m"), 59)

#: What is loaded as history unless told otherwise: at least 500 bars, where Yahoo has them.
PERIODS = {"1m": "7d", "60m": "1y", "1h": "1y", "1d": "5y", "1wk": "max", "1mo": "max"} | (
    dict.fromkeys(("2m", "5m", "15m"), "1mo") | dict.fromkeys(("30m", "90m"), "59d")
)

#: So many closed bars of a ticker warm its indicators up before its first live one.
WARM_UP_BARS = 500
#: The days that hold so many bars of an exchange with six hours and a half a day, holidays
#: included; of 90m Yahoo has only some 200.
WARM_UP_DAYS = {
    "1m": 7,
    "2m": 10,
    "5m": 14,
    "15m": 35,
    "30m": 59,
    "60m": 120,
    "90m": 59,
    "1h": 120,
    "1d": 760,
    "1wk": 3_600,
    "1mo": 15_400,
}

_PERIOD = re.compile(r"([1-9]\d{0,3})(d|wk|mo|y)")
#: What yfinance asks for as everything: 99 years.
_ALL_DAYS = 36_135
_UNIT_DAYS = {"d": 1, "wk": 7, "mo": 31, "y": 366}


def period_start(period: str, interval: str, now: int) -> int:
    """Return where a period that ends ``now`` starts, ms, not beyond what Yahoo keeps.

    Args:
        period: ``30d``, ``8wk``, ``6mo``, ``5y``, ``ytd`` or ``max``.
        interval: length of a bar, as Yahoo has it.
        now: ms since the epoch.

    A period that holds fewer than 500 bars is made longer: indicators need them to be warm.

    Raises:
        ConfigurationError: the period is none of these.
    """
    days = max(_days(period, now), WARM_UP_DAYS[interval])
    reach = REACH_DAYS.get(interval)
    if reach is not None:
        return now - min(days, reach) * DAY_MS
    return now - min(days, _ALL_DAYS) * DAY_MS


def warm_up_start(interval: str, now: int) -> int:
    """Return where the last 500 bars start, ms, as far as Yahoo has them."""
    return period_start("1d", interval, now)


def check_period(period: str) -> None:
    """Raise ConfigurationError unless ``period`` is one."""
    _days(period, 0)


def _days(period: str, now: int) -> int:
    if period == "max":
        return _ALL_DAYS
    if period == "ytd":
        return datetime.fromtimestamp(now / 1000, UTC).timetuple().tm_yday
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ConfigurationError(
            f"HISTORY_PERIOD is {period!r}: write a number and d, wk, mo or y, such as 30d or 5y, "
            "or ytd, or max"
        )
    return int(found[1]) * _UNIT_DAYS[found[2]]
