"""The stream: nothing is missed, nobody holds up the others."""

from __future__ import annotations

import asyncio
import time

import pytest
from pymongo.database import Database

from sinks.base import Document
from sinks.documents import as_date
from tests.web import rows
from tests.web.conftest import Client, Serve
from tests.web.demo import store_trends, trend
from tests.web.listening import Event, listening
from tests.web.rows import DAY_MS, START_MS, put, put_bars
from web import changes, stream


def closes(events: list[Event]) -> list[float]:
    return [event.data["close"] for event in events]


async def test_a_change_of_anything_is_an_event(client: Client, store: Database[Document]) -> None:
    async with listening(client) as listener:
        await listener.next("hello")
        put_bars(store, "AAPL", [3.0])
        put(store, [rows.news("AAPL", "n", START_MS), rows.post("AAPL", "reddit", "p", START_MS)])
        put(store, [rows.observation("GDP", START_MS, 1.0, START_MS)])
        store_trends(store, [trend("AAPL", START_MS)])
        put(store, [rows.alert("AAPL", "low", START_MS)])
        found = await listener.many(6, "bar", "news", "post", "observation", "trend", "alert")
    names = [event.name for event in found]
    assert names == ["bar", "news", "post", "observation", "trend", "alert"]
    bar = found[0].data
    assert (bar["ticker"], bar["interval"], bar["close"]) == ("AAPL", "1d", 3.0)
    assert bar["indicators"] == {"rsi": 50.0, "sma": None}
    shown = await (await client.get("/api/tickers/AAPL/bars")).json()
    assert {"ticker": "AAPL", "interval": "1d", **shown["bars"][0]} == bar
    alerts = await (await client.get("/api/alerts")).json()
    assert alerts["alerts"] == [found[5].data]
    assert all(event.id for event in found)


async def test_an_update_is_an_event_with_the_whole_bar(
    client: Client, store: Database[Document]
) -> None:
    put_bars(store, "AAPL", [3.0], closed=False)
    async with listening(client) as listener:
        await listener.next("hello")
        store.stock_prices.update_one({"ticker": "AAPL"}, {"$set": {"close": 3.5}})
        event = await listener.next("bar")
    assert (event.data["open"], event.data["close"], event.data["closed"]) == (3.0, 3.5, False)


async def test_only_what_was_asked_for(client: Client, store: Database[Document]) -> None:
    """Also for a client that comes when the stream follows fewer tickers."""
    async with listening(client, tickers="aapl") as one, listening(client, tickers="^GSPC") as two:
        await one.next("hello")
        await two.next("hello")
        for name in ("AAP", "AAPL", "AAPLX", "XGSPC", "^GSPC"):
            put_bars(store, name, [3.0])
        store_trends(store, [trend("^GSPC", START_MS), trend("AAPL", START_MS)])
        heard = [*await one.many(2, "bar", "trend"), *await two.many(2, "bar", "trend")]
    assert [(event.name, event.data["ticker"]) for event in heard] == [
        ("bar", "AAPL"),
        ("trend", "AAPL"),
        ("bar", "^GSPC"),
        ("trend", "^GSPC"),
    ]


async def test_who_comes_while_the_stream_is_being_opened_is_heard(
    client: Client, store: Database[Document]
) -> None:
    async def first_close(ticker: str) -> float:
        async with listening(client, tickers=ticker) as listener:
            await listener.next("hello")
            put_bars(store, ticker, [3.0])
            return closes([await listener.next("bar")])[0]

    assert await asyncio.gather(*(first_close(f"T{n}") for n in range(5))) == [3.0] * 5


async def test_a_document_of_nobodys_making_does_not_end_the_stream(
    client: Client, store: Database[Document]
) -> None:
    async with listening(client) as listener:
        await listener.next("hello")
        store.stock_prices.insert_one({"close": 3.0, "ticker": ["AAPL"]})
        store.news.insert_one({"_id": "AAPL|x", "ticker": "AAPL", "time": "today"})
        put_bars(store, "AAPL", [4.0])
        assert closes([await listener.next("bar")]) == [4.0]


async def test_changes_of_one_document_are_merged(
    client: Client, store: Database[Document]
) -> None:
    async with listening(client) as listener:
        await listener.next("hello")
        for n in range(200):
            store.stock_prices.update_one(
                {"_id": "AAPL|1d|0"},
                {"$set": {**_bar_fields(), "close": float(n)}},
                upsert=True,
            )
        heard = [await listener.next("bar")]
        while heard[-1].data["close"] != 199.0:
            heard.append(await listener.next("bar"))
    assert len(heard) < 200
    assert closes(heard) == sorted(closes(heard))


async def test_who_comes_back_gets_what_was_missed(
    client: Client, serve: Serve, store: Database[Document]
) -> None:
    """From the same worker and from another one, with and without others listening."""
    async with listening(client, tickers="AAPL") as listener:
        await listener.next("hello")
        put_bars(store, "AAPL", [3.0])
        seen = await listener.next("bar")
    put_bars(store, "AAPL", [3.0, 4.0, 5.0])
    put_bars(store, "MSFT", [7.0])
    assert seen.id is not None
    async with listening(client, tickers="AAPL", after=seen.id) as listener:
        # The first bar was written again after it was seen.
        missed = await listener.many(3, "bar")
        assert closes(missed) == [3.0, 4.0, 5.0]
        assert not [event for event in listener.heard if event.name == "reset"]
        other = await serve()
        async with listening(other, tickers="AAPL,MSFT", after=missed[1].id) as second:
            rest = await second.many(2, "bar")
            assert closes(rest) == [5.0, 7.0]
            assert not [event for event in second.heard if event.name == "reset"]


async def test_ids_only_go_forward(client: Client, store: Database[Document]) -> None:
    async with listening(client) as listener:
        await listener.next("hello")
        for name in ("A", "B", "C"):
            put_bars(store, name, [1.0, 2.0, 3.0])
        await listener.many(9, "bar")
    ids = [event.id for event in listener.heard if event.id is not None]
    assert ids == sorted(ids)


@pytest.mark.parametrize("token", ["82", "8200000000", "00FF"])
async def test_from_a_token_that_leads_nowhere_everything_is_read_anew(
    token: str, client: Client, store: Database[Document]
) -> None:
    async with listening(client, tickers="AAPL", after=token) as listener:
        assert (await listener.next()).name == "reset"
        assert (await listener.next("hello")).data["resumed"] is False
        put_bars(store, "AAPL", [3.0])
        assert closes([await listener.next("bar")]) == [3.0]


async def test_a_token_from_long_ago_ends_in_a_stream_all_the_same(
    client: Client, store: Database[Document]
) -> None:
    """A server that keeps all its history goes through it, any other says that it is lost."""
    token = "8263B0DC0B000000012B0229296E04"  # noqa: S105 - a place in December 2022
    async with listening(client, tickers="AAPL", after=token) as listener:
        await listener.next("hello")
        put_bars(store, "AAPL", [3.0])
        await listener.next("bar")


async def test_too_much_missed_is_a_reset(
    client: Client, serve: Serve, store: Database[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_MISSED", 5)
    async with listening(client, tickers="AAPL") as listener:
        hello = await listener.next("hello")
    put_bars(store, "AAPL", [float(n) for n in range(1, 21)])
    client = await serve()
    async with listening(client, tickers="AAPL", after=hello.id) as listener:
        assert (await listener.next()).name == "reset"
        assert (await listener.next("hello")).data["resumed"] is False


async def test_a_stream_that_is_behind_goes_on_at_the_present(
    client: Client, store: Database[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(client, tickers="AAPL") as listener:
        await listener.next("hello")
        monkeypatch.setattr(changes, "MOST_BEHIND_S", -10.0)
        put_bars(store, "AAPL", [3.0])
        await listener.next("reset")
        monkeypatch.undo()
        await listener.next("status")
        put_bars(store, "AAPL", [3.0, 4.0])
        assert 4.0 in closes([await listener.next("bar"), await listener.next("bar")])


async def test_a_database_that_is_dropped_is_followed_anew(
    client: Client, store: Database[Document]
) -> None:
    put_bars(store, "AAPL", [3.0])
    async with listening(client) as listener:
        await listener.next("hello")
        store.client.drop_database(store.name)
        await listener.next("reset")
        await listener.next("status")
        put_bars(store, "AAPL", [4.0])
        assert closes([await listener.next("bar")]) == [4.0]


async def test_silence_is_filled(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.1)
    async with listening(client) as listener:
        beats = await listener.many(2, "heartbeat")
    assert beats[0].id is not None


async def test_a_slow_client_is_let_go_and_the_others_are_not(
    client: Client, store: Database[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hears why, or its connection ends; whoever reads gets everything."""
    monkeypatch.setattr(changes.Subscription.__init__, "__defaults__", (100,))
    monkeypatch.setattr(stream, "SEND_TIMEOUT_S", 1.0)
    async with listening(client) as slow, listening(client) as quick:
        await slow.next("hello")
        await quick.next("hello")
        text = "x" * 50_000
        for n in range(16):
            put(store, (rows.news("AAPL", f"{n}-{i}", START_MS, summary=text) for i in range(50)))
            assert len(await quick.many(50, "news")) == 50
        got = await slow.end()
    assert len(got) < 800


async def test_a_client_that_is_let_go_hears_why(
    client: Client, store: Database[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes.Subscription.__init__, "__defaults__", (3,))
    async with listening(client) as listener:
        await listener.next("hello")
        put_bars(store, "AAPL", [1.0, 2.0, 3.0, 4.0, 5.0])
        dropped = await listener.next("dropped")
        assert dropped.data["remedy"] == "connect again"
        assert await listener.end() == []


async def test_too_many_clients_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_CLIENTS", 1)
    async with listening(client) as listener:
        await listener.next("hello")
        refused = await client.get("/api/stream")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")


async def test_a_stop_ends_the_streams_at_once(serve: Serve, store: Database[Document]) -> None:
    client = await serve()
    async with listening(client) as listener:
        await listener.next("hello")
        began = time.monotonic()
        await client.server.close()
        await listener.end()
    assert time.monotonic() - began < 15


def _bar_fields() -> Document:
    return {
        "ticker": "AAPL",
        "interval": "1d",
        "time": as_date(START_MS + DAY_MS),
        "ingested": as_date(START_MS),
        **dict.fromkeys(("open", "high", "low", "volume"), 1.0),
        "source": "test",
        "closed": False,
    }
