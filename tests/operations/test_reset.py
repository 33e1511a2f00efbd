"""Going back: refused while workers run; what is processed again changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from errors import Refused
from operations import reset
from tests.deployment import Deployment, Worker
from tests.eventually import eventually
from tests.integration.conftest import Deploy, deploy
from tests.integration.test_tables import faust
from tests.verify import random_bars, wrong

__all__ = ["deploy"]

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(240)]

TICKERS = [f"BACK{n}" for n in range(6)]


def changelog_exists(deployment: Deployment) -> bool:
    """Whether the workers have state."""
    return f"{deployment.settings.app_id}-indicators-changelog" in deployment.broker.partitions()


def refused_while_it_runs(deployment: Deployment) -> None:
    """The group has a member, which is named."""
    settings = deployment.settings
    with pytest.raises(Refused, match=f"workers of {settings.app_id} run: faust.* on 127"):
        reset.plan(deployment.broker, settings, [], None)


def test_a_database_from_an_old_backup(deploy: Deploy) -> None:
    """Half of the bars are gone; rewound to a moment before them, everything is as it was."""
    deployment = deploy(checkpoint_interval_s=0.1)
    bars = random_bars(TICKERS, 80)
    half = len(bars) // 2
    deployment.send_bars(bars[:half])
    worker = deployment.start_worker()
    deployment.drained()
    backup = datetime.now(UTC).isoformat()
    prices = deployment.database["stock_prices"]
    old = list(prices.find())
    deployment.send_bars(bars[half:])
    deployment.drained()

    refused_while_it_runs(deployment)
    assert changelog_exists(deployment)

    assert worker.stop() == 0
    prices.delete_many({})
    prices.insert_many(old)
    asked = faust(deployment, "reset-state", "--to", backup)
    assert asked.returncode == 2
    assert "nothing was changed" in asked.stdout
    assert changelog_exists(deployment)

    done = faust(deployment, "reset-state", "--to", backup, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"processes {len(bars) - half} messages of stock-prices again" in done.stdout
    assert not changelog_exists(deployment)
    lag = deployment.broker.lag(deployment.settings.app_id, ["stock-prices"])["stock-prices"]
    assert lag == len(bars) - half

    deployment.start_worker()
    deployment.drained()
    # The state began anew in the middle of the history.
    assert wrong(deployment.database, bars, deployment.settings.indicators) != []
    rebuilt = faust(deployment, "recompute", "--all")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert wrong(deployment.database, bars, deployment.settings.indicators) == []


def test_a_killed_worker_counts_until_its_session_ends(deploy: Deploy) -> None:
    """Then everything can be processed again from the start, and comes out the same."""
    deployment = deploy(checkpoint_interval_s=0.1)
    start = datetime.now(UTC).isoformat()
    bars = random_bars(TICKERS, 60)
    worker = deployment.start_worker()
    deployment.send_bars(bars)
    deployment.drained()
    worker.kill()
    refused_while_it_runs(deployment)
    eventually(lambda: not deployment.broker.members(deployment.settings.app_id), "it is gone", 30)
    assert faust(deployment, "reset-state", "--to", start, "--yes").returncode == 0
    deployment.start_worker()
    deployment.drained()
    assert wrong(deployment.database, bars, deployment.settings.indicators) == []
    assert deployment.database["stock_prices"].count_documents({}) == len(bars)


def known(worker: Worker) -> list[Any] | None:
    """What the tables say of a series, and of a ticker that is followed; None if not all of it."""
    base = f"http://127.0.0.1:{worker.port}/table"
    rows = [httpx.get(f"{base}/{name}/") for name in ("macro/XSTAY", "followed/STAYS")]
    if any(row.status_code != httpx.codes.OK for row in rows):
        return None
    macro, followed = (row.json() for row in rows)
    return [macro["observations"], followed["ticker"]]


def test_what_no_message_says_again_is_kept(deploy: Deploy) -> None:
    """The last observations, perhaps of months ago, and what was followed."""
    deployment = deploy(checkpoint_interval_s=0.1)
    worker = deployment.start_worker()
    worker.wait_ready()
    with deployment.producer() as producer:
        observed = [{"time": f"2024-0{n}-01", "value": float(n)} for n in (1, 2)]
        producer.produce_economic_data("XSTAY", observed)
    assert faust(deployment, "follow", "STAYS").returncode == 0
    deployment.drained()
    before = eventually(lambda: known(worker), "both are known")
    assert worker.stop() == 0
    now = datetime.now(UTC).isoformat()
    done = faust(deployment, "reset-state", "--to", now, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    again = deployment.start_worker()
    again.wait_ready()
    deployment.drained()
    eventually(lambda: known(again) == before, f"the same is known: {before}")


def test_a_moment_that_is_none(deploy: Deploy) -> None:
    """One line, before anything is looked at."""
    done = faust(deploy(), "reset-state", "--to", "2024-01-05T09:30:00", "--yes")
    assert done.returncode == 2
    assert "--to='2024-01-05 09:30:00': has no time zone" in done.stdout
