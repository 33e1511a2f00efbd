"""The live sources, each with a local provider: one table for the contract and for the failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sources.base import Source
from sources.fred import FredSource
from sources.reddit import RedditSource
from sources.rss import RssSource
from sources.token_bucket import TokenBucket
from sources.twitter import TwitterSource
from sources.yahoo import YahooSource
from tests.sources.conftest import ManualClock
from tests.sources.providers import fred, reddit, rss, twitter, yahoo
from tests.sources.providers.server import LocalServer

KEYS = ("AAPL", "MSFT")

#: A Friday, 12:00 in New York, in seconds.
NOON = yahoo.seconds(yahoo.NOON)


@dataclass
class Live:
    """A live source at a local provider that has three records of each key, and gets more.

    Attributes:
        path: where the provider is asked for records, of AAPL where each key has its own.
        key: the field of a record that is its key.
        since: what a first fetch is asked with.
        now: the source's wall clock, in seconds; ``clock``: what its pauses go by.
        publish: puts one more record of each key at the provider; called with its number from 0.
    """

    server: LocalServer
    source: Source
    path: str
    publish: Callable[[int], None]
    now: ManualClock
    clock: ManualClock
    key: str = "ticker"
    since: Mapping[str, int] = field(default_factory=dict)

    async def fetch(self, keys: Sequence[str] = KEYS) -> list[Any]:
        return list(await self.source.fetch(keys, self.since))


def facts(records: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what records say, without when we got them."""
    return [{k: v for k, v in one.asdict().items() if k != "ingested"} for one in records]


#: Makes a source at its provider; the limits of time are in seconds.
Maker = Callable[[AsyncExitStack, Path, float, float], Live]


def _clocks() -> tuple[ManualClock, ManualClock]:
    return ManualClock(float(NOON)), ManualClock()


def _rss(stack: AsyncExitStack, _: Path, request_s: float, whole_s: float) -> Live:
    server, (now, clock) = stack.enter_context(rss.FeedServer()), _clocks()
    source = RssSource(
        base_url=server.url, timeout_s=request_s, budget_s=whole_s, clock=clock, now=now
    )

    def publish(number: int) -> None:
        for key in KEYS:
            item = rss.Item(f"{key} {number}", f"https://n.test/{key}{number}", NOON - 60 + number)
            server.yahoo[key] = [item, *server.yahoo.get(key, [])]

    return Live(server, source, rss.HEADLINES, publish, now, clock)


def _reddit(stack: AsyncExitStack, _: Path, request_s: float, whole_s: float) -> Live:
    server, (now, clock) = stack.enter_context(reddit.RedditServer()), _clocks()
    server.searching = True
    source = RedditSource(
        reddit.CLIENT_ID,
        reddit.CLIENT_SECRET,
        base_url=server.url,
        timeout_s=whole_s,
        request_timeout_s=request_s,
        now=now,
    )

    def publish(number: int) -> None:
        for key in KEYS:
            made = reddit.post(f"{key}{number}", NOON - 60 + number, f"${key} is up")
            server.posts = [*server.posts, made]

    return Live(server, source, reddit.SEARCH, publish, now, clock)


def _twitter(stack: AsyncExitStack, _: Path, request_s: float, whole_s: float) -> Live:
    server, (now, clock) = stack.enter_context(twitter.TwitterServer()), _clocks()
    server.searching = True
    source = TwitterSource(
        twitter.TOKEN,
        base_url=server.url,
        timeout_s=whole_s,
        request_timeout_s=request_s,
        now=now,
    )

    def publish(number: int) -> None:
        for serial, key in enumerate(KEYS):
            made = twitter.tweet((NOON - 60 + number) * 1000, f"${key} is up", serial)
            server.posts = [*server.posts, made]

    return Live(server, source, twitter.SEARCH, publish, now, clock)


def _fred(stack: AsyncExitStack, _: Path, request_s: float, whole_s: float) -> Live:
    server, (now, clock) = stack.enter_context(fred.FredServer()), _clocks()
    server.series = {key: fred.FredSeries(key) for key in KEYS}
    source = FredSource(
        fred.API_KEY,
        base_url=server.base_url,
        timeout_s=request_s,
        budget_s=whole_s,
        clock=clock,
        now=now,
    )

    def publish(number: int) -> None:
        day = date(2024, 1, 1) + timedelta(days=number)
        for key in KEYS:
            release = (day.isoformat(), (day + timedelta(days=20)).isoformat(), f"{number}.5")
            server.series[key].releases = [*server.series[key].releases, release]

    return Live(server, source, fred.OBSERVATIONS, publish, now, clock, key="series")


def _yahoo(stack: AsyncExitStack, cache: Path, request_s: float, _: float) -> Live:
    server, (now, clock) = stack.enter_context(yahoo.YahooServer()), _clocks()
    server.charts = {key: yahoo.daily("2024-02-01", 24) for key in KEYS}
    source = YahooSource(
        60.0,
        "1d",
        cache_dir=cache,
        base_url=server.url,
        bucket=TokenBucket(1_000, clock=clock, jitter=lambda: 0.5),
        timeout=request_s,
        now=now,
    )

    def publish(number: int) -> None:
        days = yahoo.daily("2024-02-01", 25 + number).rows
        for key in KEYS:
            server.charts[key].rows = days
        # Of a session that is over, the next day's noon says so.
        now.seconds = max(now.seconds, float(days[-1][0] + 9_000))

    since = dict.fromkeys(KEYS, yahoo.utc_ms("2024-03-05"))
    return Live(server, source, f"{yahoo.CHART}AAPL", publish, now, clock, since=since)


MAKERS: dict[str, Maker] = {
    "rss": _rss,
    "reddit": _reddit,
    "twitter": _twitter,
    "fred": _fred,
    "yahoo": _yahoo,
}


async def live(
    name: str, stack: AsyncExitStack, cache: Path, *, request_s: float = 10.0, whole_s: float = 25.0
) -> Live:
    """Return a live source with three records of each key at its provider."""
    made = MAKERS[name](stack, cache, request_s, whole_s)
    stack.push_async_callback(made.source.close)
    stack.callback(made.server.release)
    for number in range(3):
        made.publish(number)
    return made
