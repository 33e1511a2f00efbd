"""Yahoo, by the real yfinance over HTTP, against a server that answers as Yahoo does."""

from __future__ import annotations

import pytest

from errors import ConfigurationError
from sources.base import cursors
from sources.token_bucket import TokenBucket
from sources.yahoo import YahooSource
from tests.sources.conftest import ManualClock
from tests.sources.providers.yahoo import (
    FRIDAY,
    Chart,
    Make,
    YahooServer,
    daily,
    row,
    seconds,
    times,
    utc_ms,
    within_day,
)

pytest_plugins = ["tests.sources.providers.yahoo_fixtures"]


async def test_history_is_closed_and_the_first_poll_continues_it(
    make: Make, server: YahooServer, charts: dict[str, Chart]
) -> None:
    source = make()
    past = await source.history(["AAPL", "MSFT"])
    asked = int(server.polls("AAPL")[0].value("period1"))
    assert asked == seconds("2019-03-05 00:00")
    for bars in past.values():
        assert len(bars) == 26
        assert all(bar.closed and bar.source == "yahoo" for bar in bars)
        assert bars[0].time == utc_ms("2024-02-01")
        assert bars[-1].time == utc_ms("2024-03-07")
    live = await source.fetch(["AAPL", "MSFT"], {key: bars[-1].time for key, bars in past.items()})
    assert [(bar.ticker, bar.time, bar.closed) for bar in live] == [
        ("AAPL", FRIDAY, False),
        ("MSFT", FRIDAY, False),
    ]
    assert await source.history(["AAPL"], {"AAPL": utc_ms("2024-03-06")}) == {
        "AAPL": [past["AAPL"][-1]]
    }


async def test_prices_are_adjusted_for_splits_only(make: Make, charts: dict[str, Chart]) -> None:
    at = charts["AAPL"].rows[3][0]
    charts["AAPL"].dividends[at] = 0.24
    charts["AAPL"].splits[at] = (4, 1)
    source = make()
    bar = (await source.history(["AAPL"]))["AAPL"][3]
    assert (bar.open, bar.high, bar.low, bar.close) == (103.0, 104.0, 102.0, 103.5)
    assert (bar.volume, bar.adjusted_close) == (1_000.0, 51.5)


async def test_a_bar_is_provisional_until_its_session_is_over(
    make: Make, charts: dict[str, Chart], server: YahooServer, now: ManualClock
) -> None:
    source = make()
    since = {"AAPL": utc_ms("2024-03-07")}
    assert [bar.closed for bar in await source.fetch(["AAPL"], since)] == [False]
    now.seconds = seconds("2024-03-08 16:01")
    assert [bar.closed for bar in await source.fetch(["AAPL"], since)] == [False]
    now.seconds = seconds("2024-03-08 20:00")
    closed = await source.fetch(["AAPL"], since)
    assert [(bar.time, bar.closed) for bar in closed] == [(FRIDAY, True)]
    asked = len(server.asked())
    # Lost on its way: it comes again. Taken: nothing is asked until Monday.
    assert times(await source.fetch(["AAPL"], since)) == [FRIDAY]
    assert len(server.asked()) == asked + 1
    since |= cursors(closed)
    for moment in ("2024-03-08 20:01", "2024-03-09 12:00", "2024-03-11 09:29"):
        now.seconds = seconds(moment)
        assert await source.fetch(["AAPL"], since) == []
    assert len(server.asked()) == asked + 1
    now.seconds = seconds("2024-03-11 09:30")
    await source.fetch(["AAPL"], since)
    assert len(server.asked()) == asked + 2


async def test_half_a_day_ends_early(make: Make, server: YahooServer, now: ManualClock) -> None:
    server.charts["AAPL"] = daily("2024-11-25", 5)
    now.seconds = seconds("2024-11-29 13:16")
    bars = await make().fetch(["AAPL"], {"AAPL": utc_ms("2024-11-27")})
    assert [(bar.time, bar.closed) for bar in bars][-1] == (utc_ms("2024-11-29"), True)


async def test_bars_within_the_day_across_a_clock_change(
    make: Make, server: YahooServer, now: ManualClock
) -> None:
    chart = within_day(
        ("2024-03-08 09:30", "2024-03-08 16:00"),
        ("2024-03-11 09:30", "2024-03-11 12:00"),
        minutes=30,
    )
    # The last trade, as Yahoo writes it behind the bars.
    chart.rows.append(row(seconds("2024-03-11 12:00:17"), 90.0, 0))
    server.charts["AAPL"] = chart
    now.seconds = seconds("2024-03-11 12:00:30")
    bars = await make("15m").fetch(["AAPL"], {"AAPL": utc_ms("2024-03-08T20:00")})
    assert times(bars) == [at * 1000 for at, *_ in chart.rows[-7:-1]]
    assert utc_ms("2024-03-08T20:30") == bars[0].time
    assert utc_ms("2024-03-11T13:30") == bars[1].time
    assert bars[-1].interval == "15m"
    assert bars[-1].adjusted_close == bars[-1].close


async def test_the_close_itself_is_no_bar(
    make: Make, server: YahooServer, now: ManualClock
) -> None:
    chart = within_day(("2024-11-29 09:30", "2024-11-29 13:00"), minutes=60)
    chart.rows.append(row(seconds("2024-11-29 13:00"), 90.0, 0))
    chart.sessions[0] = (chart.sessions[0][0], seconds("2024-11-29 16:00"))
    server.charts["AAPL"] = chart
    now.seconds = seconds("2024-11-29 13:00:10")
    bars = await make("1h").fetch(["AAPL"], {"AAPL": utc_ms("2024-11-29T16:30")})
    # The last hour is cut short by the close, and over with it.
    assert [(bar.time, bar.closed) for bar in bars] == [(utc_ms("2024-11-29T17:30"), True)]


async def test_crypto_is_polled_at_all_hours(
    make: Make, server: YahooServer, now: ManualClock
) -> None:
    chart = Chart(zone="UTC", kind="CRYPTOCURRENCY")
    start = seconds("2024-03-09 00:00", "UTC")
    chart.sessions.append((start, start + 86_340))
    chart.rows = [row(start + 60 * i, 60_000.0 + i) for i in range(601)]
    server.charts["BTC-USD"] = chart
    now.seconds = start + 600 * 60 + 20
    since = {"BTC-USD": (start + 598 * 60) * 1000}
    source = make("1m")
    bars = await source.fetch(["BTC-USD"], since)
    assert [bar.closed for bar in bars] == [True, False]
    now.pass_(60)
    since |= cursors(bars)
    bars = await source.fetch(["BTC-USD"], since)
    assert [(bar.time, bar.closed) for bar in bars] == [((start + 36_000) * 1000, True)]


async def test_holes_duplicates_and_bad_rows(make: Make, charts: dict[str, Chart]) -> None:
    rows = charts["AAPL"].rows
    hole, doubled = rows[5][0], rows[6]
    rows[5] = (hole, None, None, None, None, None, None)
    rows.insert(7, doubled)
    at, price = rows[10][0], 50.0
    rows[10] = (at, price, price, price, price, None, None)
    at = rows[11][0]
    rows[11] = (at, price, 40.0, 60.0, price, 1.0, price)
    bars = (await make().history(["AAPL"]))["AAPL"]
    assert len(bars) == 24
    assert times(bars) == sorted(set(times(bars)))
    unpriced = next(bar for bar in bars if bar.open == price)
    assert (unpriced.volume, unpriced.adjusted_close) == (0.0, None)


async def test_more_keys_than_requests_take_turns(
    make: Make, server: YahooServer, now: ManualClock, clock: ManualClock
) -> None:
    names = [f"T{i}" for i in range(8)]
    server.charts |= {name: daily("2024-02-01", 27) for name in names}
    warm = make()
    await warm.fetch(names, {})
    source = make(bucket=TokenBucket(4, clock=clock))
    seen: list[str] = []
    for _ in range(3):
        seen += [bar.ticker for bar in await source.fetch(names, {})]
        now.pass_(60)
        clock.pass_(60)
    assert set(seen) == set(names)
    assert seen[:4] != seen[4:8]


async def test_history_waits_for_the_bucket(
    make: Make, server: YahooServer, clock: ManualClock
) -> None:
    names = [f"T{i}" for i in range(8)]
    server.charts |= {name: daily("2024-02-01", 27) for name in names}

    async def wait(pause: float) -> None:
        clock.pass_(pause)

    source = make(bucket=TokenBucket(4, clock=clock), sleep=wait)
    started = clock.seconds
    assert set(await source.history(names)) == set(names)
    assert clock.seconds - started >= 60


async def test_a_poll_without_cursor_starts_where_history_ended(
    make: Make, charts: dict[str, Chart], now: ManualClock
) -> None:
    source = make()
    now.seconds = seconds("2024-03-07 23:00")
    past = await source.history(["AAPL"])
    assert past["AAPL"][-1].time == utc_ms("2024-03-07")
    assert await source.fetch(["AAPL"], {}) == []
    now.seconds = seconds("2024-03-08 18:00")
    bars = await source.fetch(["AAPL"], {})
    assert [(bar.time, bar.closed) for bar in bars] == [(FRIDAY, True)]


async def test_nothing_for_no_keys(make: Make, server: YahooServer) -> None:
    source = make()
    assert await source.fetch([], {}) == []
    assert await source.history([]) == {}
    assert not source.exhausted("AAPL", None)
    assert server.asked() == []


def test_bars_that_yahoo_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="7m"):
        YahooSource(60.0, "7m")
