"""Providers that have as much as they may: what one poll takes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from errors import SourceUnavailable
from models import NEWS_ITEM
from sources import fred_client, mentions, rss
from sources.schedule import PORTION_BYTES, Schedule
from tests.sources.live import KEYS, NOON, live
from tests.sources.providers import reddit, twitter, yahoo
from tests.sources.providers.rss import HEADLINES, Item
from tests.sources.providers.rss import rss as document
from tests.sources.providers.server import Answer, Request, json_answer
from topics import FINANCIAL_NEWS

FIRST = KEYS[:1]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.mark.parametrize("name", ["reddit", "twitter"])
async def test_no_more_posts_are_taken_than_were_asked_for(name: str, cache: Path) -> None:
    """Whatever a page has, and though there is always one more."""
    posts = [reddit.post(f"a{n}", NOON - 60, "$AAPL") for n in range(1_000)]
    tweets = [twitter.tweet((NOON - 60) * 1000, "$AAPL", n) for n in range(1_000)]
    page = {
        "reddit": json_answer(reddit.listing(posts, posts[-1]["name"])),
        "twitter": json_answer({"data": tweets, "meta": {"next_token": "more"}}),
    }[name]
    async with AsyncExitStack() as stack:
        case = await live(name, stack, cache)
        case.server.on(case.path, page)
        # Those of the first page, again and again.
        assert len(await case.fetch(FIRST)) == 100
        assert len(case.server.asked(case.path)) == 3


async def test_a_turn_ends_after_so_many_letters(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "MOST_LETTERS", 10)
    async with AsyncExitStack() as stack:
        case = await live("reddit", stack, cache)
        keys = [{post.ticker for post in await case.fetch()} for _ in range(3)]
        assert keys == [{"AAPL"}, {"MSFT"}, {"AAPL"}]


async def test_a_series_without_end_is_said(cache: Path) -> None:
    row = '<observation realtime_start="2024-01-01" date="2024-01-01" value="1"/>'
    body = f"<observations>{row * fred_client.MOST_ROWS}</observations>".encode()
    async with AsyncExitStack() as stack:
        case = await live("fred", stack, cache)
        case.server.on(case.path, Answer(200, body))
        with pytest.raises(SourceUnavailable, match=r"AAPL: .*more than 150,000 values"):
            await case.fetch(FIRST)
        assert len(case.server.asked(case.path)) == 4


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<o>" + b"<a/>" * 100_000 + b"</o>", "more than 60,000 elements"),
        (b'<!DOCTYPE o [<!ENTITY a "aaaa">]><o>&a;&a;</o>', "document type"),
    ],
)
async def test_xml_that_is_larger_than_it_looks_is_said(
    body: bytes, words: str, cache: Path
) -> None:
    async with AsyncExitStack() as stack:
        case = await live("fred", stack, cache)
        case.server.on(case.path, Answer(200, body))
        with pytest.raises(SourceUnavailable, match=words):
            await case.fetch(FIRST)
        case.server.on(case.path, case.server.answer)
        assert len(await case.fetch()) == 6


async def test_series_after_long_ones_have_their_turn_later(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.fred.MOST_RECORDS", 2)
    monkeypatch.setattr("sources.fred.CONCURRENCY", 1)
    async with AsyncExitStack() as stack:
        case = await live("fred", stack, cache)
        assert {one.series for one in await case.fetch()} == {"AAPL"}
        case.since = {"AAPL": max(one.time for one in await case.fetch())}
        assert {one.series for one in await case.fetch()} == {"MSFT"}


async def test_feeds_are_kept_as_far_as_there_is_room(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        case = await live("rss", stack, cache)
        await case.fetch(FIRST)
        monkeypatch.setattr(rss, "MOST_KEPT_BYTES", 1_000)
        assert {one.ticker for one in await case.fetch()} == {"AAPL"}
        monkeypatch.setattr(rss, "MOST_KEPT_BYTES", 100)
        with pytest.raises(SourceUnavailable, match="together have more than 100 bytes"):
            await case.fetch(["MSFT", "GOOG"])


async def test_what_is_all_tags_is_no_feed(cache: Path) -> None:
    body = b'<rss version="2.0"><channel>' + b"<a>" * 200_000
    async with AsyncExitStack() as stack:
        case = await live("rss", stack, cache)
        case.server.on(HEADLINES, Answer(200, body))
        with pytest.raises(SourceUnavailable, match="more than 100,000 tags"):
            await case.fetch(FIRST)


async def test_a_story_that_names_everything_is_about_fifty(cache: Path) -> None:
    keys = [f"{a}{b}Q" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJ"]
    async with AsyncExitStack() as stack:
        case = await live("rss", stack, cache)
        text = " ".join(f"${key}" for key in keys)
        case.server.on("/all", Answer(200, document([Item(text, "https://n.test/a", NOON - 60)])))
        source = rss.RssSource(
            [f"{case.server.url}/all"], base_url=case.server.url, clock=case.clock, now=case.now
        )
        stack.push_async_callback(source.close)
        assert [one.ticker for one in await source.fetch(keys, {})] == keys[: rss.MOST_TICKERS]


async def test_more_bars_than_the_time_has_are_said(cache: Path) -> None:
    async with AsyncExitStack() as stack:
        case = await live("yahoo", stack, cache)
        assert isinstance(case.server, yahoo.YahooServer)
        day = case.server.charts["AAPL"].rows[-1][0]
        many = yahoo.Chart([yahoo.row(day - back, 50.0) for back in range(5_000)])

        def flood(request: Request) -> Answer:
            return json_answer(yahoo.body("AAPL", many, request))

        case.server.on(case.path, flood)
        with pytest.raises(SourceUnavailable, match=r"AAPL: .*bars of a time that has"):
            await case.fetch(FIRST)
        assert {bar.ticker for bar in await case.fetch()} == {"MSFT"}


async def test_tickers_after_long_ones_have_their_turn_with_the_next_poll(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        case = await live("yahoo", stack, cache)
        await case.fetch()  # its time zones are known from now on
        monkeypatch.setattr("sources.yahoo.MOST_RECORDS", 1)
        case.publish(3)
        asked = [{bar.ticker for bar in await case.fetch()} for _ in range(2)]
        assert [len(keys) for keys in asked] == [1, 1]
        assert asked[0] | asked[1] == set(KEYS)


class Sent:
    """Stands for the app; keeps what was sent at once."""

    def __init__(self) -> None:
        self.portions: list[int] = []

    async def __call__(
        self, app: object, topic: str, partition: int, messages: Sequence[tuple[bytes, bytes]]
    ) -> list[Any]:
        self.portions.append(sum(len(value) for _, value in messages))
        return []


class Nothing:
    """A source, and what it keeps cursors in."""

    name, interval, topic = "nothing", 1.0, FINANCIAL_NEWS

    def load(self, *_: Any) -> Mapping[str, int]:
        return {}


async def test_much_is_sent_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent()
    monkeypatch.setattr("sources.schedule.send_batches", sent)
    nothing: Any = Nothing()
    schedule = Schedule(nothing, nothing, lambda: ["AAPL"], lambda _: 0, nothing)
    item = {"ticker": "AAPL", "source": "rss", "title": "t", "ingested": NOON * 1000}
    items = [
        NEWS_ITEM.parse({**item, "id": f"{n}", "time": NOON * 1000, "summary": "x" * 10_000})
        for n in range(1_000)
    ]
    await schedule.send(items)
    assert len(sent.portions) > 9
    assert max(sent.portions) < PORTION_BYTES * 1.1
    assert sum(sent.portions) > 10_000_000
