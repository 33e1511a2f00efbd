"""The schedule in real workers: who polls what, how far it got, and what a restart does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.locate import Servers
from models import Bar
from sinks.documents import as_ms
from sources import recorded
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.verify import wrong

pytestmark = pytest.mark.integration

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT")


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path) -> Iterator[Deployment]:
    """Workers that replay, fast, the recorded tickers and one that is not recorded."""
    made = Deployment(
        servers,
        tmp_path,
        tickers=",".join([*TICKERS, "NOSUCH"]),
        price_source="replay",
        replay_speed=40,
        poll_interval_s=0.1,
        checkpoint_interval_s=0.1,
    )
    yield made
    made.close()


def stored(deployment: Deployment, ticker: str) -> int:
    """How many bars of a ticker are in MongoDB."""
    return deployment.database["stock_prices"].count_documents({"ticker": ticker})


def everyone_reaches(deployment: Deployment, count: int) -> None:
    """Return once every ticker has so many bars."""
    eventually(
        lambda: all(stored(deployment, ticker) >= count for ticker in TICKERS),
        f"{count} bars of each\n{deployment.workers[-1].tail()}",
    )


def played(deployment: Deployment, ticker: str) -> list[Bar]:
    """The recorded bars that should be stored by now, from the live part's first on."""
    bars = recorded.bars(ticker)
    start = len(bars) * 2 // 3
    return bars[start : start + stored(deployment, ticker)]


@pytest.mark.long
def test_two_workers_share_the_tickers(deployment: Deployment) -> None:
    """Each bar arrives in order, whoever polls it; a restart goes on after the last one."""
    workers = [deployment.start_worker(), deployment.start_worker()]
    everyone_reaches(deployment, 40)
    for worker in workers:
        assert worker.stop() == 0
    assert any(worker.says("does not have NOSUCH") for worker in workers)

    before = {ticker: stored(deployment, ticker) for ticker in TICKERS}
    deployment.start_worker()
    everyone_reaches(deployment, max(before.values()) + 20)
    assert deployment.workers[-1].stop() == 0
    deployment.start_worker(PRICE_SOURCE="none")
    deployment.drained()

    for ticker in TICKERS:
        bars = played(deployment, ticker)
        assert wrong(deployment.database, bars, deployment.settings.indicators) == []
        cursor = deployment.database["source_cursors"].find_one({"_id": f"replay|{ticker}"})
        assert cursor is not None
        assert as_ms(cursor["since"]) <= bars[-1].time


def test_an_impossible_source_leaves_the_worker_running(servers: Servers, tmp_path: Path) -> None:
    """Prices are off, with one clear line; the agents work."""
    deployment = Deployment(
        servers, tmp_path, tickers="AAPL", price_source="replay", bar_interval="1m"
    )
    try:
        worker = deployment.start_worker()
        worker.wait_ready()
        eventually(lambda: worker.says("prices are off: BAR_INTERVAL"), "the line")
        assert worker.stop() == 0
    finally:
        deployment.close()
