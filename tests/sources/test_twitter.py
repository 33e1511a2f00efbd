"""The source of posts on X, through tweepy, at a server that answers as X does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from config import read_settings
from errors import ConfigurationError, SourceUnavailable
from sinks.spend import DailySpend
from sources.base import cursors
from sources.spend import SpendHere
from sources.twitter import TwitterSource
from tests.sources.conftest import ManualClock
from tests.sources.providers.server import HANG, Answer, json_answer
from tests.sources.providers.twitter import SEARCH, TOKEN, TwitterServer, number, problem, tweet
from topics import TWITTER_SENTIMENT

#: 2023-11-14 22:13:20 UTC
NOW = 1_700_000_000
MS = NOW * 1000


@pytest.fixture
def server() -> Iterator[TwitterServer]:
    with TwitterServer() as made:
        yield made


@pytest.fixture
def now() -> ManualClock:
    return ManualClock(NOW)


def twitter(server: TwitterServer, now: ManualClock, **options: Any) -> TwitterSource:
    given: dict[str, Any] = {"base_url": server.url, "now": now, "request_timeout_s": 5.0}
    return TwitterSource(TOKEN, **given | options)


async def test_brings_posts_in_order_of_time(server: TwitterServer, now: ManualClock) -> None:
    server.posts = [tweet(MS - 50_123, "Apple &amp; $AAPL"), tweet(MS - 100_000)]
    source = twitter(server, now, names={"AAPL": "Apple Inc."})
    first, second = await source.fetch(["AAPL"], {})
    await source.close()
    assert source.topic is TWITTER_SENTIMENT
    assert (first.id, first.time) == (str(number(MS - 100_000)), MS - 100_000)
    assert (second.time, second.text) == (MS - 50_123, "Apple & $AAPL")
    assert (second.author, second.engagement, second.sentiment) == ("a_trader", 49.0, None)
    assert (second.platform, second.source, second.ticker) == ("twitter", "twitter", "AAPL")
    assert second.url == f"https://x.com/i/status/{second.id}"
    (asked,) = server.requests
    assert asked.value("query") == '($AAPL OR "Apple") -is:retweet lang:en'
    assert asked.value("start_time") == "2023-11-14T21:13:20Z"
    assert asked.value("tweet.fields") == "created_at,public_metrics"
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("ticker", "words"), [("BRK-B", "($BRK.B)"), ("0700.HK", '("0700.HK")'), ("^GSPC", "($GSPC)")]
)
async def test_searches_what_x_knows_as_a_cashtag(
    server: TwitterServer, now: ManualClock, ticker: str, words: str
) -> None:
    await twitter(server, now).fetch([ticker], {})
    assert server.requests[0].value("query") == f"{words} -is:retweet lang:en"


async def test_without_authors_none_are_asked_for(server: TwitterServer, now: ManualClock) -> None:
    server.posts = [tweet(MS - 1000)]
    (found,) = await twitter(server, now, authors=False).fetch(["AAPL"], {})
    assert found.author is None
    assert "a_trader" not in found.url
    assert not {"expansions", "user.fields"} & set(server.requests[0].query)


async def test_goes_on_after_what_was_sent_and_repeats_what_was_not(
    server: TwitterServer, now: ManualClock
) -> None:
    server.posts = [tweet(MS - 60_500), tweet(MS - 60_300)]
    source = twitter(server, now)
    first = await source.fetch(["AAPL"], {})
    again = await source.fetch(["AAPL"], {})
    assert [p.id for p in again] == [p.id for p in first]
    server.posts.append(tweet(MS - 60_200))
    (last,) = await source.fetch(["AAPL"], cursors(again))
    assert last.time == MS - 60_200
    assert [r.value("since_id") for r in server.requests] == ["", "", first[-1].id]
    # After a restart the time is all there is.
    (after,) = await twitter(server, now).fetch(["AAPL"], cursors(first))
    assert after.id == last.id
    assert server.requests[-1].value("start_time") == "2023-11-14T22:12:19Z"


async def test_posts_at_since_do_not_come_again(server: TwitterServer, now: ManualClock) -> None:
    made_up = [tweet(MS - 60_000, id=str(i)) for i in (1, 2)]
    server.posts = [*made_up, tweet(MS - 59_000, id="3")]
    posts = await twitter(server, now).fetch(["AAPL"], {"AAPL": MS - 60_000})
    assert [(p.id, p.time) for p in posts] == [("3", MS - 59_000)]


@pytest.mark.parametrize(
    ("since", "start"),
    [(MS - 30 * 86_400_000, "2023-11-07T22:18:20Z"), (MS, "2023-11-14T22:12:50Z")],
)
async def test_begins_where_x_lets_it(
    server: TwitterServer, now: ManualClock, since: int, start: str
) -> None:
    await twitter(server, now).fetch(["AAPL"], {"AAPL": since})
    assert server.requests[0].value("start_time") == start


async def test_a_number_older_than_x_searches_is_not_sent(
    server: TwitterServer, now: ManualClock
) -> None:
    server.posts = [tweet(MS - 1000)]
    source = twitter(server, now)
    since = cursors(await source.fetch(["AAPL"], {}))
    now.pass_(8 * 86_400)
    assert await source.fetch(["AAPL"], since) == []
    assert server.requests[-1].value("since_id") == ""


async def test_pages_up_to_a_limit(server: TwitterServer, now: ManualClock) -> None:
    server.posts = [tweet(MS - 1000 * i) for i in range(1, 451)]
    posts = await twitter(server, now).fetch(["AAPL"], {})
    assert [r.value("next_token") for r in server.requests] == ["", "100", "200"]
    assert [p.time for p in posts] == [MS - 1000 * i for i in range(300, 0, -1)]


async def test_the_spend_of_a_day_ends(server: TwitterServer, now: ManualClock) -> None:
    server.posts = [tweet(MS - 1000 * i) for i in range(1, 451)]
    source = twitter(server, now, daily_posts=125)
    assert len(await source.fetch(["AAPL"], {})) == 125
    assert [r.value("max_results") for r in server.requests] == ["100", "25"]
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match=r"125 posts .* 2023-11-15 00:00 UTC"):
            await source.fetch(["AAPL"], {})
    assert len(server.requests) == 2
    now.pass_(86_400 - NOW % 86_400)
    assert len(await source.fetch(["AAPL"], {"AAPL": MS - 5_500})) == 5


async def test_duplicates_come_once_and_nothing_is_nothing(
    server: TwitterServer, now: ManualClock
) -> None:
    source = twitter(server, now)
    assert await source.fetch(["AAPL"], {}) == []
    assert await source.fetch([], {}) == []
    server.posts = [tweet(MS - 1000), tweet(MS - 1000)]
    assert len(await source.fetch(["AAPL"], {})) == 1


async def test_what_is_broken_is_left_out(server: TwitterServer, now: ManualClock) -> None:
    bare = {k: tweet(MS - 3000)[k] for k in ("id", "text", "created_at")}
    broken = [{"id": "7"}, tweet(MS, created_at="?"), tweet(MS + 9 * 86_400_000 * 9999), "what"]
    page = {"data": [*broken, bare], "meta": {"result_count": 5}}
    server.on(SEARCH, json_answer(page))
    (found,) = await twitter(server, now).fetch(["AAPL"], {})
    assert (found.id, found.author, found.engagement) == (bare["id"], None, 0.0)


def test_a_token_is_needed() -> None:
    with pytest.raises(SourceUnavailable, match="TWITTER_BEARER_TOKEN"):
        TwitterSource("")


def test_the_cap_is_at_least_what_one_search_returns() -> None:
    with pytest.raises(ConfigurationError, match="at least 10"):
        TwitterSource(TOKEN, daily_posts=9)


_ECHO = f"Your token {TOKEN} is not enrolled"
FAILURES = {
    "400": (json_answer({"errors": [{"message": "no cashtag"}]}, 400), "400 'no cashtag'"),
    "401": (problem(401, "Unauthorized", "Unauthorized"), "401.*TWITTER_BEARER_TOKEN"),
    "403": (problem(403, "Forbidden", _ECHO), r"403 'Your token \.\.\. is not enrolled'"),
    "404": (problem(404, "Not Found", "Not Found"), "404"),
    "302": (Answer(302, headers={"Location": "https://127.0.0.1:1/"}), "302"),
    "429": (problem(429, "Too Many Requests", "Too Many Requests"), "too many requests$"),
    "429-odd": (Answer(429, headers={"x-rate-limit-reset": "soon"}), "cannot be read"),
    "500": (Answer(500, b"<html>sorry</html>"), "answers 500"),
    "503": (problem(503, "Service Unavailable", "..."), "answers 503"),
    "json-cut": (Answer(body=b'{"data": [{"id": "1'), "cannot be read"),
    "connection-cut": (Answer(body=b'{"data": []}', cut=5), "no answer from 127"),
    "dropped": (Answer(drop=True), "no answer from 127"),
    "empty": (Answer(), "cannot be read"),
    "list": (json_answer([1]), "cannot be read"),
    "no-page": (json_answer({"errors": [{"message": "odd"}]}), "cannot be read"),
    "error-list": (json_answer([1], 403), "cannot be read"),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_failures_are_told_without_the_token_and_pass(
    server: TwitterServer, now: ManualClock, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, message = FAILURES[failure]
    server.posts = [tweet(MS - 1000)]
    server.on(SEARCH, answer)
    source = twitter(server, now)
    with pytest.raises(SourceUnavailable, match=message) as caught:
        await source.fetch(["AAPL", "MSFT"], {})
    assert len(server.requests) == 1
    assert TOKEN not in f"{caught.value} {caught.value!r} {caplog.text}"
    server.on(SEARCH, server.answer)
    assert len(await source.fetch(["AAPL", "MSFT"], {})) == 2
    await source.close()


async def test_a_refusal_costs_nothing_and_a_torn_answer_does(
    server: TwitterServer, now: ManualClock
) -> None:
    source = twitter(server, now, daily_posts=100)
    for answer, message in ((Answer(500), "500"), (Answer(body=b"{"), "read"), (HANG, "today")):
        server.on(SEARCH, answer)
        with pytest.raises(SourceUnavailable, match=message):
            await source.fetch(["AAPL"], {})
    assert len(server.requests) == 2


async def test_no_requests_until_the_quota_is_back(server: TwitterServer, now: ManualClock) -> None:
    server.posts = [tweet(MS - 1000)]
    refusal = problem(429, "Too Many Requests", "...", x_rate_limit_reset=str(NOW + 600))
    server.on(SEARCH, refusal, server.answer)
    source = twitter(server, now)
    with pytest.raises(SourceUnavailable, match="goes on in 600 s"):
        await source.fetch(["AAPL"], {})
    now.pass_(599)
    with pytest.raises(SourceUnavailable, match="goes on in 1 s"):
        await source.fetch(["AAPL"], {})
    assert len(server.requests) == 1
    now.pass_(1)
    assert len(await source.fetch(["AAPL"], {})) == 1


async def test_what_was_paid_for_is_handed_out(server: TwitterServer, now: ManualClock) -> None:
    server.posts = [tweet(MS - 1000)]
    server.on(SEARCH, server.answer, Answer(500), server.answer)
    source = twitter(server, now)
    assert [p.ticker for p in await source.fetch(["AAPL", "MSFT"], {})] == ["AAPL"]
    assert [p.ticker for p in await source.fetch(["AAPL", "MSFT"], {})] == ["AAPL", "MSFT"]


async def test_a_hang_ends_and_does_not_hold_up_the_loop(
    server: TwitterServer, now: ManualClock
) -> None:
    server.on(SEARCH, HANG)
    gaps: list[float] = []
    # The best of up to three: what a busy machine does to one of them says nothing.
    while not gaps or (min(gaps) >= 0.05 and len(gaps) < 3):
        source = twitter(server, now, timeout_s=2.0)
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


async def test_each_request_has_its_own_timeout(server: TwitterServer, now: ManualClock) -> None:
    server.on(SEARCH, HANG)
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1 \(ReadTimeout\)"):
        await twitter(server, now, request_timeout_s=0.2).fetch(["AAPL"], {})
    assert len(server.requests) == 1


async def test_a_cancelled_fetch_asks_no_more_and_changes_nothing(
    server: TwitterServer, now: ManualClock
) -> None:
    server.posts = [tweet(MS - 1000)]
    server.on(SEARCH, json_answer({"meta": {"result_count": 0}}).having(hold=True))
    source = twitter(server, now)
    task = asyncio.create_task(source.fetch(["AAPL", "IBM", "MSFT"], {}))
    await asyncio.to_thread(server.wait_asked, SEARCH)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.on(SEARCH, server.answer)
    server.release()
    assert len(await source.fetch(["AAPL", "MSFT"], {})) == 2
    assert len(server.requests) == 3


async def test_close_may_be_called_again(server: TwitterServer, now: ManualClock) -> None:
    source = twitter(server, now)
    await source.close()
    await source.fetch(["AAPL"], {})
    await source.close()
    await source.close()


async def test_the_spend_of_a_day_is_shared(server: TwitterServer, now: ManualClock) -> None:
    """With another worker, and with the one that was there before a restart."""
    server.posts = [tweet(MS - 1000 * i) for i in range(1, 451)]
    spend = SpendHere()
    first, second = (twitter(server, now, daily_posts=150, spend=spend) for _ in range(2))
    assert len(await first.fetch(["AAPL"], {})) == 150
    with pytest.raises(SourceUnavailable, match="150 posts read today"):
        await second.fetch(["AAPL"], {})


async def test_what_cannot_be_counted_is_not_read(server: TwitterServer, now: ManualClock) -> None:
    away = read_settings(mongodb_uri="mongodb://127.0.0.1:1", mongodb_timeout_s=0.1)
    source = twitter(server, now, spend=DailySpend(away, "twitter"))
    with pytest.raises(SourceUnavailable, match="cannot be counted"):
        await source.fetch(["AAPL"], {})
    assert server.requests == []
    await source.close()
