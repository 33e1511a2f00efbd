"""The judge sees a program that is broken on purpose, and has nothing to say of the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.controls.provoke import CONTROLS, provoke
from chaos.feed import Feed, Ledger
from chaos.judge import Case, judge
from chaos.judge.reference import Parameters
from chaos.messages import Stream
from embedded.locate import Servers
from tests.deployment import Deployment
from topics import ALL_TOPICS

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment whose checkpoints follow each other closely."""
    made = Deployment(servers, tmp_path, checkpoint_interval_s=0.1)
    yield made
    made.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("app", CONTROLS)
def test_each_fault_is_caught(deployment: Deployment, servers: Servers, app: str) -> None:
    starts = deployment.broker.end_offsets(spec.name for spec in ALL_TOPICS)
    ledger = Ledger()
    feed = Feed(servers.kafka, Stream(seed=3), ledger)
    bars = deployment.database["stock_prices"]
    provoke(feed, lambda: deployment.start_worker(app), lambda: bars.count_documents({}))
    deployment.drained(timeout_s=120)
    settings = deployment.settings
    case = Case(
        servers.kafka, servers.mongodb, settings.mongodb_database, settings.app_id, ledger, starts
    )
    found = {finding.kind for finding in judge(case, Parameters(), recomputed=False)}
    assert found & CONTROLS[app] if CONTROLS[app] else not found, found
