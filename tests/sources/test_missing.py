"""What is missing of a history, by the calendar of its exchange."""

from __future__ import annotations

import pytest

from sources.market_hours import bar_times
from sources.missing import MOST_RANGES, missing
from tests.sources.providers.yahoo import utc_ms

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START, END = utc_ms("2024-01-01"), utc_ms("2024-04-01")


def expected(ticker: str, interval: str, start: str, end: str) -> list[int]:
    found = bar_times(ticker, interval, utc_ms(start), utc_ms(end))
    assert found is not None
    return found


def test_daily_bars_of_an_exchange() -> None:
    """61 sessions: no weekend, New Year, Martin Luther King, Washington, Good Friday."""
    days = expected("AAPL", "1d", "2024-01-01", "2024-04-01")
    assert len(days) == 61
    assert days[0] == utc_ms("2024-01-02")
    assert utc_ms("2024-03-29") not in days
    # The last session is no bar before its end.
    assert expected("AAPL", "1d", "2024-03-28", "2024-03-28T19:59") == []
    assert expected("AAPL", "1d", "2024-03-28", "2024-03-28T20:00") == [utc_ms("2024-03-28")]


def test_bars_within_the_day() -> None:
    half_day = expected("AAPL", "1h", "2024-11-29", "2024-11-30")
    assert half_day == [utc_ms(f"2024-11-29T{hour}:30") for hour in (14, 15, 16, 17)]
    # The clocks change over the weekend.
    across = expected("AAPL", "1h", "2024-03-08", "2024-03-12")
    assert [t for t in across if t % DAY == 13 * HOUR + 30 * MINUTE] == [utc_ms("2024-03-11T13:30")]
    assert len(across) == 14
    # Nobody trades in Tokyo from 11:30 to 12:30.
    tokyo = expected("7203.T", "30m", "2024-07-10", "2024-07-11")
    assert utc_ms("2024-07-10T02:00") in tokyo
    assert utc_ms("2024-07-10T02:30") not in tokyo
    assert utc_ms("2024-07-10T03:30") in tokyo


def test_weeks_months_and_crypto() -> None:
    assert expected("AAPL", "1wk", "2024-03-05", "2024-03-25") == [
        utc_ms("2024-03-11"),
        utc_ms("2024-03-18"),
    ]
    assert expected("AAPL", "1mo", "2024-01-15", "2024-04-01") == [
        utc_ms("2024-02-01"),
        utc_ms("2024-03-01"),
    ]
    assert len(expected("BTC-USD", "1d", "2024-03-01", "2024-03-31")) == 30
    assert len(expected("BTC-USD", "5m", "2024-03-01T00:01", "2024-03-01T01:00")) == 11
    assert bar_times("EURUSD=X", "1d", START, END) is None


def test_nothing_stored_is_one_range() -> None:
    found = missing("AAPL", "1d", (), start=START, end=END)
    assert found.ranges == [(utc_ms("2024-01-02"), utc_ms("2024-03-28"))]
    assert found.bars == 61


@pytest.mark.parametrize(
    ("gone", "ranges"),
    [
        ([], []),
        (["2024-02-14"], [("2024-02-14", "2024-02-14")]),
        # A Friday and the Monday after it are neighbours.
        (["2024-02-09", "2024-02-12"], [("2024-02-09", "2024-02-12")]),
        (
            ["2024-01-02", "2024-02-14", "2024-03-28"],
            [
                ("2024-01-02", "2024-01-02"),
                ("2024-02-14", "2024-02-14"),
                ("2024-03-28", "2024-03-28"),
            ],
        ),
    ],
)
def test_only_what_is_missing(gone: list[str], ranges: list[tuple[str, str]]) -> None:
    days = expected("AAPL", "1d", "2024-01-01", "2024-04-01")
    stored = set(days) - {utc_ms(day) for day in gone}
    found = missing("AAPL", "1d", stored, start=START, end=END)
    assert found.ranges == [(utc_ms(first), utc_ms(last)) for first, last in ranges]
    assert found.bars == len(gone)


def test_what_never_was_is_not_missing() -> None:
    """A share that was first listed in February."""
    days = [t for t in expected("AAPL", "1d", "2024-01-01", "2024-04-01") if t >= START + 40 * DAY]
    assert missing("AAPL", "1d", days, start=START, end=END).bars > 0
    assert missing("AAPL", "1d", days, start=START, end=END, beginning=days[0]).bars == 0


def test_many_holes_are_few_ranges_that_hold_them_all() -> None:
    days = expected("AAPL", "1d", "2024-01-01", "2024-04-01")
    found = missing("AAPL", "1d", set(days[::2]), start=START, end=END)
    assert found.bars == len(days) // 2
    assert len(found.ranges) == MOST_RANGES
    for day in days[1::2]:
        assert any(first <= day <= last for first, last in found.ranges)


def test_without_a_calendar_a_long_pause_is_a_hole() -> None:
    """Weekends are none; at the end every bar that is over counts."""
    weekdays = [t for t in range(START, END, DAY) if (t // DAY + 3) % 7 < 5]
    kept = [t for t in weekdays if not utc_ms("2024-02-05") <= t <= utc_ms("2024-02-12")]
    found = missing("PETR4.SA", "1d", kept, start=START, end=END + DAY)
    assert found.ranges == [
        (utc_ms("2024-02-03"), utc_ms("2024-02-12")),
        (utc_ms("2024-03-30"), utc_ms("2024-04-01")),
    ]
    whole = missing("PETR4.SA", "1d", (), start=START, end=END)
    assert whole.ranges == [(START, END - DAY)]
