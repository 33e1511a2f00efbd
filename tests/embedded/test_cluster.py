"""What the members of a cluster are told; that it works, the chaos run shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.cluster import KafkaCluster, MongoReplicaSet


def test_brokers_share_an_id_and_know_each_other(tmp_path: Path) -> None:
    cluster = KafkaCluster(tmp_path)
    told = [member._properties() for member in cluster.members]
    assert [one["node.id"] for one in told] == ["1", "2", "3"]
    assert len({one["controller.quorum.voters"] for one in told}) == 1
    assert told[0]["controller.quorum.voters"].count("@127.0.0.1:") == 3
    assert len({member._id_of_new_storage() for member in cluster.members}) == 1
    assert cluster.address == ",".join(f"127.0.0.1:{member.port}" for member in cluster.members)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("default.replication.factor", "3"),
        ("offsets.topic.replication.factor", "3"),
        ("transaction.state.log.replication.factor", "3"),
        ("transaction.state.log.min.isr", "2"),
        ("min.insync.replicas", "2"),
        ("auto.create.topics.enable", "false"),
    ],
)
def test_everything_is_there_three_times(tmp_path: Path, name: str, value: str) -> None:
    for member in KafkaCluster(tmp_path).members:
        assert member._properties()[name] == value


def test_a_failing_broker_is_noticed_in_kafkas_own_time(tmp_path: Path) -> None:
    for member in KafkaCluster(tmp_path).members:
        assert "broker.session.timeout.ms" not in member._properties()


def test_nothing_listens_on_the_usual_ports_or_on_another_address(tmp_path: Path) -> None:
    cluster, replica_set = KafkaCluster(tmp_path / "kafka"), MongoReplicaSet(tmp_path / "mongodb")
    ports = [member.port for member in (*cluster.members, *replica_set.members)]
    assert len(set(ports)) == 6
    assert not {9092, 27017} & set(ports)
    for member in cluster.members:
        properties = member._properties()
        listeners = (properties["listeners"] + "," + properties["advertised.listeners"]).split(",")
        assert all("://127.0.0.1:" in listener for listener in listeners)
    assert replica_set.address.startswith("mongodb://127.0.0.1:")


def test_members_that_do_not_run_say_so(tmp_path: Path) -> None:
    assert not any(member.answers() for member in KafkaCluster(tmp_path).members)
    assert [member.role() for member in MongoReplicaSet(tmp_path).members] == ["down"] * 3
