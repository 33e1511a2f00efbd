"""Looking into the tables over HTTP, and the commands of the app."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest

from indicators import INDICATORS
from tests.deployment import ROOT, Deployment
from tests.integration.conftest import Deploy
from tests.verify import random_bars

pytestmark = pytest.mark.integration

TICKERS = [f"T{n}" for n in range(12)]


def faust(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the app to its end."""
    return subprocess.run(  # noqa: S603 - arguments of our own
        [sys.executable, "-m", "faust", "-A", "app", *arguments],
        cwd=ROOT,
        env=os.environ | deployment.environment() | {"COLUMNS": "300"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_any_worker_shows_any_ticker(deploy: Deploy) -> None:
    """Each worker holds some partitions, and routes requests for others to their owner."""
    deployment = deploy(checkpoint_interval_s=0.1)
    workers = [deployment.start_worker(), deployment.start_worker()]
    for worker in workers:
        worker.wait_ready()
    deployment.send_bars(random_bars(TICKERS, 40))
    deployment.drained()
    outputs = {name for kind in INDICATORS.values() for name in kind.outputs}
    for worker in workers:
        base = f"http://127.0.0.1:{worker.port}/table"
        assert "indicators" in {table["name"] for table in httpx.get(f"{base}/").json()}
        for ticker in TICKERS:
            shown = httpx.get(f"{base}/indicators/{ticker}/").json()
            assert shown["intervals"]["1m"]["values"].keys() == outputs
            stored = deployment.database["stock_prices"].find({"ticker": ticker})
            last = max(stored, key=lambda document: document["time"])
            assert shown["intervals"]["1m"]["values"] == last["indicators"]
        assert httpx.get(f"{base}/indicators/NOPE/").status_code == 404


def test_the_app_lists_its_parts(deploy: Deploy) -> None:
    """`faust -A app agents`, `tables` and `models` know everything."""
    deployment = deploy()
    agents = faust(deployment, "agents").stdout
    for name in ("prices", "indicators", "news", "twitter", "reddit", "economy", "commands"):
        assert f"@{name}" in agents
    assert "indicators" in faust(deployment, "tables").stdout
    models = faust(deployment, "models").stdout
    for name in ("Bar", "NewsItem", "SocialPost", "EconomicObservation", "Trend", "DeadLetter"):
        assert f"financial_trends.{name}" in models or name in models


def test_the_doctor(deploy: Deploy) -> None:
    """Says what answers, without passwords; fails where something does not."""
    deployment = deploy(kafka_sasl_password="hunter2")  # noqa: S106
    well = faust(deployment, "doctor")
    assert well.returncode == 0, well.stdout + well.stderr
    assert "Kafka: ok" in well.stdout
    assert "MongoDB: ok" in well.stdout
    assert "hunter2" not in well.stdout
    deployment.environment = lambda: {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}  # type: ignore[method-assign]
    ill = faust(deployment, "doctor")
    assert ill.returncode == 1
    assert "127.0.0.1:1" in ill.stdout


def test_recompute_refuses_what_is_no_ticker(deploy: Deploy) -> None:
    """One line that names it, and exit code 2."""
    refused = faust(deploy(), "recompute", "../x")
    assert refused.returncode == 2
    assert "'../X' is no ticker" in refused.stdout + refused.stderr


def test_a_setting_that_is_not_allowed(deploy: Deploy) -> None:
    """One line that names the variable, the value and the rule."""
    deployment = deploy()
    allowed = deployment.environment()
    deployment.environment = lambda: allowed | {"INDICATORS": "sma 0"}  # type: ignore[method-assign]
    refused = faust(deployment, "agents")
    assert refused.returncode != 0
    assert "setting INDICATORS is 'sma 0'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_partition_count_that_differs_stops_the_worker(deploy: Deploy) -> None:
    """Before anything is processed, with both counts."""
    deployment = deploy()
    worker = deployment.start_worker(TOPIC_PARTITIONS="3")
    assert worker.process.wait(60) != 0
    assert "has 8 partitions but TOPIC_PARTITIONS is 3" in worker.tail()
