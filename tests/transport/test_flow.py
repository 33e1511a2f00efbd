"""How much is on its way at once, and what happens when workers come and go."""

from __future__ import annotations

import threading

import pytest
from confluent_kafka import Producer

from broker import client_config
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.transport.mixed import lag, results, results_until
from transport.consumer import MOST_OUTSTANDING

pytestmark = pytest.mark.integration

APP = "tests.transport.mixed_app"


def test_a_slow_agent_holds_the_fetching_up(deployment: Deployment, prefix: str) -> None:
    """30,000 messages wait; on their way are never more batches than there may be."""
    producer = Producer(client_config(deployment.settings))
    for number in range(30_000):
        value = b"report" if number == 29_999 else b"slow"
        producer.produce(f"{prefix}-batched", value, key=b"k", partition=0)
        producer.poll(0)
    assert producer.flush(30) == 0
    worker = deployment.start_worker(APP, TEST_PREFIX=prefix)
    (report,) = results(deployment, prefix, 1)
    assert 1 < int(report.removeprefix("outstanding ")) <= MOST_OUTSTANDING
    eventually(lambda: lag(deployment, prefix) == 0, "all offsets committed")
    assert worker.stop() == 0


def test_another_worker_takes_its_share(deployment: Deployment, prefix: str) -> None:
    """While messages come; every one of them is processed, and committed are the ends."""
    producer = Producer(client_config(deployment.settings))
    enough = threading.Event()
    sent = [0] * deployment.settings.topic_partitions

    def send() -> None:
        while not enough.wait(0.05):
            for partition in range(len(sent)):
                producer.produce(f"{prefix}-batched", b"ok", key=b"k", partition=partition)
                sent[partition] += 1
            producer.poll(0)

    sending = threading.Thread(target=send)
    first = deployment.start_worker(APP, TEST_PREFIX=prefix)
    sending.start()
    try:
        second = deployment.start_worker(APP, TEST_PREFIX=prefix)
        eventually(
            lambda: len(deployment.broker.members(deployment.settings.app_id)) == 2,
            "two members of the group",
        )
        assert first.stop() == 0
    finally:
        enough.set()
        sending.join()
    assert producer.flush(30) == 0
    eventually(lambda: lag(deployment, prefix) == 0, "all offsets committed")
    topic = f"{prefix}-batched"
    committed = deployment.broker.committed(deployment.settings.app_id)
    assert [committed[topic, partition] for partition in range(len(sent))] == sent
    expected = {(p, offset) for p, count in enumerate(sent) for offset in range(count)}
    # Some may have come again.
    results_until(deployment, prefix, lambda found: places(found) == expected, "all of them")
    assert second.stop() == 0


def places(lines: list[str]) -> set[tuple[int, int]]:
    """Partition and offset of each."""
    return {(int(line.split()[3]), int(line.split()[1])) for line in lines}
