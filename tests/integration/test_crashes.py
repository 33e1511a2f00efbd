"""Every bar once, with the right indicators, whatever is killed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from embedded.kafka import EmbeddedKafka
from embedded.locate import Servers
from embedded.mongo import EmbeddedMongo
from models import Bar
from tests.deployment import READ_TOPICS, Deployment
from tests.eventually import eventually
from tests.integration.conftest import Deploy
from tests.verify import random_bars, wrong

pytestmark = pytest.mark.integration

TICKERS = [f"T{n}" for n in range(30)]

#: The close of the bar on which `tests.integration.buggy` breaks.
BREAKS = 666.0


def stored(deployment: Deployment) -> int:
    """How many bars are in MongoDB."""
    return deployment.database["stock_prices"].count_documents({})


def reaches(deployment: Deployment, count: float) -> None:
    """Return once so many bars are stored."""
    eventually(
        lambda: stored(deployment) >= count, f"{count} bars\n{deployment.workers[-1].tail()}"
    )


def unfinished(deployment: Deployment) -> dict[tuple[str, int], int]:
    """The end offsets that are not committed."""
    committed = deployment.broker.committed(deployment.settings.app_id)
    ends = deployment.broker.end_offsets(READ_TOPICS)
    return {place: end for place, end in ends.items() if committed[place] != end}


def check(deployment: Deployment, bars: list[Bar]) -> None:
    """Drain, then compare everything, offsets included."""
    deployment.drained(timeout_s=90)
    assert wrong(deployment.database, bars, deployment.settings.indicators) == []
    eventually(lambda: unfinished(deployment) == {}, "committed offsets equal end offsets")
    assert deployment.database["dead_letters"].count_documents({}) == 0


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("app", "kills"),
    [
        ("app", (0.15, 0.5)),
        pytest.param("tests.integration.slow_commit", (0.4,), marks=pytest.mark.long),
    ],
)
def test_kill_9_in_mid_load(deploy: Deploy, app: str, kills: tuple[float, ...]) -> None:
    """Workers are killed while they drain a backlog, at these parts of it; the last finishes."""
    deployment = deploy(checkpoint_interval_s=0.1)
    bars = random_bars(TICKERS, 800)
    deployment.send_bars(bars)
    for part in kills:
        worker = deployment.start_worker(app)
        reaches(deployment, part * len(bars))
        worker.kill()
    assert stored(deployment) < len(bars)
    deployment.start_worker(app)
    check(deployment, bars)


@pytest.mark.timeout(240)
def test_two_workers_one_of_them_a_zombie(deploy: Deploy) -> None:
    """A worker sleeps until its partitions are the other's, then wakes and goes on."""
    deployment = deploy()
    bars = random_bars(TICKERS, 400)
    half = len(bars) // 2
    first, second = deployment.start_worker(), deployment.start_worker()
    first.wait_ready()
    second.wait_ready()
    deployment.send_bars(bars[:half])
    reaches(deployment, half / 4)
    first.signal(signal.SIGSTOP)
    deployment.send_bars(bars[half:])
    deployment.drained(timeout_s=60)
    first.signal(signal.SIGCONT)
    eventually(lambda: first.says("Worker ready", times=2), "the zombie is back in the group")
    check(deployment, bars)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_mongodb_away_for_a_while(deploy: Deploy, servers: Servers, tmp_path: Path) -> None:
    """MongoDB is killed in mid-load: nothing is lost, and the worker keeps its partitions."""
    with EmbeddedMongo(tmp_path / "mongo", avoid_usual_port=True) as mongodb:
        own = Servers(
            servers.kafka, mongodb.uri, kafka_from=servers.kafka_from, mongodb_from="embedded"
        )
        (tmp_path / "own").mkdir()
        deployment = Deployment(own, tmp_path / "own")
        try:
            bars = random_bars(TICKERS, 600)
            deployment.send_bars(bars)
            worker = deployment.start_worker()
            reaches(deployment, len(bars) / 10)
            mongodb.kill()
            eventually(lambda: worker.says("trying again, nothing is lost"), "the worker noticed")
            mongodb.start()
            check(deployment, bars)
            assert not worker.says("Revoking previously assigned partitions {")
            assert worker.stop() == 0
        finally:
            deployment.close()


@pytest.mark.timeout(120)
def test_a_clean_stop_leaves_nothing_behind(deploy: Deploy) -> None:
    """SIGTERM in mid-load: what was taken is finished, so the next worker does none of it again."""
    deployment = deploy()
    bars = random_bars(TICKERS, 600)
    deployment.send_bars(bars)
    worker = deployment.start_worker()
    reaches(deployment, len(bars) / 10)
    assert worker.stop() == 0
    lag = deployment.broker.lag(deployment.settings.app_id, ["stock-prices"])["stock-prices"]
    assert lag == len(bars) - stored(deployment)
    deployment.start_worker()
    check(deployment, bars)


def test_a_bug_costs_one_message(deploy: Deploy) -> None:
    """What breaks the program is set aside; state goes back, so that nothing else is touched."""
    deployment = deploy(checkpoint_interval_s=0.1)
    bars = random_bars(TICKERS, 60)
    breaking = bars[30 * 40].derive(time=bars[30 * 40].time + 1, close=BREAKS, high=BREAKS)
    deployment.send_bars([*bars[: 30 * 41], breaking, *bars[30 * 41 :]])
    deployment.start_worker("tests.integration.buggy")
    deployment.drained()
    assert wrong(deployment.database, bars, deployment.settings.indicators) == []
    (letter,) = deployment.database["dead_letters"].find()
    assert "the program failed on it: RuntimeError('a bug')" in letter["error"]


@pytest.mark.long
@pytest.mark.timeout(240)
def test_workers_come_and_go(deploy: Deploy) -> None:
    """Partitions move to a worker that is added, and back, in mid-load, by clean rebalances."""
    deployment = deploy(checkpoint_interval_s=0.2)
    bars = random_bars(TICKERS, 800)
    deployment.send_bars(bars)
    first = deployment.start_worker()
    reaches(deployment, 0.05 * len(bars))
    deployment.start_worker().wait_ready()
    reaches(deployment, 0.5 * len(bars))
    assert first.stop() == 0
    check(deployment, bars)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_kafka_away_for_a_while(servers: Servers, tmp_path: Path) -> None:
    """The broker is killed in mid-load and comes back: nothing is lost, nothing counts twice."""
    with EmbeddedKafka(tmp_path / "kafka", avoid_usual_port=True) as kafka:
        own = Servers(
            kafka.bootstrap_servers, servers.mongodb, kafka_from="embedded", mongodb_from="given"
        )
        (tmp_path / "own").mkdir()
        deployment = Deployment(own, tmp_path / "own", checkpoint_interval_s=0.2)
        try:
            bars = random_bars(TICKERS, 800)
            deployment.send_bars(bars)
            deployment.start_worker()
            reaches(deployment, 0.1 * len(bars))
            kafka.kill()
            kafka.start()
            check(deployment, bars)
        finally:
            deployment.close()
