"""The Reddit source, through praw, at a server that answers as Reddit does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from errors import ConfigurationError, SourceUnavailable
from sources.reddit import RedditSource
from tests.sources.providers.reddit import (
    CLIENT_ID,
    CLIENT_SECRET,
    COMMENTS,
    SEARCH,
    SECRETS,
    TOKEN,
    RedditServer,
    comment,
    listing,
    post,
    token,
)
from tests.sources.providers.server import HANG, Answer, json_answer
from topics import REDDIT_SENTIMENT

NOW = 1_700_000_000


@pytest.fixture
def server() -> Iterator[RedditServer]:
    with RedditServer() as made:
        yield made


def reddit(server: RedditServer, **options: Any) -> RedditSource:
    given: dict[str, Any] = {"base_url": server.url, "now": lambda: NOW, "request_timeout_s": 5.0}
    return RedditSource(CLIENT_ID, CLIENT_SECRET, **given | options)


async def test_brings_posts_in_order_of_time(server: RedditServer) -> None:
    server.posts = [
        post("b2", NOW - 50, "Apple earnings", selftext="Great & more", score=-3, num_comments=4),
        post("a1", NOW - 100, author=None),
    ]
    source = reddit(server, names={"AAPL": "Apple Inc."})
    first, second = await source.fetch(["AAPL"], {})
    await source.close()
    assert source.topic is REDDIT_SENTIMENT
    assert (first.id, first.time, first.text) == ("a1", (NOW - 100) * 1000, "AAPL is up")
    assert (first.author, first.engagement, first.sentiment) == (None, 7.0, None)
    assert (first.platform, first.source, first.ticker) == ("reddit", "reddit", "AAPL")
    assert second.text == "Apple earnings\n\nGreat & more"
    assert (second.author, second.engagement) == ("a_trader", 4.0)
    assert second.url == "https://www.reddit.com/r/stocks/comments/b2/aapl_is_up/"
    (asked,) = server.asked(SEARCH)
    assert asked.value("q") == '"$AAPL" OR "Apple"'
    assert (asked.value("sort"), asked.value("restrict_sr")) == ("new", "1")
    assert len(server.requests) == 2


async def test_only_what_is_after_since_comes_and_the_same_again(server: RedditServer) -> None:
    server.posts = [post(f"p{i}", NOW - i) for i in range(10)]
    source = reddit(server)
    for _ in range(2):
        posts = await source.fetch(["AAPL"], {"AAPL": (NOW - 3) * 1000})
        assert [p.id for p in posts] == ["p2", "p1", "p0"]
    assert len(server.asked(TOKEN)) == 1


@pytest.mark.parametrize(
    ("days", "period"), [(0.5, "day"), (3, "week"), (20, "month"), (100, "year"), (900, "all")]
)
async def test_searches_no_further_back_than_needed(
    server: RedditServer, days: float, period: str
) -> None:
    await reddit(server).fetch(["AAPL"], {"AAPL": int((NOW - days * 86_400) * 1000)})
    assert server.asked(SEARCH)[0].value("t") == period


async def test_pages_until_since_or_the_limit(server: RedditServer) -> None:
    server.posts = [post(f"p{i:03}", NOW - i) for i in range(450)]
    assert len(await reddit(server).fetch(["AAPL"], {})) == 300
    assert [r.value("after") for r in server.asked(SEARCH)] == ["", "t3_p099", "t3_p199"]
    server.requests.clear()
    posts = await reddit(server).fetch(["AAPL"], {"AAPL": (NOW - 150) * 1000})
    assert len(posts) == 150
    assert len(server.asked(SEARCH)) == 2


async def test_duplicates_come_once_and_nothing_is_nothing(server: RedditServer) -> None:
    source = reddit(server)
    assert await source.fetch(["AAPL"], {}) == []
    assert await source.fetch([], {}) == []
    twice = [post("a1", NOW - 1), post("a1", NOW - 1), post("a0", NOW - 2)]
    server.on(SEARCH, json_answer(listing(twice)))
    assert [p.id for p in await source.fetch(["AAPL"], {})] == ["a0", "a1"]


async def test_what_is_gone_or_broken_is_left_out(server: RedditServer) -> None:
    server.posts = [
        post("gone", NOW - 1, selftext="[removed]", author="[deleted]"),
        post("future", NOW + 9 * 86_400 * 366 * 100),
        {k: v for k, v in post("odd", NOW - 4, score=None).items() if k != "selftext"},
        post("long", NOW - 3, selftext="x" * 40_000),
    ]
    long, gone = (p for p in await reddit(server).fetch(["AAPL"], {}) if p.id != "odd")
    assert (gone.text, gone.author) == ("AAPL is up", None)
    assert len(long.text) == 10_000


async def test_a_short_ticker_is_looked_for_in_the_text(server: RedditServer) -> None:
    server.posts = [post("a", NOW - 1, "a day at the lake"), post("b", NOW - 2, "Selling $A now")]
    assert [p.id for p in await reddit(server).fetch(["A"], {})] == ["b"]


async def test_the_author_can_be_left_out(server: RedditServer) -> None:
    server.posts = [post("a1", NOW - 1)]
    (found,) = await reddit(server, authors=False).fetch(["AAPL"], {})
    assert found.author is None


async def test_comments_if_wanted(server: RedditServer) -> None:
    server.posts = [post("a1", NOW - 10), post("a2", NOW + 5)]
    server.comments = [
        comment("c1", NOW - 5, "I sold my $AAPL"),
        comment("c2", NOW - 4, "nice weather"),
        comment("c3", NOW - 3, "[deleted]", author=None),
        comment("c4", NOW - 30, "AAPL, long ago"),
        comment("c5", NOW - 2, "MSFT and AAPL", score=-8),
        comment("c6", NOW + 6, "AAPL, while the source reads"),
    ]
    source = reddit(server, comments=True)
    posts = await source.fetch(["AAPL", "MSFT"], {"AAPL": (NOW - 20) * 1000})
    assert [(p.ticker, p.id) for p in posts] == [
        ("AAPL", "a1"),
        ("AAPL", "t1_c1"),
        ("AAPL", "t1_c5"),
        ("MSFT", "a1"),
        ("MSFT", "t1_c5"),
    ]
    assert (posts[2].author, posts[2].engagement) == ("a_reader", 0.0)
    assert len(server.asked(COMMENTS)) == 1


@pytest.mark.parametrize("missing", [("", CLIENT_SECRET), (CLIENT_ID, "")])
def test_credentials_are_needed(missing: tuple[str, str]) -> None:
    with pytest.raises(SourceUnavailable, match="REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"):
        RedditSource(*missing)


def test_subreddits_are_names() -> None:
    with pytest.raises(ConfigurationError, match="r/stocks"):
        RedditSource(CLIENT_ID, CLIENT_SECRET, subreddits=["r/stocks"])


FAILURES = {
    "token-401": (TOKEN, Answer(401, b'{"message": "Unauthorized"}'), "REDDIT_CLIENT_SECRET"),
    "token-error": (TOKEN, json_answer({"error": "invalid_grant"}), "OAuthException"),
    "token-cut": (TOKEN, Answer(body=b'{"access_token": "access-token-of-mine'), "cannot be read"),
    "401": (SEARCH, Answer(401, b'{"message": "Unauthorized"}'), "401, the access token"),
    "403": (SEARCH, json_answer({"reason": "private", "error": 403}, 403), "403.*subreddits"),
    "404": (SEARCH, json_answer({"reason": "banned", "error": 404}, 404), "404.*subreddits"),
    "302": (SEARCH, Answer(302, headers={"Location": "/subreddits/search"}), "302.*subreddits"),
    "429": (SEARCH, Answer(429, b"Too Many Requests"), "too many requests$"),
    "500": (SEARCH, Answer(500, b"<html>sorry</html>"), "answers 500"),
    "503": (SEARCH, Answer(503), "answers 503"),
    "json-cut": (SEARCH, Answer(body=b'{"kind": "Listing", "data": {"child'), "BadJSON"),
    "no-object": (SEARCH, json_answer({"kind": "Listing", "data": {"children": [1]}}), "read"),
    "connection-cut": (SEARCH, Answer(body=b'{"kind": "Listing"}', cut=5), "no answer from 127"),
    "dropped": (SEARCH, Answer(drop=True), "no answer from 127.0.0.1"),
    "empty": (SEARCH, Answer(), "an empty answer"),
    "no-listing": (SEARCH, json_answer({"what": "else"}), "cannot be read"),
    "list": (SEARCH, json_answer([1]), "cannot be read"),
    "null": (SEARCH, json_answer(None), "cannot be read"),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_failures_are_told_without_secrets_and_pass(
    server: RedditServer, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path, answer, message = FAILURES[failure]
    server.posts = [post("a1", NOW - 1)]
    server.on(path, answer)
    source = reddit(server)
    with pytest.raises(SourceUnavailable, match=message) as caught:
        await source.fetch(["AAPL", "MSFT"], {})
    assert len(server.asked(path)) == 1
    told = f"{caught.value} {caught.value!r} {caplog.text}"
    assert [secret for secret in SECRETS if secret in told] == []
    server.on(path, server.answer)
    assert len(await source.fetch(["AAPL", "MSFT"], {})) == 2
    await source.close()


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "30"}, {"x-ratelimit-reset": "30", "x-ratelimit-remaining": "0"}]
)
async def test_no_requests_until_the_quota_is_back(
    server: RedditServer, headers: dict[str, str]
) -> None:
    server.on(SEARCH, Answer(429, b"{}", headers))
    source = reddit(server)
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match=r"goes on in (30|29) s"):
            await source.fetch(["AAPL"], {})
    assert len(server.asked(SEARCH)) == 1


async def test_a_used_up_quota_is_waited_for_without_sleeping(server: RedditServer) -> None:
    server.headers = {
        "x-ratelimit-remaining": "0.0",
        "x-ratelimit-used": "100",
        "x-ratelimit-reset": "590",
    }
    server.posts = [post("a1", NOW - 1)]
    source = reddit(server)
    # Nobody loses what was read by then.
    assert [p.ticker for p in await source.fetch(["AAPL", "MSFT"], {})] == ["AAPL"]
    with pytest.raises(SourceUnavailable, match="goes on in 5"):
        await source.fetch(["AAPL", "MSFT"], {})
    assert len(server.asked(SEARCH)) == 1


async def test_headers_that_are_no_numbers_harm_nothing(server: RedditServer) -> None:
    server.headers = {"x-ratelimit-remaining": "many", "x-ratelimit-used": "1"}
    server.posts = [post("a1", NOW - 1)]
    assert len(await reddit(server).fetch(["AAPL", "MSFT"], {})) == 2


async def test_a_ticker_that_fails_keeps_no_other_from_its_turn(
    server: RedditServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.posts = [post("a1", NOW - 1)]
    good = server.answer
    server.on(SEARCH, lambda r: Answer(500) if "IBM" in r.value("q") else good(r))
    source = reddit(server)
    keys = ["AAPL", "IBM", "MSFT"]
    turns = [[p.ticker for p in await source.fetch(keys, {})] for _ in range(3)]
    assert turns == [["AAPL"], ["AAPL", "MSFT"], ["AAPL", "MSFT"]]
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == [
        "reddit: the provider answers 500; 1 of 3 tickers were read",
        "reddit: the provider answers 500; 2 of 3 tickers were read",
    ]


async def test_a_token_that_expired_is_replaced(server: RedditServer) -> None:
    server.posts = [post("a1", NOW - 1)]
    server.on(TOKEN, token("first"), token("second"))
    source = reddit(server)
    await source.fetch(["AAPL"], {})
    server.on(SEARCH, Answer(401), server.answer)
    with pytest.raises(SourceUnavailable):
        await source.fetch(["AAPL"], {})
    assert len(await source.fetch(["AAPL"], {})) == 1
    assert server.asked(SEARCH)[-1].headers["authorization"] == "bearer second"


async def test_a_hang_ends_and_does_not_hold_up_the_loop(server: RedditServer) -> None:
    server.on(SEARCH, HANG)
    gaps: list[float] = []
    # The best of up to three: what a busy machine does to one of them says nothing.
    while not gaps or (min(gaps) >= 0.05 and len(gaps) < 3):
        source = reddit(server, timeout_s=2.0)
        gaps.append(0.0)
        task = asyncio.create_task(source.fetch(["AAPL"], {}))
        while not task.done():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps[-1] = max(gaps[-1], time.perf_counter() - before)
        with pytest.raises(SourceUnavailable, match="no complete answer within 2 s"):
            await task
    assert min(gaps) < 0.05
    server.release()
    server.on(SEARCH, server.answer)
    assert await source.fetch(["AAPL"], {}) == []


async def test_each_request_has_its_own_timeout(server: RedditServer) -> None:
    server.on(SEARCH, HANG)
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1 \(ReadTimeout\)"):
        await reddit(server, request_timeout_s=0.2).fetch(["AAPL"], {})
    assert len(server.asked(SEARCH)) == 1


async def test_a_cancelled_fetch_asks_no_more_and_changes_nothing(server: RedditServer) -> None:
    server.posts = [post("a1", NOW - 1)]
    server.on(SEARCH, json_answer(listing([])).having(hold=True))
    source = reddit(server)
    task = asyncio.create_task(source.fetch(["AAPL", "IBM", "MSFT"], {}))
    await asyncio.to_thread(server.wait_asked, SEARCH)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.on(SEARCH, server.answer)
    server.release()
    assert len(await source.fetch(["AAPL", "MSFT"], {})) == 2
    assert len(server.asked(SEARCH)) == 3


async def test_close_may_be_called_again(server: RedditServer) -> None:
    source = reddit(server)
    await source.close()
    await source.fetch(["AAPL"], {})
    await source.close()
    await source.close()


async def test_what_reddit_finds_late_is_taken_if_wanted(server: RedditServer) -> None:
    server.posts = [post("new", NOW - 10), post("same", NOW - 20), post("old", NOW - 100)]
    since = {"AAPL": (NOW - 20) * 1000}
    assert [p.id for p in await reddit(server).fetch(["AAPL"], since)] == ["new"]
    late = await reddit(server, late_s=60).fetch(["AAPL"], since)
    assert [p.id for p in late] == ["same", "new"]
