"""Every provider times every failure: what the source makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from errors import SourceUnavailable
from monitoring.instruments import REGISTRY
from sources.base import UnknownKeys
from tests.sources.live import KEYS, MAKERS, NOON, Live, facts, live
from tests.sources.providers import fred, reddit, rss, twitter, yahoo
from tests.sources.providers.server import HANG, Answer, Request, json_answer

FIRST = KEYS[:1]

#: By failure what the provider says, and by source the words that the error has.
SAID: dict[str, tuple[Answer, dict[str, str]]] = {
    "401": (
        Answer(401, b"Unauthorized"),
        {
            "rss": "feed of AAPL: .*401",
            "reddit": "401, the access token is refused",
            "twitter": "401, the token is refused: TWITTER_BEARER_TOKEN",
            "fred": "FRED, AAPL: 401",
            "yahoo": "AAPL: HTTP 401",
        },
    ),
    "403": (
        Answer(403, b"Forbidden"),
        {
            "rss": "feed of AAPL: .*403",
            "reddit": "403, not there or not for us",
            "twitter": "cannot be read|answers 403",
            "fred": "FRED, AAPL: 403",
            "yahoo": "AAPL: HTTP 403",
        },
    ),
    "404": (
        Answer(404, b"Not here"),
        {
            "rss": "feed of AAPL: .*404",
            "reddit": "404, not there or not for us",
            "twitter": "cannot be read|answers 404",
            "fred": "FRED, AAPL: 404",
            "yahoo": "AAPL: HTTP 404",
        },
    ),
    "500": (
        Answer(500, b"<html>sorry</html>"),
        {
            "rss": "feed of AAPL: .*500",
            "reddit": "answers 500",
            "twitter": "answers 500",
            "fred": "FRED, AAPL: 500",
            "yahoo": "AAPL: HTTP 500",
        },
    ),
    "a hang": (
        HANG,
        {
            "rss": r"no complete answer in 0\.5 s",
            "reddit": "no answer from 127|no complete answer",
            "twitter": "no answer from 127|no complete answer",
            "fred": r"AAPL: no answer in 0\.5 s",
            "yahoo": "AAPL: no answer within",
        },
    ),
    "a dropped connection": (
        Answer(drop=True),
        {
            "rss": "no answer",
            "reddit": "no answer from 127",
            "twitter": "no answer from 127",
            "fred": "AAPL: no answer",
            "yahoo": "AAPL: .*Error",
        },
    ),
    "an empty body": (
        Answer(200, b""),
        {
            "rss": "an empty answer",
            "reddit": "an empty answer",
            "twitter": "cannot be read",
            "fred": "AAPL: answered with broken XML",
            "yahoo": "AAPL: an answer that is no whole JSON",
        },
    ),
}

#: JSON that is nested deeper than Python's own reader goes.
DEEP = Answer(200, b'{"a":' * 100_000, {"Content-Type": "application/json"})

#: What a truncated answer is called.
TRUNCATED = {
    "rss": "not well-formed|neither RSS nor Atom",
    "reddit": "cannot be read",
    "twitter": "cannot be read",
    "fred": "broken XML",
    "yahoo": "no whole JSON",
}

#: How each provider says that there were too many requests; with the pause it asks for, in seconds.
TOO_MANY: dict[str, Callable[[int], Answer]] = {
    "rss": lambda wait: Answer(429, headers={"Retry-After": f"{wait}"} if wait else {}),
    "reddit": lambda wait: Answer(429, b"{}", {"Retry-After": f"{wait}"} if wait else {}),
    "twitter": lambda wait: twitter.problem(
        429,
        "Too Many Requests",
        "Too Many Requests",
        **({"x_rate_limit_reset": f"{NOON + wait}"} if wait else {}),
    ),
    "fred": lambda wait: fred.TOO_MANY.having(headers={"Retry-After": f"{wait}"} if wait else {}),
    "yahoo": lambda wait: yahoo.TOO_MANY.having(headers={"Retry-After": f"{wait}"} if wait else {}),
}
#: What waits by itself without being told how long; the others leave it to the schedule's backoff.
PAUSES_ANYWAY = {"rss", "fred", "yahoo"}

#: What a provider says that has nothing, by source; Yahoo always has a last bar.
NOTHING: dict[str, Answer] = {
    "rss": Answer(200, rss.rss([]), {"Content-Type": "application/rss+xml"}),
    "reddit": json_answer(reddit.listing([])),
    "twitter": json_answer({"meta": {"result_count": 0}}),
    "fred": Answer(200, b'<observations count="0" offset="0" limit="100000"/>'),
}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture(params=MAKERS)
async def case(request: pytest.FixtureRequest, cache: Path) -> AsyncIterator[Live]:
    async with AsyncExitStack() as stack:
        made = await live(request.param, stack, cache, request_s=0.5, whole_s=2.0)
        if request.param == "yahoo":
            # What its library loads at first takes longer than these limits.
            await made.fetch()
        yield made


async def passes(case: Live) -> None:
    """Check that all is well again once the provider is."""
    case.server.release()
    case.server.on(case.path, case.server.answer)
    assert len(await case.fetch()) == 6


@pytest.mark.parametrize("failure", SAID)
async def test_what_fails_is_said_and_passes(case: Live, failure: str) -> None:
    answer, words = SAID[failure]
    case.server.on(case.path, answer)
    with pytest.raises(SourceUnavailable, match=words[case.source.name]) as caught:
        await case.fetch(FIRST)
    assert not isinstance(caught.value, UnknownKeys)
    secrets = (*reddit.SECRETS, twitter.TOKEN, fred.API_KEY)
    assert [secret for secret in secrets if secret in str(caught.value)] == []
    await passes(case)


async def test_an_answer_that_is_too_deep_is_said_and_passes(case: Live) -> None:
    case.server.on(case.path, DEEP)
    with pytest.raises(SourceUnavailable):
        await case.fetch(FIRST)
    await passes(case)


@pytest.mark.parametrize("encoding", ["utb-8", "utf-7", "idna", "utf-32"])
async def test_an_encoding_that_nobody_reads_is_said_and_passes(case: Live, encoding: str) -> None:
    good = case.server.answer

    def wrong(request: Request) -> Answer:
        body = b'<?xml version="1.0" encoding="%s"?><a/>' % encoding.encode()
        headers = {**good(request).headers, "Content-Type": f"text/xml; charset={encoding}"}
        return Answer(200, body, headers)

    case.server.on(case.path, wrong)
    with pytest.raises(SourceUnavailable):
        await case.fetch(FIRST)
    await passes(case)


@pytest.mark.parametrize("wait", ["9" * 400, "\xb2", "-5", "Mon, 01 Jan 0001 00:00:00 GMT"])
async def test_a_pause_that_makes_no_sense_ends(case: Live, wait: str) -> None:
    """Within a day, whatever a provider asks for."""
    case.server.on(case.path, Answer(429, b"<html/>", {"Retry-After": wait}))
    with pytest.raises(SourceUnavailable):
        await case.fetch(FIRST)
    case.server.on(case.path, case.server.answer)
    for clock in (case.now, case.clock):
        clock.pass_(86_401)
    if case.source.name != "reddit":  # whose pauses go by the machine's clock
        await case.fetch()


async def test_a_truncated_answer_is_said_and_passes(case: Live) -> None:
    whole: list[bytes] = []

    def half(request: object) -> Answer:
        answer = case.server.answer(request)  # type: ignore[arg-type]
        whole.append(answer.body)
        # In the middle of the first record, whatever the format.
        cut = answer.body.find(b"AAPL") + 2
        return answer.having(body=answer.body[:cut])

    case.server.on(case.path, half)
    with pytest.raises(SourceUnavailable, match=TRUNCATED[case.source.name]):
        await case.fetch(FIRST)
    assert whole
    await passes(case)


async def test_a_connection_that_breaks_in_an_answer_is_said_and_passes(case: Live) -> None:
    case.server.on(case.path, lambda request: case.server.answer(request).having(cut=30))
    with pytest.raises(SourceUnavailable):
        await case.fetch(FIRST)
    await passes(case)


def paused(case: Live) -> tuple[float, float]:
    """How many pauses the provider has asked for, by the metrics, and their seconds."""
    name = case.source.name
    return (
        REGISTRY.get_sample_value("financial_trends_source_rate_limits_total", {"source": name})
        or 0.0,
        REGISTRY.get_sample_value(
            "financial_trends_source_rate_limit_wait_seconds_total", {"source": name}
        )
        or 0.0,
    )


@pytest.mark.parametrize("wait", [0, 300])
async def test_too_many_requests(case: Live, wait: int) -> None:
    """The pause asked for is kept, without one request; without one there is a pause or backoff."""
    case.server.on(case.path, TOO_MANY[case.source.name](wait))
    counted, waited = paused(case)
    asked = len(case.server.asked(case.path))
    with pytest.raises(SourceUnavailable, match=r"429|too many requests"):
        await case.fetch(FIRST)
    assert len(case.server.asked(case.path)) == asked + 1
    case.server.on(case.path, case.server.answer)
    now_counted, now_waited = paused(case)
    assert now_counted == counted + 1
    # Up to half as much again by chance, so that workers do not come back together.
    assert wait <= now_waited - waited <= max(1.5 * wait, 300)
    if wait or case.source.name in PAUSES_ANYWAY:
        for clock in (case.now, case.clock):
            clock.pass_(wait - 10 if wait else 5)
        with pytest.raises(SourceUnavailable):
            await case.fetch(FIRST)
        assert len(case.server.asked(case.path)) == asked + 1
    if case.source.name != "reddit":  # whose pauses go by the machine's clock
        for clock in (case.now, case.clock):
            clock.pass_(100)
        assert len(await case.fetch()) == 6


async def test_nothing_new_is_nothing(case: Live) -> None:
    if case.source.name == "yahoo":
        case.server.charts[FIRST[0]] = yahoo.Chart()  # type: ignore[attr-defined]
        with pytest.raises(SourceUnavailable, match="AAPL: an empty answer"):
            await case.fetch(FIRST)
        return
    case.server.on(case.path, NOTHING[case.source.name])
    assert await case.fetch() == []
    await passes(case)


async def test_what_comes_twice_is_one_record(case: Live) -> None:
    expected = facts(await case.fetch())
    double(case)
    assert facts(await case.fetch()) == expected


def double(case: Live) -> None:
    """Have the provider say everything twice."""
    server = case.server
    match server:
        case rss.FeedServer():
            server.yahoo = {key: items * 2 for key, items in server.yahoo.items()}
        case reddit.RedditServer() | twitter.TwitterServer():
            server.posts = [one for one in server.posts for _ in range(2)]
        case yahoo.YahooServer():
            for chart in server.charts.values():
                chart.rows = [one for one in chart.rows for _ in range(2)]
        case fred.FredServer():
            answer = server.answer

            def twice(request: object) -> Answer:
                found = answer(request)  # type: ignore[arg-type]
                head, *rows = found.body.split(b"<observation ")
                doubled = [b"<observation " + r.split(b"</obs")[0] for r in rows for _ in range(2)]
                return found.having(body=head + b"".join(doubled) + b"</observations>")

            server.on(fred.OBSERVATIONS, twice)


async def test_not_modified_brings_the_same_and_costs_no_body(cache: Path) -> None:
    """304 is what feeds alone say."""
    async with AsyncExitStack() as stack:
        case = await live("rss", stack, cache)
        first = facts(await case.fetch())
        assert facts(await case.fetch()) == first
        again = case.server.asked(case.path)[2:]
        assert [bool(request.headers.get("if-none-match")) for request in again] == [True, True]


@pytest.mark.parametrize("name", ["reddit", "twitter", "fred"])
async def test_pages_are_read_to_the_end(
    name: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """103 records of each key, more than one page has."""
    async with AsyncExitStack() as stack:
        case = await live(name, stack, cache)
        if isinstance(case.server, fred.FredServer):
            case.server.page = 50
            monkeypatch.setattr("sources.fred_client.MOST_ROWS", 50)
        for number in range(-1, -101, -1):
            case.publish(number)
        records = await case.fetch(FIRST)
        assert len(records) == 103
        times = [one.time for one in records]
        assert times == sorted(times)
        assert len(case.server.asked(case.path)) > 1
