"""How much history is asked for."""

from __future__ import annotations

import pytest

from config import read_settings
from errors import ConfigurationError
from sources.market_hours import DAY_MS, INTERVALS
from sources.yahoo_reach import PERIODS, WARM_UP_DAYS, check_period, period_start, warm_up_start
from tests.sources.providers.yahoo import utc_ms

NOW = utc_ms("2024-03-08")


@pytest.mark.parametrize(
    ("period", "interval", "days"),
    [
        ("5y", "1d", 5 * 366),
        ("30mo", "1d", 930),
        ("1y", "1h", 366),
        ("max", "1h", 729),
        ("max", "1m", 7),
        ("6mo", "5m", 59),
        # Too short for 500 bars.
        ("30d", "1d", 760),
        ("ytd", "1d", 760),
        ("1d", "5m", 14),
    ],
)
def test_periods(period: str, interval: str, days: int) -> None:
    assert period_start(period, interval, NOW) == NOW - days * DAY_MS


def test_every_length_of_bars_has_a_period() -> None:
    for interval in INTERVALS:
        assert period_start(PERIODS[interval], interval, NOW) <= warm_up_start(interval, NOW)
        assert WARM_UP_DAYS[interval] > 0


@pytest.mark.parametrize("period", ["5", "y", "0d", "1.5y", "-1d", "5years", "MAX", ""])
def test_what_is_no_period(period: str) -> None:
    with pytest.raises(ConfigurationError, match="HISTORY_PERIOD"):
        check_period(period)
    if period:
        with pytest.raises(ConfigurationError, match="HISTORY_PERIOD"):
            read_settings(history_period=period)
