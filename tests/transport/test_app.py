"""Batched topics beside ordinary ones, in a real worker."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from broker import client_config
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.transport.mixed import results

pytestmark = pytest.mark.integration


def test_both_kinds_of_topics(deployment: Deployment, prefix: str) -> None:
    """Nothing is lost or doubled, after a failure only what was not saved comes again."""
    producer = Producer(client_config(deployment.settings))
    for number in range(60):
        producer.produce(f"{prefix}-plain", b"1", key=b"k", partition=0)
        value = b"fail" if number == 40 else b"ok"
        producer.produce(f"{prefix}-batched", value, key=b"k", partition=0)
    assert producer.flush(30) == 0
    worker = deployment.start_worker("tests.transport.mixed_app", TEST_PREFIX=prefix)
    found = results(deployment, prefix, 120)

    assert [line for line in found if line.startswith("plain")] == [
        f"plain {n}" for n in range(1, 61)
    ]
    offsets = [int(line.split()[1]) for line in found if line.startswith("batched")]
    assert sorted(set(offsets)) == list(range(60))
    assert worker.says("going back to the last checkpoint")

    names = [f"{prefix}-plain", f"{prefix}-batched"]

    def lag() -> int:
        return sum(deployment.broker.lag(deployment.settings.app_id, names).values())

    eventually(lambda: lag() == 0, "all offsets committed")
    assert worker.stop() == 0


def test_a_stop_commits_what_is_done(deployment: Deployment, prefix: str) -> None:
    """The next worker gets nothing again."""
    producer = Producer(client_config(deployment.settings))
    for _ in range(50):
        producer.produce(f"{prefix}-batched", b"ok", key=b"k", partition=3)
    assert producer.flush(30) == 0
    worker = deployment.start_worker("tests.transport.mixed_app", TEST_PREFIX=prefix)
    assert len(results(deployment, prefix, 50)) == 50
    assert worker.stop() == 0
    committed = deployment.broker.committed(deployment.settings.app_id)
    assert committed[f"{prefix}-batched", 3] == 50
