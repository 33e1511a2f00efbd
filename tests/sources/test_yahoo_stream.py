"""Yahoo's stream, by yfinance's WebSocket, against a server that talks as Yahoo's does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sources import market_hours
from sources.yahoo_stream import Trade, TradeStream
from tests.eventually import eventually
from tests.sources.conftest import ManualClock
from tests.sources.providers.yahoo import FRIDAY, Chart, Make, Row, YahooServer, seconds, utc_ms
from tests.sources.providers.yahoo_stream import StreamServer, message

pytest_plugins = ["tests.sources.providers.yahoo_fixtures"]

AT = utc_ms("2024-03-08T17:00")


@pytest.fixture
def trades() -> Iterator[StreamServer]:
    with StreamServer() as server:
        yield server


@pytest.fixture
def stream(trades: StreamServer, now: ManualClock) -> Iterator[Callable[..., TradeStream]]:
    made: list[TradeStream] = []

    def make(**given: Any) -> TradeStream:
        options: dict[str, Any] = {"url": trades.url, "first_pause_s": 0.05, "now": now} | given
        made.append(TradeStream(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()
    # A silent peer is waited for when a connection is closed, by the library for ten seconds.
    assert all(each.join(15) for each in made)


def comes(stream: TradeStream, ticker: str, price: float) -> None:
    """Return once the last trade of a ticker has that price."""
    eventually(
        lambda: ticker in stream.last and stream.last[ticker].price == price, f"{ticker} {price}"
    )


def test_trades_are_read(trades: StreamServer, stream: Callable[..., TradeStream]) -> None:
    followed = stream()
    followed.follow(["AAPL", "MSFT"])
    trades.wait_subscribed(1, {"AAPL", "MSFT"})
    trades.say(message("AAPL", 189.5, AT, 40_000_000))
    trades.say(message("IBM", 1.0, AT))
    # An older one that comes late.
    trades.say(message("AAPL", 188.0, AT - 1))
    trades.say(message("MSFT", 400.25, AT))
    comes(followed, "MSFT", 400.25)
    assert dict(followed.last) == {
        "AAPL": Trade(189.5, AT, 40_000_000.0),
        "MSFT": Trade(400.25, AT, None),
    }


def test_other_tickers_are_followed_on_the_same_connection(
    trades: StreamServer, stream: Callable[..., TradeStream]
) -> None:
    followed = stream()
    followed.follow(["AAPL"])
    trades.wait_subscribed(1, {"AAPL"})
    followed.follow(["MSFT"])
    trades.wait_subscribed(1, {"MSFT"})
    assert len(trades.subscribed) == 1


@pytest.mark.parametrize(
    "fail",
    [
        StreamServer.close_cleanly,
        StreamServer.cut,
        lambda server: server.say("no JSON {"),
        lambda server: server.say(b"\xff\xfe"),
        lambda server: server.say('["a list"]'),
    ],
    ids=["a clean close", "a break", "no JSON", "bytes", "another shape"],
)
def test_a_connection_that_ends_is_opened_again(
    trades: StreamServer, stream: Callable[..., TradeStream], fail: Callable[[StreamServer], None]
) -> None:
    followed = stream()
    followed.follow(["AAPL"])
    for connection in (1, 2, 3):
        trades.wait_subscribed(connection, {"AAPL"})
        trades.say(message("AAPL", 100.0 + connection, AT + connection))
        comes(followed, "AAPL", 100.0 + connection)
        fail(trades)


@pytest.mark.parametrize(
    "garbage",
    [
        '{"type": "pricing", "message": "AAAA"}',
        '{"type": "pricing", "message": "%%%"}',
        '{"type": "other"}',
        message("AAPL", float("nan"), AT),
        message("AAPL", -1.0, AT),
        message("AAPL", 5.0, 0),
        message("AAPL", 5.0, AT + 3 * 86_400_000),
    ],
)
def test_messages_that_are_no_trades_change_nothing(
    trades: StreamServer, stream: Callable[..., TradeStream], garbage: str
) -> None:
    followed = stream()
    followed.follow(["AAPL"])
    trades.wait_subscribed(1, {"AAPL"})
    trades.say(message("AAPL", 100.0, AT))
    trades.say(garbage)
    trades.say(message("AAPL", 101.0, AT + 1))
    comes(followed, "AAPL", 101.0)
    assert len(trades.subscribed) == 1


def test_silence_in_market_hours_is_ended(
    trades: StreamServer, stream: Callable[..., TradeStream], now: ManualClock
) -> None:
    followed = stream(stale_s=0.3)
    followed.follow(["AAPL"])
    trades.wait_subscribed(2, {"AAPL"})
    trades.say(message("AAPL", 101.0, AT))
    comes(followed, "AAPL", 101.0)


def test_silence_at_night_is_left_alone(
    trades: StreamServer,
    stream: Callable[..., TradeStream],
    now: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now.seconds = seconds("2024-03-08 22:00")
    asked = threading.Semaphore(0)
    open_at = market_hours.is_open

    def counted(ticker: str, at: int) -> bool:
        asked.release()
        return open_at(ticker, at)

    monkeypatch.setattr(market_hours, "is_open", counted)
    followed = stream(stale_s=0.2)
    followed.follow(["AAPL"])
    trades.wait_subscribed(1, {"AAPL"})
    # It was silent for too long three times, and kept each time.
    assert all(asked.acquire(timeout=15) for _ in range(3))
    trades.say(message("AAPL", 101.0, AT))
    comes(followed, "AAPL", 101.0)
    assert len(trades.subscribed) == 1


def test_nobody_there_is_tried_again_with_longer_pauses(
    trades: StreamServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = trades.url
    trades.__exit__(None, None, None)
    pauses: list[float] = []

    def jitter() -> float:
        pauses.append(0.0)
        return 0.0

    followed = TradeStream(url, first_pause_s=0.01, jitter=jitter)
    followed.follow(["AAPL"])
    eventually(lambda: len(pauses) >= 4, "four tries")
    followed.close()
    assert followed.join(15)
    said = [record.getMessage() for record in caplog.records if "stream ended" in record.message]
    assert len(said) == 1
    assert "no connection" in said[0]


# -- what the source makes of it


@pytest.mark.usefixtures("charts")
async def test_trades_refresh_the_bar_that_is_forming(
    make: Make,
    server: YahooServer,
    trades: StreamServer,
    stream: Callable[..., TradeStream],
    now: ManualClock,
) -> None:
    """Between two polls nothing is asked, and only a new trade brings a bar."""
    followed = stream()
    source = make(stream=followed)
    assert source.interval == 1.0
    since = {"AAPL": utc_ms("2024-03-07"), "MSFT": utc_ms("2024-03-07")}
    polled = {bar.ticker: bar for bar in await source.fetch(["AAPL", "MSFT"], since)}
    trades.wait_subscribed(1, {"AAPL", "MSFT"})
    asked = len(server.asked())
    assert await source.fetch(["AAPL", "MSFT"], since) == []

    trades.say(message("AAPL", 250.0, AT, 5_000))
    comes(followed, "AAPL", 250.0)
    (bar,) = await source.fetch(["AAPL", "MSFT"], since)
    before = polled["AAPL"]
    assert (bar.ticker, bar.time, bar.closed) == ("AAPL", FRIDAY, False)
    assert (bar.open, bar.high, bar.low) == (before.open, 250.0, before.low)
    assert (bar.close, bar.adjusted_close, bar.volume) == (250.0, 250.0, 5_000.0)
    assert await source.fetch(["AAPL", "MSFT"], since) == []

    # After the close there are trades; they are none of the day's bar.
    trades.say(message("AAPL", 90.0, utc_ms("2024-03-08T21:30")))
    comes(followed, "AAPL", 90.0)
    assert await source.fetch(["AAPL", "MSFT"], since) == []
    assert len(server.asked()) == asked

    # Closed bars come from polls.
    now.seconds = seconds("2024-03-08 16:20")
    closed = await source.fetch(["AAPL", "MSFT"], since)
    assert [bar.closed for bar in closed] == [True, True]
    assert closed[0].close == before.close
    assert len(server.asked()) == asked + 2


async def test_a_shorter_bar_grows_as_the_day_does(
    make: Make,
    server: YahooServer,
    trades: StreamServer,
    stream: Callable[..., TradeStream],
    now: ManualClock,
) -> None:
    start = seconds("2024-03-09 00:00", "UTC")
    rows: list[Row] = [(start + 60 * i, 10.0, 11.0, 9.0, 10.0, 7.0, 10.0) for i in range(61)]
    server.charts["BTC-USD"] = Chart(
        rows, zone="UTC", kind="CRYPTOCURRENCY", sessions=[(start, start + 86_340)]
    )
    now.seconds = start + 3_620
    followed = stream()
    followed.follow(["BTC-USD"])
    trades.wait_subscribed(1, {"BTC-USD"})
    trades.say(message("BTC-USD", 10.5, (start + 3_601) * 1000, 1_000))
    comes(followed, "BTC-USD", 10.5)
    source = make("1m", stream=followed)
    since = {"BTC-USD": (start + 3_540) * 1000}
    assert [bar.volume for bar in await source.fetch(["BTC-USD"], since)] == [7.0]
    trades.say(message("BTC-USD", 12.5, (start + 3_630) * 1000, 1_005))
    comes(followed, "BTC-USD", 12.5)
    (bar,) = await source.fetch(["BTC-USD"], since)
    assert (bar.high, bar.close, bar.volume) == (12.5, 12.5, 12.0)
    # A trade of the next minute waits for the next poll.
    trades.say(message("BTC-USD", 13.5, (start + 3_660) * 1000, 1_010))
    comes(followed, "BTC-USD", 13.5)
    assert await source.fetch(["BTC-USD"], since) == []


async def test_without_its_stream_the_source_polls(
    make: Make, charts: dict[str, Chart], server: YahooServer, now: ManualClock
) -> None:
    """Nothing listens at the stream's address."""
    followed = TradeStream("ws://127.0.0.1:9/", first_pause_s=0.01)
    source = make(stream=followed)
    since = {"AAPL": utc_ms("2024-03-07")}
    for _ in range(2):
        asked = len(server.polls("AAPL"))
        assert [bar.time for bar in await source.fetch(["AAPL"], since)] == [FRIDAY]
        assert len(server.polls("AAPL")) == asked + 1
        now.pass_(60)
    await source.close()
    assert followed.join(15)
