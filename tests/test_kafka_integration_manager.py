"""`KafkaIntegrationManager` on real servers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config import read_settings
from embedded.locate import Servers
from errors import ConfigurationError, SourceUnavailable
from kafka_integration import KafkaIntegrationManager
from pipeline.workers import STOP_TIMEOUT_S
from tests.deployment import ROOT, Deployment, bar, free_port
from tests.eventually import eventually
from topics import ALL_TOPICS

START_MS = 1_700_000_000_000
BARS = 60


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path) -> Iterator[Deployment]:
    """A group and a database of its own."""
    deployed = Deployment(servers, tmp_path, data_dir=tmp_path / "workers", web_port=free_port())
    yield deployed
    deployed.close()


@pytest.fixture
def manager(deployment: Deployment) -> Iterator[KafkaIntegrationManager]:
    """A manager of that deployment."""
    with KafkaIntegrationManager(deployment.settings) as made:
        yield made


def some_tickers(count: int) -> list[str]:
    """Tickers that no other test has."""
    return [f"M{uuid.uuid4().hex[:8].upper()}" for _ in range(count)]


def send(manager: KafkaIntegrationManager, tickers: list[str], start: int, count: int) -> None:
    with manager.producer() as producer:
        for ticker in tickers:
            rows = [
                bar(ticker, START_MS + i * 60_000, 100.0 + i) for i in range(start, start + count)
            ]
            assert producer.produce_stock_data(ticker, rows) == count


def indicated(deployment: Deployment, tickers: list[str]) -> int:
    """How many bars of these tickers are stored with indicators."""
    return deployment.database["stock_prices"].count_documents(
        {"ticker": {"$in": tickers}, "indicators.sma": {"$exists": True}}
    )


def pids(manager: KafkaIntegrationManager) -> list[int]:
    return [worker.pid for worker in manager.workers() if worker.pid is not None]


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 2])
def test_bars_become_documents_with_indicators(
    workers: int, manager: KafkaIntegrationManager, deployment: Deployment
) -> None:
    tickers = some_tickers(6)
    manager.start_pipeline(tickers, workers=workers, source="none")
    send(manager, tickers, 0, BARS)
    eventually(lambda: indicated(deployment, tickers) == 6 * BARS, "all bars are indicated")
    eventually(lambda: all(w.state == "running" for w in manager.workers()), "all run")

    status = manager.status()
    assert [worker.index for worker in status.workers] == list(range(workers))
    assert len(set(pids(manager))) == workers
    assert status.data["prices"].stored == status.data["indicators"].stored == 6 * BARS
    assert status.data["prices"].produced >= 6 * BARS
    assert status.dead_letters == 0

    began = time.monotonic()
    processes = pids(manager)
    assert manager.stop_pipeline() == 0
    # Otherwise they were killed, and did not make their last checkpoint.
    assert time.monotonic() - began < STOP_TIMEOUT_S
    assert manager.workers() == ()
    assert not any(psutil.pid_exists(pid) for pid in processes)


@pytest.mark.integration
def test_a_killed_worker_is_replaced_and_nothing_is_lost(
    manager: KafkaIntegrationManager, deployment: Deployment
) -> None:
    tickers = some_tickers(3)
    manager.start_pipeline(tickers, source="none")
    send(manager, tickers, 0, BARS)
    eventually(lambda: indicated(deployment, tickers) > 0, "it has begun")
    os.kill(pids(manager)[0], 9)
    send(manager, tickers, BARS, BARS)
    eventually(lambda: indicated(deployment, tickers) == 6 * BARS, "all bars are indicated")
    assert manager.workers()[0].restarts == 1
    assert manager.stop_pipeline() == 0
    stored = deployment.database["stock_prices"].count_documents({"ticker": {"$in": tickers}})
    assert stored == 6 * BARS


@pytest.mark.integration
def test_what_the_source_sent_last_is_finished(
    manager: KafkaIntegrationManager, deployment: Deployment
) -> None:
    manager.start_pipeline(["FB"], source="replay", speed=500, interval_s=0.05)
    eventually(lambda: indicated(deployment, ["FB"]) > 0, "it has begun")
    assert manager.stop_pipeline() == 0
    cursor = deployment.database["source_cursors"].find_one({"_id": "replay|FB"})
    last = deployment.database["stock_prices"].find_one({"ticker": "FB"}, sort=[("time", -1)])
    assert cursor is not None
    assert last is not None
    assert last["time"] >= cursor["since"]


PARENT = """
import sys, threading
from config import settings
from kafka_integration import KafkaIntegrationManager
manager = KafkaIntegrationManager(settings())
manager.start_pipeline([], workers=2, source="none")
sys.stdout.write(" ".join(str(worker.pid) for worker in manager.workers()) + "\\n")
sys.stdout.flush()
threading.Event().wait()
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.integration
def test_workers_end_with_a_parent_that_is_killed(deployment: Deployment) -> None:
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        env=os.environ | deployment.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        try:
            assert len(workers) == 2
            logs = [deployment.settings.data_dir / "logs" / f"worker-{i}.log" for i in (0, 1)]
            eventually(lambda: all("Worker ready" in log.read_text() for log in logs), "they work")
            # No credentials where everybody can read them.
            shown = psutil.Process(workers[0]).cmdline()
            assert not any("mongodb" in word for word in shown)
        finally:
            parent.kill()
    eventually(lambda: all(map(gone, workers)), "the workers are gone", 25)
    # They stopped cleanly.
    assert all("Closing event loop" in log.read_text() for log in logs)


@pytest.mark.integration
def test_topics(manager: KafkaIntegrationManager, deployment: Deployment) -> None:
    ticker = some_tickers(1)[0]
    assert manager.create_topics([ticker]) == []
    described = manager.describe_topics()
    assert {spec.name for spec in ALL_TOPICS} <= set(described)
    assert described["stock-prices"].partitions == deployment.settings.topic_partitions
    assert described["stock-prices"].produced >= described["stock-prices"].kept


@pytest.mark.integration
def test_views_by_ticker_are_created_and_deleted(deployment: Deployment) -> None:
    ticker = some_tickers(1)[0]
    views = {f"{spec.name}.{ticker}" for spec in ALL_TOPICS if spec.per_ticker}
    settings = deployment.settings.model_copy(update={"topic_per_ticker": True})
    with KafkaIntegrationManager(settings) as manager:
        assert set(manager.create_topics([ticker.lower()])) == views
        with manager.producer() as producer:
            row = bar(ticker, START_MS)
            producer.produce_stock_data(ticker, row)
        assert views <= set(manager.describe_topics())
        assert set(manager.delete_topics([ticker])) == views
        assert manager.delete_topics([ticker]) == []
        assert not views & set(manager.describe_topics())


@pytest.mark.integration
def test_what_is_refused(manager: KafkaIntegrationManager, deployment: Deployment) -> None:
    with pytest.raises(ConfigurationError, match="workers=0"):
        manager.start_pipeline(["AAPL"], workers=0)
    with pytest.raises(ConfigurationError, match="TICKERS"):
        manager.start_pipeline(["../x"])
    with pytest.raises(ConfigurationError, match="no ticker"):
        manager.start_pipeline([], source="simulated")
    with pytest.raises(ConfigurationError, match="POLL_INTERVAL_S"):
        manager.start_pipeline(["AAPL"], interval_s=0)
    with pytest.raises(SourceUnavailable, match="TSLA"):
        manager.start_pipeline(["TSLA"], source="replay")
    assert manager.workers() == ()
    manager.start_pipeline("AAPL", source="none")
    with pytest.raises(ConfigurationError, match="runs already"):
        manager.start_pipeline(["AAPL"])
    with pytest.raises(ConfigurationError, match="stop_pipeline"):
        manager.delete_topics()


@pytest.mark.integration
def test_producers_and_consumers_end_with_the_manager(deployment: Deployment) -> None:
    ticker = some_tickers(1)[0]
    with KafkaIntegrationManager(deployment.settings) as manager:
        producer = manager.producer()
        consumer = manager.consumer()
        consumer.consume_multiple_tickers([ticker])
        assert producer.produce_stock_data(ticker, bar(ticker, START_MS)) == 1
    assert deployment.database["stock_prices"].count_documents({"ticker": ticker}) == 1
    with pytest.raises(RuntimeError, match="closed"):
        producer.produce_stock_data(ticker, bar(ticker, START_MS))


@pytest.mark.parametrize("wrong", ["", "no ticker", "AAPL,IBM"])
def test_a_ticker_is_one(wrong: str) -> None:
    manager = KafkaIntegrationManager(read_settings())
    for order in (manager.add_ticker, manager.remove_ticker):
        with pytest.raises(ConfigurationError, match=r"give one ticker|is no ticker"):
            order(wrong)
