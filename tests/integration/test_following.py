"""Tickers and series that are added to a running system, and taken away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from embedded.locate import Servers
from kafka_integration import KafkaIntegrationManager
from tests.deployment import Deployment, Worker
from tests.eventually import eventually
from tests.integration.census import Census
from tests.integration.test_tables import faust
from tests.sources.providers.fred import API_KEY, FredSeries, FredServer
from tests.sources.providers.rss import FeedServer

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.fixture
def census() -> Census:
    return Census()


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path, census: Census) -> Iterator[Deployment]:
    """A deployment that starts with AAPL and GDP; series are polled once an hour."""
    with ExitStack() as stack:
        feeds, fred = stack.enter_context(FeedServer()), stack.enter_context(FredServer())
        census.watch(feeds)
        census.watch(fred)
        fred.series = {name: FredSeries(name) for name in ("GDP", "PAYEMS")}
        made = Deployment(
            servers,
            tmp_path,
            tickers="AAPL",
            news_source="rss",
            news_poll_interval_s=0.2,
            yahoo_rss_base_url=feeds.url,
            fred_api_key=API_KEY,
            fred_base_url=fred.base_url,
            fred_series="GDP",
            checkpoint_interval_s=0.1,
        )
        yield made
        made.close()


def start(deployment: Deployment, census: Census) -> Worker:
    worker = deployment.start_worker()
    census.pids.append(worker.process.pid)
    return worker


def polls(census: Census, *keys: str, seconds: float = 2.0) -> None:
    """Return once exactly these feeds have been polled for so long."""

    def as_expected() -> bool:
        polled = census.since(time.monotonic() - seconds)
        return {key for key in polled if key.startswith("rss")} == {f"rss {key}" for key in keys}

    eventually(as_expected, f"polls of {keys} alone")


@pytest.mark.timeout(240)
def test_follow_and_unfollow_in_a_running_system(deployment: Deployment, census: Census) -> None:
    """By command and by the API; a restart and another worker change nothing."""
    first = start(deployment, census)
    polls(census, "AAPL")
    followed = faust(deployment, "follow", "nvda", "MSFT")
    assert (followed.returncode, "followed: NVDA, MSFT" in followed.stdout) == (0, True)
    polls(census, "AAPL", "NVDA", "MSFT")

    before = time.monotonic()
    assert faust(deployment, "follow", "--series", "PAYEMS").returncode == 0
    # At once, although series are polled once an hour; and the ticker PAYEMS is another thing.
    eventually(lambda: "fred PAYEMS" in census.since(before), "the new series")
    assert "fred GDP" not in census.since(before)

    with KafkaIntegrationManager(deployment.settings) as manager:
        manager.remove_ticker("AAPL")
        manager.remove_ticker("MSFT")
    polls(census, "NVDA")
    deployment.drained()
    assert first.stop() == 0

    workers = [start(deployment, census), start(deployment, census)]
    for worker in workers:
        worker.wait_ready()
    polls(census, "NVDA")
    with KafkaIntegrationManager(deployment.settings) as manager:
        manager.add_ticker("AAPL")
    polls(census, "NVDA", "AAPL")
    (owner,) = census.owners(time.monotonic() - 1)["rss NVDA"]
    dead = next(worker for worker in workers if worker.process.pid == owner)
    dead.kill()
    killed = time.monotonic()
    eventually(
        lambda: {owner} != census.owners(killed).get("rss NVDA", {owner}), "NVDA has a new poller"
    )
    polls(census, "NVDA", "AAPL")
    assert deployment.database["dead_letters"].count_documents({}) == 0


def test_follow_refuses_what_is_no_ticker(deployment: Deployment) -> None:
    refused = faust(deployment, "follow", "../x")
    assert refused.returncode == 2
    assert "'../X' is no ticker" in refused.stdout
