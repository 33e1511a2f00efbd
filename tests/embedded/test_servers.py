"""The real Kafka and the real mongod: serving, killed, damaged."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient

from embedded import ports, stack
from embedded.errors import EmbeddedError
from embedded.kafka import EmbeddedKafka
from embedded.mongo import EmbeddedMongo
from tests.embedded.stub import stub

pytestmark = pytest.mark.integration

TOPIC = "kept"


def send(kafka: EmbeddedKafka, value: bytes) -> None:
    """Send one message and wait until the broker has it."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    producer.produce(TOPIC, value)
    assert producer.flush(10) == 0


def received(kafka: EmbeddedKafka, count: int) -> list[bytes]:
    """Return the first `count` messages of the topic's only partition."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "unused"})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    try:
        return [message.value() for message in consumer.consume(count, timeout=10)]
    finally:
        consumer.close()


def client_of(mongodb: EmbeddedMongo) -> MongoClient[dict[str, Any]]:
    return MongoClient(mongodb.uri)


def test_first_start_recovers_from_half_written_data(running: stack.Stack) -> None:
    assert running.started == {"kafka", "mongodb"}
    assert all(server.answers() for server in running.servers)
    assert not any(server.port == server.usual_port for server in running.servers)


def test_up_again_starts_nothing(running: stack.Stack) -> None:
    data_dir = running.servers[0].data_dir
    pids = [server.pid for server in running.servers]
    again = stack.up(data_dir)
    assert again.started == frozenset()
    again.stop()
    assert [server.pid for server in running.servers] == pids


def test_servers_listen_on_the_loopback_address_only(running: stack.Stack) -> None:
    for server in running.servers:
        process = server.process
        assert process is not None
        listening = [c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"]
        assert {address.removeprefix("::ffff:") for address in listening} == {ports.HOST}


def test_kafka_makes_no_topic_by_itself(kafka: EmbeddedKafka) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.list_topics("misspelt", timeout=5)
    assert "misspelt" not in admin.list_topics(timeout=5).topics


def test_kafka_keeps_data_over_a_kill_and_a_lost_identity(kafka: EmbeddedKafka) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.create_topics([NewTopic(TOPIC, 1)])[TOPIC].result(10)
    send(kafka, b"before")
    address = kafka.bootstrap_servers
    assert kafka.kill()
    assert not kafka.answers()
    (kafka.storage / "logs" / "meta.properties").write_text("version=1\ncluster.id=another\n")
    assert kafka.start() is True
    assert kafka.bootstrap_servers == address
    send(kafka, b"after")
    assert received(kafka, 2) == [b"before", b"after"]


def test_mongodb_keeps_data_over_a_kill(mongodb: EmbeddedMongo) -> None:
    with client_of(mongodb) as client:
        client.test.kept.insert_one({"_id": 1})
        uri = mongodb.uri
        assert mongodb.kill()
        assert not mongodb.answers()
        assert mongodb.start() is True
        assert mongodb.uri == uri
        assert client.test.kept.count_documents({"_id": 1}) == 1
        client.test.kept.insert_one({"_id": 2})


def test_mongodb_has_change_streams(mongodb: EmbeddedMongo) -> None:
    with client_of(mongodb) as client, client.test.watched.watch() as stream:
        client.test.watched.insert_one({"_id": time.time_ns()})
        assert stream.next()["operationType"] == "insert"


def test_mongodb_keeps_data_when_its_port_was_taken(mongodb: EmbeddedMongo, tmp_path: Path) -> None:
    with client_of(mongodb) as client:
        client.test.moved.insert_one({"_id": 1})
    port = mongodb.port
    mongodb.kill()
    with stub(tmp_path, port):
        mongodb.start()
    assert mongodb.port != port
    with client_of(mongodb) as client:
        assert client.test.moved.count_documents({}) == 1


def test_damaged_data_are_kept_and_the_log_shown(mongodb: EmbeddedMongo) -> None:
    mongodb.stop()
    turtle = mongodb.storage / "db" / "WiredTiger.turtle"
    good = turtle.read_bytes()
    try:
        turtle.write_text("garbage")
        with pytest.raises(EmbeddedError) as caught:
            mongodb.start()
    finally:
        turtle.write_bytes(good)
    assert "MongoDB ended while starting" in str(caught.value)
    assert "WiredTiger" in str(caught.value)
    assert str(mongodb.log_file) in str(caught.value)
    assert mongodb.start() is True
