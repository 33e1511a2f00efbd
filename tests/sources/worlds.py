"""Every source, each in a world where there is something to fetch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sources.base import Source
from sources.economic_cycle import SERIES
from sources.fred import FredSource
from sources.market_path import MarketPath, Positions, RecordedPath, SimulatedPath
from sources.reddit import RedditSource
from sources.replay import ReplaySource
from sources.rss import RssSource
from sources.simulated import SimulatedSource
from sources.simulated_economy import SimulatedEconomy
from sources.simulated_text import SimulatedText
from sources.simulated_writers import Newsroom, RedditCrowd, TwitterCrowd, Writer
from sources.token_bucket import TokenBucket
from sources.twitter import TwitterSource
from sources.yahoo import YahooSource
from tests.sources.conftest import ManualClock
from tests.sources.providers.fred import API_KEY, FredSeries, FredServer
from tests.sources.providers.reddit import CLIENT_ID, CLIENT_SECRET, RedditServer, post
from tests.sources.providers.rss import FeedServer, Item
from tests.sources.providers.twitter import TOKEN, TwitterServer, tweet
from tests.sources.providers.yahoo import NOON, YahooServer, daily, seconds
from topics import (
    ECONOMIC_INDICATORS,
    FINANCIAL_NEWS,
    REDDIT_SENTIMENT,
    STOCK_PRICES,
    TWITTER_SENTIMENT,
    TopicSpec,
)

#: 2023-11-14 22:13:20 UTC
NOW = 1_700_000_000


@dataclass(frozen=True)
class World:
    """A provider, and how to make a source on it.

    Attributes:
        make: makes one; several may be made.
        keys: what it has something of, at any moment of the test's clock.
        topic: where its records belong.
        label: what its records say in ``source``.
        unknown: a key that it does not have; None where every key might be one.
    """

    make: Callable[[], Source]
    keys: tuple[str, ...]
    topic: TopicSpec
    label: str
    unknown: str | None = None


#: Opens the world in which a source is tested, under the test's clock, with a folder for files.
Open = Callable[[ManualClock, Path], AbstractContextManager[World]]


def marching(path: MarketPath, clock: ManualClock, speed: float = 4.0) -> Positions:
    """Return the progress of prices of which one bar came at once, and ``speed`` each second."""
    start = clock()

    def positions(keys: Sequence[str]) -> Mapping[str, int]:
        found = {}
        for key in keys:
            opened = path.opened(key, path.live(key) + int(speed * (clock() - start)))
            assert opened is not None
            found[key] = opened
        return found

    return positions


@contextmanager
def replay(clock: ManualClock, folder: Path) -> Iterator[World]:
    yield World(
        lambda: ReplaySource(4, clock=clock), ("AAPL", "FB"), STOCK_PRICES, "replay", "TSLA"
    )


@contextmanager
def simulated(clock: ManualClock, folder: Path) -> Iterator[World]:
    yield World(
        lambda: SimulatedSource(4, clock=clock),
        ("AAPL", "ANY-1"),
        STOCK_PRICES,
        "simulated",
        "no ticker",
    )


def texts(
    writer: type[Newsroom | TwitterCrowd | RedditCrowd], path: MarketPath, unknown: str
) -> Open:
    """Return a world of made-up texts, in which 100 bars have gone by."""

    @contextmanager
    def world(clock: ManualClock, folder: Path) -> Iterator[World]:
        positions = marching(path, clock)
        clock.pass_(25)
        made: Writer = writer()
        yield World(
            lambda: SimulatedText(made, path, positions),
            ("AAPL", "GOOG"),
            made.topic,
            "simulated",
            unknown,
        )

    return world


@contextmanager
def economy(clock: ManualClock, folder: Path) -> Iterator[World]:
    path = RecordedPath()
    positions = marching(path, clock)
    clock.pass_(25)
    yield World(
        lambda: SimulatedEconomy(path, ("AAPL", "GOOG", "NONE"), positions),
        tuple(SERIES),
        ECONOMIC_INDICATORS,
        "simulated",
        "PAYEMS",
    )


@contextmanager
def rss(clock: ManualClock, folder: Path) -> Iterator[World]:
    with FeedServer() as server:
        for ticker in ("AAPL", "MSFT"):
            server.yahoo[ticker] = [
                Item(f"{ticker} rises", f"https://n.test/{ticker}/{n}", NOW - 1000 * n)
                for n in range(1, 6)
            ]
        yield World(
            lambda: RssSource((), base_url=server.url, clock=clock, now=lambda: NOW),
            ("AAPL", "MSFT"),
            FINANCIAL_NEWS,
            "rss",
        )


@contextmanager
def reddit(clock: ManualClock, folder: Path) -> Iterator[World]:
    with RedditServer() as server:
        server.posts = [post(f"p{n}", NOW - 1000 * n, "$AAPL is up") for n in range(1, 6)]
        yield World(
            lambda: RedditSource(
                CLIENT_ID, CLIENT_SECRET, base_url=server.url, now=lambda: float(NOW)
            ),
            ("AAPL",),
            REDDIT_SENTIMENT,
            "reddit",
        )


@contextmanager
def twitter(clock: ManualClock, folder: Path) -> Iterator[World]:
    with TwitterServer() as server:
        server.posts = [tweet((NOW - 100 * n) * 1000) for n in range(1, 6)]
        yield World(
            lambda: TwitterSource(TOKEN, base_url=server.url, now=lambda: float(NOW)),
            ("AAPL",),
            TWITTER_SENTIMENT,
            "twitter",
        )


@contextmanager
def fred(clock: ManualClock, folder: Path) -> Iterator[World]:
    with FredServer() as server:
        days = [date(2024, 1, 1) + timedelta(days=31 * n) for n in range(5)]
        releases = [
            (day.replace(day=1).isoformat(), (day + timedelta(days=40)).isoformat(), "3.7")
            for day in days
        ]
        server.series["UNRATE"] = FredSeries("Unemployment Rate", releases=releases)
        yield World(
            lambda: FredSource(API_KEY, base_url=server.base_url, clock=clock),
            ("UNRATE",),
            ECONOMIC_INDICATORS,
            "fred",
            "NOSUCH",
        )


@contextmanager
def yahoo(clock: ManualClock, folder: Path) -> Iterator[World]:
    with YahooServer() as server:
        server.charts |= {name: daily("2024-02-01", 27) for name in ("AAPL", "MSFT")}
        now = ManualClock(float(seconds(NOON)))
        yield World(
            lambda: YahooSource(
                60.0,
                "1d",
                cache_dir=folder,
                now=now,
                bucket=TokenBucket(1_000, clock=clock, jitter=lambda: 0.5),
                base_url=server.url,
            ),
            ("AAPL", "MSFT"),
            STOCK_PRICES,
            "yahoo",
            "GONE",
        )


_RECORDED, _SIMULATED = RecordedPath(), SimulatedPath(1, "1m")

#: All of them, by the name of the test's case.
WORLDS: dict[str, Open] = {
    "replay": replay,
    "simulated": simulated,
    "yahoo": yahoo,
    "rss": rss,
    "reddit": reddit,
    "twitter": twitter,
    "fred": fred,
    "simulated-news": texts(Newsroom, _SIMULATED, "no ticker"),
    "simulated-twitter": texts(TwitterCrowd, _SIMULATED, "no ticker"),
    "simulated-reddit": texts(RedditCrowd, _SIMULATED, "no ticker"),
    "replay-news": texts(Newsroom, _RECORDED, "TSLA"),
    "replay-twitter": texts(TwitterCrowd, _RECORDED, "TSLA"),
    "replay-reddit": texts(RedditCrowd, _RECORDED, "TSLA"),
    "replay-economy": economy,
}
