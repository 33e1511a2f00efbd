"""Each key is polled by one worker: in a steady state, with one worker more, with one killed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agents.services import partition_of
from embedded.locate import Servers
from startup import SESSION_TIMEOUT_S
from tests.deployment import Deployment, Worker
from tests.eventually import eventually
from tests.integration.census import Census, overlaps
from tests.sources.providers.fred import API_KEY, FredSeries, FredServer
from tests.sources.providers.reddit import RedditServer, post
from tests.sources.providers.rss import FeedServer, Item
from tests.sources.providers.twitter import TwitterServer, tweet

pytestmark = [pytest.mark.integration, pytest.mark.long]

POLL_S = 0.2
#: What a window must hold for several polls of each key, on a machine that does other things too.
STEADY_S = 3.0
#: From the end of a session to the first poll: a heartbeat until the others hear of it, the
#: rebalance, and the loading of the rows.
HANDOVER_S = 5.0


def one_of_each_partition(partitions: int = 8) -> tuple[str, ...]:
    """Return names, each of another partition."""
    letters = "ABCDEFGH"
    names: dict[int, str] = {}
    for name in (f"Z{a}{b}Q" for a in letters for b in letters):
        names.setdefault(partition_of(name, partitions), name)
    return tuple(names[partition] for partition in range(partitions))


NAMES = one_of_each_partition()
KEYS = [f"{source} {name}" for source in ("rss", "reddit", "twitter", "fred") for name in NAMES]


@pytest.fixture
def census() -> Census:
    return Census()


class Providers:
    """Four local providers, and the settings that lead to them."""

    def __init__(self, stack: ExitStack, census: Census) -> None:
        self.feeds = stack.enter_context(FeedServer())
        self.fred = stack.enter_context(FredServer())
        self.reddit = stack.enter_context(RedditServer())
        self.twitter = stack.enter_context(TwitterServer())
        for server in (self.feeds, self.fred, self.reddit, self.twitter):
            census.watch(server)
        self.reddit.searching = self.twitter.searching = True
        self.fred.series = {name: FredSeries(name) for name in NAMES}

    def settings(self) -> dict[str, Any]:
        return {
            "news_source": "rss",
            "news_poll_interval_s": POLL_S,
            "yahoo_rss_base_url": self.feeds.url,
            "fred_api_key": API_KEY,
            "fred_base_url": self.fred.base_url,
            "economic_poll_interval_s": POLL_S,
            "reddit_client_id": "id",
            "reddit_client_secret": "secret",
            "reddit_base_url": self.reddit.url,
            "twitter_bearer_token": "token",
            "twitter_base_url": self.twitter.url,
            "twitter_daily_posts": 10_000_000,
            "social_poll_interval_s": POLL_S,
        }


@pytest.fixture
def providers(census: Census) -> Iterator[Providers]:
    with ExitStack() as stack:
        yield Providers(stack, census)


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path, providers: Providers) -> Iterator[Deployment]:
    """Workers that poll the providers for one name of each partition."""
    names = ",".join(NAMES)
    made = Deployment(servers, tmp_path, tickers=names, fred_series=names, **providers.settings())
    yield made
    made.close()


def start(deployment: Deployment, census: Census) -> Worker:
    """Start one more worker whose polls are counted."""
    worker = deployment.start_worker()
    census.pids.append(worker.process.pid)
    return worker


def steady(census: Census, workers: list[Worker]) -> None:
    """Return once each key is polled, by one of these workers alone, and each of them polls."""
    pids = [worker.process.pid for worker in workers]
    try:
        eventually(lambda: census.settled(KEYS, pids, STEADY_S), "each key has one poller")
    except AssertionError as error:
        owners = census.owners(time.monotonic() - STEADY_S)
        raise AssertionError(f"{error}\n{pids}\n{owners}\n{workers[-1].tail()}") from error
    # And no more often than once in an interval.
    for polls in census.since(time.monotonic() - STEADY_S).values():
        assert len(polls) <= STEADY_S / POLL_S + 1, polls


@pytest.mark.timeout(240)
def test_each_key_is_polled_by_one_worker(deployment: Deployment, census: Census) -> None:
    """Two workers, then three, then one of them is killed, then one is stopped."""
    first, second = start(deployment, census), start(deployment, census)
    first.wait_ready()
    second.wait_ready()
    steady(census, [first, second])

    before = time.monotonic()
    third = start(deployment, census)
    third.wait_ready()
    steady(census, [first, second, third])
    handed_over = {
        key: polls
        for key, polls in census.since(before).items()
        if any(poll.pid == third.process.pid for poll in polls)
    }
    assert handed_over
    for key, polls in handed_over.items():
        assert overlaps(polls, third.process.pid) <= 1, (key, polls)

    orphans = {
        key
        for key, pids in census.owners(time.monotonic() - STEADY_S).items()
        if pids == {second.process.pid}
    }
    killed = time.monotonic()
    second.kill()
    steady(census, [first, third])
    resumed = census.since(killed)
    for key in orphans:
        inherited = [poll for poll in resumed[key] if poll.pid != second.process.pid]
        assert inherited[0].at - killed < SESSION_TIMEOUT_S + HANDOVER_S + POLL_S, key
        # On a slow machine the heirs join one after the other, and hand over once more.
        assert overlaps(inherited, inherited[-1].pid) <= 1, (key, inherited)

    stopped = time.monotonic()
    assert third.stop() == 0
    steady(census, [first])
    for key, polls in census.since(stopped).items():
        assert overlaps(polls, first.process.pid) <= 1, (key, polls)


class Press:
    """Publishes at every provider, again and again, until it is closed: what must be stored.

    Attributes:
        published: per collection the (ticker or series, title, text or value) of each fact.
    """

    def __init__(self, providers: Providers) -> None:
        self.published: dict[str, list[tuple[str, Any]]] = {name: [] for name in FACTS}
        self._providers = providers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.15):
            number += 1
            name = NAMES[number % len(NAMES)]
            self._publish(name, number, time.time())

    def _publish(self, name: str, number: int, now: float) -> None:
        here = self._providers
        title = f"${name} story {number}"
        facts: dict[str, Any] = dict.fromkeys(FACTS, title) | {"economic_indicators": number}
        item = Item(title, f"https://n.test/{number}", int(now))
        here.feeds.yahoo[name] = [item, *here.feeds.yahoo.get(name, [])]
        here.reddit.posts = [*here.reddit.posts, post(f"p{number}", int(now), title)]
        here.twitter.posts = [*here.twitter.posts, tweet(int(now * 1000), title)]
        day = (date(1990, 1, 1) + timedelta(days=number)).isoformat()
        series = here.fred.series[name]
        series.releases = [*series.releases, (day, "2024-01-02", str(number))]
        for collection, fact in facts.items():
            self.published[collection].append((name, fact))


#: Per collection the fields that tell whose a fact is, and which.
FACTS = {
    "news": ("ticker", "title"),
    "reddit_sentiment": ("ticker", "text"),
    "twitter_sentiment": ("ticker", "text"),
    "economic_indicators": ("series", "value"),
}


def wrong(deployment: Deployment, collection: str, facts: list[tuple[str, Any]]) -> list[Any]:
    """Return what is missing, what is stored too often, and what was never published."""
    whose, which = FACTS[collection]
    there = Counter((one[whose], one[which]) for one in deployment.database[collection].find())
    expected = Counter(facts)
    return [*(expected - there).elements(), *(there - expected).elements()]


def polls_of(census: Census, worker: Worker, moment: float) -> bool:
    """Whether the worker has polled anything after ``moment``."""
    return any(worker.process.pid in pids for pids in census.owners(moment).values())


@pytest.mark.timeout(240)
def test_kills_in_mid_poll(deployment: Deployment, census: Census, providers: Providers) -> None:
    """Whatever was published while workers were killed with polls on their way is stored, once."""
    workers = [start(deployment, census), start(deployment, census)]
    for worker in workers:
        worker.wait_ready()
    press = Press(providers)
    try:
        victim, survivor = workers
        steady(census, workers)
        census.gate.clear()
        held = partial(polls_of, census, victim, time.monotonic())
        eventually(held, "a poll that is not answered yet")
        victim.kill()
        census.gate.set()
        steady(census, [survivor])
    finally:
        census.gate.set()
        press.close()
    # Each key is polled again, and what came of that worked through.
    last = time.monotonic()
    eventually(lambda: len(census.since(last)) == len(KEYS), "a last poll of each key")
    deployment.drained()
    for collection, facts in press.published.items():
        assert len(facts) > 50
        right = partial(lambda *of: not wrong(*of), deployment, collection, facts)
        eventually(right, f"{collection}: {wrong(deployment, collection, facts)}", 10.0)
    assert deployment.database["dead_letters"].count_documents({}) == 0
