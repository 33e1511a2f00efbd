"""The source of news, against a server that serves feeds as publishers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from errors import ConfigurationError, SourceUnavailable
from models import NEWS_ITEM, NewsItem
from sources.base import cursors
from sources.rss import RssSource
from tests.sources.conftest import ManualClock
from tests.sources.providers.heartbeat import least_gap_during
from tests.sources.providers.rss import HEADLINES, FeedServer, Item, atom, rss
from tests.sources.providers.server import HANG, Answer
from topics import FINANCIAL_NEWS

AT = 1_706_823_000
AT_MS = AT * 1000
#: Long after every date in the feeds.
NOW = float(AT + 1_000_000)
NAMES = {"AAPL": "Apple Inc.", "MSFT": "Microsoft Corporation", "A": "Agilent Technologies, Inc."}


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as found:
        yield found


class Sources:
    """Makes sources and closes them."""

    def __init__(self, server: FeedServer, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.made: list[RssSource] = []

    def __call__(self, *paths: str, **options: Any) -> RssSource:
        given: dict[str, Any] = {
            "names": NAMES,
            "base_url": self.server.url,
            "clock": self.clock,
            "now": lambda: NOW,
        }
        feeds = [f"{self.server.url}{path}" for path in paths]
        self.made.append(RssSource(feeds, **{**given, **options}))
        return self.made[-1]


@pytest.fixture
async def make(server: FeedServer, clock: ManualClock) -> AsyncIterator[Sources]:
    made = Sources(server, clock)
    yield made
    for source in made.made:
        await source.close()


def told(items: list[NewsItem]) -> list[tuple[str, str]]:
    return [(item.ticker, item.title) for item in items]


async def test_a_tickers_feed(server: FeedServer, make: Sources) -> None:
    server.yahoo["AAPL"] = [
        Item("Second", "https://finance.yahoo.com/news/b.html?.tsrc=rss", AT + 60, "More of it."),
        Item("First", "https://finance.yahoo.com/news/a.html?.tsrc=rss", AT, source="Reuters"),
    ]
    source = make()
    assert (source.name, source.topic, source.interval) == ("rss", FINANCIAL_NEWS, 60.0)
    first, second = await source.fetch(["AAPL"], {})
    assert (first.ticker, first.time, first.title, first.source) == ("AAPL", AT_MS, "First", "rss")
    assert (first.publisher, first.sentiment, first.ingested) == ("Reuters", None, int(NOW * 1000))
    assert (second.title, second.summary) == ("Second", "More of it.")
    assert second.url == "https://finance.yahoo.com/news/b.html?.tsrc=rss"
    assert second.publisher == "Yahoo! Finance: AAPL News"
    for item in (first, second):
        again = NEWS_ITEM.decode(NEWS_ITEM.encode_key(item), NEWS_ITEM.encode(item))
        assert again.asdict() == item.asdict()
    (asked,) = server.asked(HEADLINES)
    assert asked.query == {"s": ["AAPL"], "region": ["US"], "lang": ["en-US"]}
    assert "Mozilla" in asked.headers["user-agent"]


async def test_since_is_exclusive_and_the_same_since_brings_the_same(
    server: FeedServer, make: Sources
) -> None:
    server.yahoo["AAPL"] = [Item(f"No {i}", f"https://n.test/{i}", AT + i) for i in range(3)]
    source = make()
    items = await source.fetch(["AAPL"], {})
    since = {"AAPL": AT_MS}
    assert [item.time for item in await source.fetch(["AAPL"], since)] == [
        AT_MS + 1000,
        AT_MS + 2000,
    ]
    assert await source.fetch(["AAPL"], cursors(items)) == []
    # All of these were 304: what was not acknowledged must come again all the same.
    assert told(await source.fetch(["AAPL"], {})) == told(items)
    assert [r.headers.get("if-none-match") for r in server.asked(HEADLINES)].count(None) == 1
    assert (
        server.asked(HEADLINES)[1].headers["if-modified-since"] == "Thu, 01 Feb 2024 21:31:00 GMT"
    )
    late = await make(late_s=1.5).fetch(["AAPL"], cursors(items))
    assert [item.title for item in late] == ["No 1", "No 2"]


async def test_what_is_new_after_a_304(server: FeedServer, make: Sources) -> None:
    server.yahoo["AAPL"] = [Item("Old", "https://n.test/old", AT)]
    source = make()
    since = cursors(await source.fetch(["AAPL"], {}))
    assert await source.fetch(["AAPL"], since) == []
    server.yahoo["AAPL"].append(Item("New", "https://n.test/new", AT + 1))
    assert told(await source.fetch(["AAPL"], since)) == [("AAPL", "New")]
    # A ticker that comes later, too.
    server.yahoo["MSFT"] = [Item("Other", "https://n.test/other", AT)]
    assert told(await source.fetch(["AAPL", "MSFT"], since | {"AAPL": AT_MS + 1000})) == [
        ("MSFT", "Other")
    ]


async def test_general_feeds_are_matched(server: FeedServer, make: Sources) -> None:
    server.feeds["/market"] = rss(
        [
            Item("Apple and $msft rise", "https://n.test/both", AT),
            Item("A rally for ALL of it", "https://n.test/nobody", AT + 1),
            Item("Sensors", "https://n.test/a", AT + 2, summary="<p>Agilent Technologies up</p>"),
        ]
    )
    items = await make("/market").fetch(["AAPL", "MSFT", "A", "ALL", "IT"], {})
    assert told(items) == [
        ("AAPL", "Apple and $msft rise"),
        ("MSFT", "Apple and $msft rise"),
        ("A", "Sensors"),
    ]
    assert items[0].id == items[1].id
    assert items[0].publisher == "Market News"


async def test_one_story_in_two_feeds_is_one_document(server: FeedServer, make: Sources) -> None:
    link = "https://n.test/story?id=7"
    server.yahoo["AAPL"] = [Item("Apple up", f"{link}&.tsrc=rss", AT)] * 2
    server.yahoo["MSFT"] = [Item("Apple up", f"{link}&.tsrc=rss", AT)]
    server.feeds["/market"] = rss([Item("Apple up", f"{link}&utm_source=x#top", AT + 5)])
    items = await make("/market").fetch(["AAPL", "MSFT"], {})
    assert told(items) == [("AAPL", "Apple up"), ("MSFT", "Apple up")]
    assert len({item.id for item in items}) == 1


async def test_stories_without_a_link(server: FeedServer, make: Sources) -> None:
    server.yahoo["AAPL"] = [
        Item("By guid", guid="17"),
        Item("By guid, corrected", guid="17"),
        Item("By title"),
        Item("", summary="Only a summary"),
        Item("", summary=""),
    ]
    server.yahoo["MSFT"] = [Item("By guid", guid="17")]
    items = await make().fetch(["AAPL", "MSFT"], {})
    assert sorted(told(items)) == [
        ("AAPL", "By guid"),
        ("AAPL", "By title"),
        ("AAPL", "Only a summary"),
        ("MSFT", "By guid"),
    ]
    assert len({item.id for item in items}) == 3
    assert all(item.url == "" for item in items)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Thu, 01 Feb 2024 21:30:00 GMT", AT_MS),
        ("Thu, 01 Feb 2024 21:30:00 +0000", AT_MS),
        ("Thu, 01 Feb 2024 16:30:00 EST", AT_MS),
        ("Thu, 1 Feb 2024 16:30 -0500", AT_MS),
        ("Sun, 12 Mar 2023 03:30:00 EDT", 1_678_606_200_000),
        ("2024-02-01T22:30:00+01:00", AT_MS),
        ("2024-02-01T21:30:00Z", AT_MS),
        ("yesterday, around noon", int(NOW * 1000)),
        (None, int(NOW * 1000)),
        ("Thu, 01 Feb 2091 21:30:00 GMT", int(NOW * 1000)),
    ],
)
async def test_dates(server: FeedServer, make: Sources, date: str | None, expected: int) -> None:
    server.yahoo["AAPL"] = [Item("Story", "https://n.test/a", date)]
    (item,) = await make().fetch(["AAPL"], {})
    assert datetime.fromtimestamp(item.time / 1000, UTC) == datetime.fromtimestamp(
        expected / 1000, UTC
    )


async def test_an_undated_story_is_as_old_as_its_first_sight(
    server: FeedServer, make: Sources
) -> None:
    server.yahoo["AAPL"] = [Item("Undated", "https://n.test/a", None)]
    now = [NOW]
    source = make(now=lambda: now[0])
    (first,) = await source.fetch(["AAPL"], {})
    now[0] += 3600
    server.yahoo["AAPL"].append(Item("Another", "https://n.test/b", None))
    (other,) = await source.fetch(["AAPL"], cursors([first]))
    assert (other.title, other.time) == ("Another", first.time + 3_600_000)


async def test_atom_with_a_relative_link_and_html(server: FeedServer, make: Sources) -> None:
    server.feeds["/wire/atom"] = atom(
        "Apple <b>&amp;</b> friends", "story.html", "2024-02-01T21:30:00Z"
    )
    (item,) = await make("/wire/atom").fetch(["AAPL"], {})
    assert (item.title, item.publisher, item.time) == ("Apple & friends", "Wire", AT_MS)
    assert item.url == f"{server.url}/wire/story.html"


async def test_html_is_taken_out(server: FeedServer, make: Sources) -> None:
    summary = (
        '<p>Up &nbsp;5&#37;&hellip;</p><script>alert("x")</script><a href="https://x.test">more</a>'
        "<img src='x.png'/>"
    )
    server.yahoo["AAPL"] = [
        Item("AT&amp;T, Apple &#8217;n&#8217; a <tight> race", "https://n.test/a", AT, summary)
    ]
    (item,) = await make().fetch(["AAPL"], {})
    assert item.title == "AT&T, Apple ’n’ a <tight> race"
    assert item.summary == "Up 5%… more"


async def test_what_is_too_long_is_cut(server: FeedServer, make: Sources) -> None:
    long_link = "https://n.test/" + "a" * 5_000
    server.yahoo["AAPL"] = [Item("T" * 3_000, long_link, AT, "s" * 200_000, source="p" * 300)]
    (item,) = await make().fetch(["AAPL"], {})
    lengths = (len(item.title), len(item.summary), len(item.url), len(item.publisher))
    assert lengths == (2_000, 100_000, 0, 256)


async def test_an_empty_feed_brings_nothing(server: FeedServer, make: Sources) -> None:
    source = make()
    assert await source.fetch(["AAPL"], {}) == []
    assert await source.fetch([], {}) == []
    assert len(server.asked()) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(401), "401"),
        (Answer(403, b"Forbidden"), "403"),
        (Answer(404, b"Not found"), "404"),
        (Answer(429, b"Too Many Requests\r\n"), "429"),
        (Answer(500, b"oops"), "500"),
        (Answer(drop=True), "no answer"),
        (Answer(200, rss([Item("x")]), cut=40), "complete message"),
        (Answer(200, b""), "empty"),
        (Answer(200, b"<html><body>Sign in</body></html>"), "neither RSS nor Atom"),
        (Answer(200, b'{"finance": {"error": null}}'), "neither RSS nor Atom"),
        (Answer(200, rss([Item("x" * 99)])[:220]), "not well-formed"),
        (Answer(301, headers={"Location": HEADLINES}), "redirects"),
    ],
)
async def test_a_feed_that_fails_is_named_and_costs_the_others_nothing(
    server: FeedServer, make: Sources, answer: Answer, reason: str
) -> None:
    server.on(HEADLINES, answer)
    with pytest.raises(SourceUnavailable, match=rf"feed of AAPL: .*{reason}"):
        await make().fetch(["AAPL"], {})
    server.feeds["/market"] = rss([Item("Apple up", "https://n.test/a", AT)])
    assert told(await make("/market").fetch(["AAPL"], {})) == [("AAPL", "Apple up")]


async def test_a_feed_recovers(server: FeedServer, make: Sources) -> None:
    good = Answer(200, rss([Item("Back", "https://n.test/a", AT)]))
    server.on(HEADLINES, Answer(500), good, Answer(500))
    server.feeds["/market"] = rss([])
    source = make("/market")
    assert await source.fetch(["AAPL"], {}) == []
    assert told(await source.fetch(["AAPL"], {})) == [("AAPL", "Back")]
    # What it said stays known while it is ill: it may not have been acknowledged.
    assert told(await source.fetch(["AAPL"], {})) == [("AAPL", "Back")]


async def test_a_broken_feed_with_entries_is_read(server: FeedServer, make: Sources) -> None:
    whole = rss([Item(f"No {i}", f"https://n.test/{i}", AT + i) for i in range(3)])
    cut = Answer(200, whole[: whole.index(b"No 2") + 3], {"ETag": '"half"'})
    server.on(HEADLINES, cut, Answer(200, whole.replace(b"Market News", b"P&L <x>")))
    source = make()
    # Half a story is none, and what came in part is asked for again in full.
    assert [title for _, title in told(await source.fetch(["AAPL"], {}))] == ["No 0", "No 1"]
    assert len(await source.fetch(["AAPL"], {})) == 3
    assert "if-none-match" not in server.asked(HEADLINES)[1].headers


@pytest.mark.parametrize(
    ("retry_after", "pause"),
    [("120", 120), (None, 60), ("soon", 60), ("nan", 60), ("-3", 1), ("DATE", 300)],
)
async def test_retry_after(
    server: FeedServer, make: Sources, clock: ManualClock, retry_after: str | None, pause: float
) -> None:
    date = datetime.fromtimestamp(NOW + 300, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    text = date if retry_after == "DATE" else retry_after
    headers = {} if text is None else {"Retry-After": text}
    good = Answer(200, rss([Item("Back", "https://n.test/a", AT)]))
    server.on(HEADLINES, Answer(429, headers=headers), good)
    source = make()
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match="429"):
            await source.fetch(["AAPL"], {})
    clock.pass_(pause - 0.5)
    with pytest.raises(SourceUnavailable, match="429"):
        await source.fetch(["AAPL"], {})
    assert len(server.asked(HEADLINES)) == 1
    clock.pass_(1)
    assert told(await source.fetch(["AAPL"], {})) == [("AAPL", "Back")]


async def test_a_hang_ends_and_holds_nobody_up(server: FeedServer, make: Sources) -> None:
    server.on(HEADLINES, HANG)
    server.feeds["/market"] = rss(
        [Item(f"Apple up {i}", f"https://n.test/{i}", AT + i) for i in range(100)]
    )
    source = make("/market", timeout_s=2.0)
    gap, items = await least_gap_during(lambda: source.fetch(["AAPL"], {}), 0.05)
    assert len(items) == 100
    assert gap < 0.05
    with pytest.raises(SourceUnavailable, match=r"no complete answer in 0\.1 s"):
        await make(timeout_s=0.1).fetch(["AAPL"], {})


async def test_feeds_that_were_not_asked_in_time_come_first(
    server: FeedServer, make: Sources, clock: ManualClock
) -> None:
    tickers = [f"T{i}" for i in range(10)]
    server.on(HEADLINES, HANG)
    source = make(timeout_s=5.0, budget_s=0.5)
    with pytest.raises(SourceUnavailable, match=r"T0: no answer within the 0\.5 s .* 9 more"):
        await source.fetch(tickers, {})
    first = server.asked(HEADLINES)
    clock.pass_(1)
    with pytest.raises(SourceUnavailable):
        await source.fetch(tickers, {})
    second = server.asked(HEADLINES)[len(first) :]
    assert {"T8", "T9"}.isdisjoint(r.value("s") for r in first)
    assert {"T8", "T9"}.issubset(r.value("s") for r in second)


async def test_a_cancelled_fetch_changes_nothing(server: FeedServer, make: Sources) -> None:
    server.yahoo["AAPL"] = [Item("Story", "https://n.test/a", AT)]
    server.on(HEADLINES, HANG)
    source = make()
    task = asyncio.create_task(source.fetch(["AAPL"], {}))
    await asyncio.to_thread(server.wait_asked, HEADLINES)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.on(HEADLINES, server.answer)
    assert told(await source.fetch(["AAPL"], {})) == [("AAPL", "Story")]
    await source.close()
    await source.close()
    assert told(await source.fetch(["AAPL"], {})) == [("AAPL", "Story")]


async def test_secrets_in_an_address_are_not_told(server: FeedServer, make: Sources) -> None:
    secret = server.url.replace("http://", "http://user:pw@") + "/private?token=tkn"
    source = RssSource([secret], base_url="http://127.0.0.1:9")
    with pytest.raises(SourceUnavailable) as caught:
        await source.fetch(["AAPL"], {})
    await source.close()
    assert "tkn" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("address", ["", "feeds.test/rss", "file:///etc/passwd", "https://"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        RssSource([address])
