"""When exchanges are open, and when bars end."""

from __future__ import annotations

import pytest

from sources.market_hours import after_trading, calendar_of, is_open, last_close, session_at, span
from tests.sources.providers.yahoo import utc_ms

MINUTE = 60_000


@pytest.mark.parametrize("ticker", ["AAPL", "BRK-B", "BAC-PL", "^GSPC"])
def test_american_tickers_go_by_new_york(ticker: str) -> None:
    assert calendar_of(ticker) == "NYSE"


@pytest.mark.parametrize("ticker", ["BTC-USD", "ETH-EUR", "EURUSD=X", "ES=F", "^N225", "X.SA"])
def test_others_are_always_open(ticker: str) -> None:
    assert calendar_of(ticker) is None
    assert is_open(ticker, utc_ms("2024-12-25T12:00"))
    assert last_close(ticker, utc_ms("2024-12-25T12:00")) is None


@pytest.mark.parametrize(
    ("ticker", "opens", "closes"),
    [
        ("SAP.DE", "2024-07-10T07:00", "2024-07-10T15:30"),
        ("VOD.L", "2024-07-10T07:00", "2024-07-10T15:30"),
        ("MC.PA", "2024-07-10T07:00", "2024-07-10T15:30"),
        ("ENI.MI", "2024-07-10T07:00", "2024-07-10T15:30"),
        ("7203.T", "2024-07-10T00:00", "2024-07-10T06:00"),
        ("0700.HK", "2024-07-10T01:30", "2024-07-10T08:00"),
        ("RY.TO", "2024-07-10T13:30", "2024-07-10T20:00"),
        ("AAPL", "2024-07-10T13:30", "2024-07-10T20:00"),
    ],
)
def test_regular_hours(ticker: str, opens: str, closes: str) -> None:
    session = session_at(ticker, utc_ms(opens))
    assert session == (utc_ms(opens), utc_ms(closes))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2024-03-08T14:29", False),
        ("2024-03-08T14:30", True),
        ("2024-03-08T20:59", True),
        ("2024-03-08T21:00", False),
        ("2024-03-09T16:00", False),  # Saturday
        ("2024-03-11T13:30", True),  # clocks went forward on Sunday
        ("2024-03-11T20:00", False),
        ("2024-07-04T15:00", False),  # Independence Day
        ("2024-11-29T17:59", True),  # half a day
        ("2024-11-29T18:00", False),
    ],
)
def test_sessions_of_new_york(moment: str, expected: bool) -> None:
    assert is_open("AAPL", utc_ms(moment)) is expected


def test_grace_follows_the_close() -> None:
    assert is_open("AAPL", utc_ms("2024-11-29T18:14"), 15 * MINUTE)
    assert not is_open("AAPL", utc_ms("2024-11-29T18:15"), 15 * MINUTE)


def test_the_last_close_is_found_across_a_long_weekend() -> None:
    assert last_close("AAPL", utc_ms("2024-07-08T13:00")) == utc_ms("2024-07-05T20:00")
    assert last_close("AAPL", utc_ms("2024-07-05T20:00")) == utc_ms("2024-07-05T20:00")
    assert last_close("AAPL", utc_ms("2025-01-01T12:00")) == utc_ms("2024-12-31T21:00")


@pytest.mark.parametrize(
    ("ticker", "interval", "time", "end"),
    [
        ("AAPL", "1d", "2024-03-08T00:00", "2024-03-08T21:00"),
        ("AAPL", "1d", "2024-03-11T00:00", "2024-03-11T20:00"),
        ("AAPL", "1d", "2024-11-29T00:00", "2024-11-29T18:00"),
        ("AAPL", "1h", "2024-11-29T17:30", "2024-11-29T18:00"),
        ("AAPL", "5m", "2024-11-29T17:30", "2024-11-29T17:35"),
        ("BTC-USD", "1d", "2024-03-10T00:00", "2024-03-11T00:00"),
        ("BTC-USD", "1m", "2024-03-10T07:00", "2024-03-10T07:01"),
        ("AAPL", "1wk", "2024-03-04T00:00", "2024-03-11T00:00"),
        ("AAPL", "1mo", "2024-12-01T00:00", "2025-01-01T00:00"),
        ("AAPL", "1mo", "2024-11-01T00:00", "2024-12-01T00:00"),
    ],
)
def test_bars_end(ticker: str, interval: str, time: str, end: str) -> None:
    assert span(ticker, interval, utc_ms(time))[1] == utc_ms(end)


@pytest.mark.parametrize(
    ("ticker", "since", "minutes", "until"),
    [
        ("AAPL", "2024-03-08T15:00", 10, "2024-03-08T15:10"),
        ("AAPL", "2024-03-08T20:55", 10, "2024-03-11T13:35"),
        ("AAPL", "2024-03-08T20:50", 10, "2024-03-08T21:00"),
        ("AAPL", "2024-03-09T12:00", 10, "2024-03-11T13:40"),
        ("AAPL", "2024-11-29T17:55", 10, "2024-12-02T14:35"),
        ("AAPL", "2024-12-31T20:59", 391, "2025-01-02T21:00"),
        ("SAP.DE", "2024-03-08T06:00", 1, "2024-03-08T08:01"),
        ("BTC-USD", "2024-03-09T12:00", 10, "2024-03-09T12:10"),
    ],
)
def test_only_hours_of_trading_count(ticker: str, since: str, minutes: int, until: str) -> None:
    assert after_trading(ticker, utc_ms(since), minutes * MINUTE) == utc_ms(until)
