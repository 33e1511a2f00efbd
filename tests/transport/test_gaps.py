"""Offsets with gaps: transactions that were committed or aborted, records that were deleted."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from broker import client_config
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.transport.mixed import lag, results

pytestmark = pytest.mark.integration


def produce(producer: Producer, topic: str, count: int, partition: int = 0) -> None:
    for _ in range(count):
        producer.produce(topic, b"ok", key=b"k", partition=partition)


def test_transactions(deployment: Deployment, prefix: str) -> None:
    """What was aborted is not delivered; committed offsets equal end offsets, behind the markers.

    Partition 0 ends with the marker of a commit, partition 1 with that of an abort, partition 2 has
    nothing but an aborted transaction.
    """
    topic = f"{prefix}-batched"
    producer = Producer(
        client_config(deployment.settings) | {"transactional.id": f"{prefix}-transactions"}
    )
    producer.init_transactions(30)
    for count, good, partitions in ((7, True, (0, 1)), (5, False, (1, 2)), (3, True, (0,))):
        producer.begin_transaction()
        for partition in partitions:
            produce(producer, topic, count, partition)
        producer.flush(30)
        (producer.commit_transaction if good else producer.abort_transaction)()
    worker = deployment.start_worker("tests.transport.mixed_app", TEST_PREFIX=prefix)
    found = results(deployment, prefix, 17)
    # Offset 7 of partition 0 is a marker; what was aborted in partition 1 came after its own.
    offsets = sorted(int(line.split()[1]) for line in found)
    assert offsets == sorted([*range(7), *range(7), 8, 9, 10])
    eventually(lambda: lag(deployment, prefix) == 0, "all offsets committed")
    committed = deployment.broker.committed(deployment.settings.app_id)
    assert [committed[topic, partition] for partition in range(3)] == [12, 14, 6]
    after = Producer(client_config(deployment.settings))
    produce(after, topic, 1)
    assert after.flush(30) == 0
    assert "batched 12 first 0" in results(deployment, prefix, 18)
    eventually(lambda: lag(deployment, prefix) == 0, "all offsets committed")
    assert worker.stop() == 0


def test_what_is_deleted_before_it_is_read(deployment: Deployment, prefix: str) -> None:
    """Work begins at the first record that is kept."""
    topic = f"{prefix}-batched"
    producer = Producer(client_config(deployment.settings))
    produce(producer, topic, 10)
    assert producer.flush(30) == 0
    admin = AdminClient(client_config(deployment.settings))
    for future in admin.delete_records([TopicPartition(topic, 0, 6)]).values():
        future.result(30)
    worker = deployment.start_worker("tests.transport.mixed_app", TEST_PREFIX=prefix)
    found = results(deployment, prefix, 4)
    assert [int(line.split()[1]) for line in found] == [6, 7, 8, 9]
    eventually(lambda: lag(deployment, prefix) == 0, "all offsets committed")
    assert worker.stop() == 0
