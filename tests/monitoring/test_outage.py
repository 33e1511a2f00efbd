"""What a worker says while MongoDB is away: all of it true, and none of it late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from embedded.locate import Servers
from embedded.mongo import EmbeddedMongo
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.monitoring.scraping import Scrape
from tests.verify import random_bars

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.fixture
def mongodb(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """A MongoDB of this test alone, which it may stop."""
    with EmbeddedMongo(tmp_path / "mongodb", avoid_usual_port=True) as server:
        yield server


@pytest.fixture
def deployment(servers: Servers, mongodb: EmbeddedMongo, tmp_path: Path) -> Iterator[Deployment]:
    """A worker on it."""
    both: Any = SimpleNamespace(kafka=servers.kafka, mongodb=mongodb.uri)
    made = Deployment(both, tmp_path, checkpoint_interval_s=0.1, mongodb_timeout_s=1)
    try:
        made.start_worker().wait_ready()
        yield made
    finally:
        mongodb.start()
        made.close()


def test_lag_grows_and_readiness_ends_while_mongodb_is_away(
    deployment: Deployment, mongodb: EmbeddedMongo
) -> None:
    worker = deployment.workers[0]

    def ask(path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{worker.port}{path}", timeout=20)

    def scrape() -> Scrape:
        return Scrape(ask("/metrics").text)

    def lag() -> float:
        return scrape().total("lag_messages", topic="stock-prices")

    eventually(lambda: ask("/health/ready").status_code == 200, "ready")
    mongodb.stop()
    # More than a worker takes in while nothing can be stored: the rest is not even fetched.
    bars = random_bars([f"T{number}" for number in range(100)], 300)
    deployment.send_bars(bars)
    # Or more: the worker of the other tests goes on sending prices to the same topic.
    eventually(lambda: lag() >= len(bars), "a lag of all that was sent")
    eventually(lambda: scrape().total("mongodb_retries_total", agent="prices") > 0, "retries")
    answer = ask("/health/ready")
    checks = answer.json()["checks"]
    wrong = {name: said for name, said in checks.items() if said != "ok"}
    assert (answer.status_code, wrong) == (
        503,
        {"mongodb": "MongoDB does not answer within 3 s"},
    )
    assert ask("/health/live").status_code == 200
    mongodb.start()
    deployment.drained()
    eventually(lambda: lag() < len(bars) / 100, "next to no lag")
    eventually(lambda: ask("/health/ready").status_code == 200, "ready again")
    after = scrape()
    assert after.total("mongodb_documents_total", agent="prices") >= len(bars)
    assert after.total("store_wait_seconds_total", agent="prices") > 0
