"""The brokers as an administrator sees them, on a real one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Producer, TopicPartition

from broker import Broker, client_config
from config import Settings, read_settings
from embedded.locate import Servers
from errors import BrokerUnavailable, ConfigurationError, TopicMismatch
from tests.eventually import eventually
from topics import TopicSpec

PARTITIONS = 3


def settings_of(servers: Servers, **changes: int) -> Settings:
    """Settings for the servers of this run."""
    return read_settings(
        _env_file=None,
        **{"kafka_bootstrap_servers": servers.kafka, "topic_partitions": PARTITIONS} | changes,
    )


@pytest.fixture
def settings(servers: Servers) -> Settings:
    """Settings for topics of few partitions."""
    return settings_of(servers)


@pytest.fixture
def specs(settings: Settings) -> Iterator[tuple[TopicSpec, TopicSpec]]:
    """Two topics that nobody else uses, deleted afterwards if they exist."""
    name = f"test-broker-{uuid.uuid4().hex[:12]}"
    found = (
        TopicSpec(f"{name}-a", None, {"cleanup.policy": "delete", "retention.ms": "3600000"}),
        TopicSpec(f"{name}-b", None, {"cleanup.policy": "compact"}),
    )
    yield found
    with Broker(settings) as broker:
        broker.delete_topics(spec.name for spec in found)


@pytest.fixture
def broker(settings: Settings) -> Iterator[Broker]:
    """The broker of this run."""
    with Broker(settings) as found:
        yield found


def send(settings: Settings, topic: str, *partitions: int) -> None:
    """Send a message to each of the partitions given."""
    producer = Producer(client_config(settings))
    for partition in partitions:
        producer.produce(topic, b"value", partition=partition)
    assert producer.flush(10) == 0


def commit(broker: Broker, group: str, offsets: dict[tuple[str, int], int]) -> None:
    """Commit as a consumer of the group."""
    consumer = broker.consumer(group)
    places = [TopicPartition(topic, part, offset) for (topic, part), offset in offsets.items()]
    consumer.commit(offsets=places, asynchronous=False)
    consumer.close()


@pytest.mark.integration
def test_missing_topics_are_created_once(
    broker: Broker, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    first, second = specs
    assert broker.ensure_topics([first]) == [first.name]
    assert broker.ensure_topics(specs) == [second.name]
    assert broker.ensure_topics(specs) == []
    existing = broker.partitions()
    assert [existing[spec.name] for spec in specs] == [PARTITIONS, PARTITIONS]


@pytest.mark.integration
def test_views_are_created_like_their_topic_and_not_checked(
    servers: Servers, broker: Broker, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    first, view = specs
    assert broker.ensure_topics([first], {view.name: first}) == [first.name, view.name]
    with Broker(settings_of(servers, topic_partitions=2)) as other:
        assert other.ensure_topics([], {view.name: first}) == []


@pytest.mark.integration
def test_another_partition_count_names_topic_and_both_counts(
    servers: Servers, broker: Broker, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    first, second = specs
    broker.ensure_topics([first])
    with (
        Broker(settings_of(servers, topic_partitions=5)) as other,
        pytest.raises(TopicMismatch) as told,
    ):
        other.ensure_topics([second, first])
    assert (told.value.topic, told.value.found, told.value.wanted) == (first.name, 3, 5)
    # Nothing is created where the topics do not fit.
    assert second.name not in broker.partitions()


@pytest.mark.integration
def test_workers_that_start_together_all_find_their_topics(
    settings: Settings, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    def start() -> list[str]:
        with Broker(settings) as one:
            return one.ensure_topics(specs)

    with ThreadPoolExecutor(4) as pool:
        created = [future.result() for future in [pool.submit(start) for _ in range(4)]]
    assert {name for names in created for name in names} == {spec.name for spec in specs}


@pytest.mark.integration
def test_a_topic_that_the_broker_refuses_is_named(
    servers: Servers, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    with (
        Broker(settings_of(servers, topic_replication_factor=9)) as one,
        pytest.raises(ConfigurationError, match=specs[0].name) as told,
    ):
        one.ensure_topics(specs[:1])
    assert "eplication" in str(told.value)


@pytest.mark.integration
def test_offsets_of_topics_just_created(broker: Broker, specs: tuple[TopicSpec, TopicSpec]) -> None:
    broker.ensure_topics(specs)
    names = [spec.name for spec in specs]
    nothing = {(name, partition): 0 for name in names for partition in range(PARTITIONS)}
    assert broker.end_offsets(names) == nothing
    assert broker.start_offsets(names) == nothing
    assert broker.lag("nobody", names) == dict.fromkeys(names, 0)


@pytest.mark.integration
def test_offsets_and_lag_of_a_group(
    settings: Settings, broker: Broker, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    broker.ensure_topics(specs)
    first, second = (spec.name for spec in specs)
    send(settings, first, 0, 0, 0, 2)
    assert broker.end_offsets([first]) == {(first, 0): 3, (first, 1): 0, (first, 2): 1}
    assert set(broker.start_offsets([first]).values()) == {0}
    group = f"group-of-{first}"
    assert broker.committed(group) == {}
    assert broker.lag(group, [first, second]) == {first: 4, second: 0}
    commit(broker, group, {(first, 0): 2})
    assert broker.committed(group) == {(first, 0): 2}
    assert broker.lag(group, [first, second]) == {first: 2, second: 0}
    commit(broker, group, {(first, 0): 3, (first, 2): 1})
    assert broker.committed(group) == {(first, 0): 3, (first, 2): 1}
    assert broker.lag(group, iter([first])) == {first: 0}


@pytest.mark.integration
def test_a_consumer_of_the_group_reads_from_the_start(
    settings: Settings, broker: Broker, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    broker.ensure_topics(specs[:1])
    name = specs[0].name
    send(settings, name, 0, 1, 2)
    consumer = broker.consumer(f"group-of-{name}")
    consumer.subscribe([name])
    messages = [message for _ in range(3) if (message := consumer.poll(20)) is not None]
    assert sorted(message.partition() for message in messages) == [0, 1, 2]
    consumer.close()
    # Offsets are committed by hand, and nobody did.
    assert broker.committed(f"group-of-{name}") == {}


@pytest.mark.integration
def test_topics_that_do_not_exist_have_no_offsets(broker: Broker) -> None:
    missing = f"missing-{uuid.uuid4().hex}"
    assert broker.end_offsets([missing]) == {}
    assert broker.lag("nobody", [missing]) == {missing: 0}
    assert broker.delete_topics([missing]) == []
    assert missing not in broker.partitions()


@pytest.mark.integration
def test_topics_are_deleted(broker: Broker, specs: tuple[TopicSpec, TopicSpec]) -> None:
    broker.ensure_topics(specs)
    assert broker.delete_topics([specs[0].name, "never-was"]) == [specs[0].name]
    existing = broker.partitions()
    assert specs[0].name not in existing
    assert specs[1].name in existing


@pytest.mark.integration
def test_internal_topics_are_not_shown(broker: Broker, specs: tuple[TopicSpec, TopicSpec]) -> None:
    broker.ensure_topics(specs[:1])
    commit(broker, f"group-of-{specs[0].name}", {(specs[0].name, 0): 0})
    assert not [name for name in broker.partitions() if name.startswith("__")]


DEAD = "127.0.0.1:1"


@pytest.mark.parametrize(
    "call",
    [
        lambda broker: broker.partitions(),
        lambda broker: broker.ensure_topics(),
        lambda broker: broker.delete_topics(["t"]),
        lambda broker: broker.end_offsets(["t"]),
        lambda broker: broker.committed("g"),
        lambda broker: broker.lag("g", ["t"]),
    ],
    ids=["partitions", "ensure", "delete", "offsets", "committed", "lag"],
)
def test_a_dead_address_is_named_within_the_timeout(call: object) -> None:
    assert callable(call)
    settings = read_settings(_env_file=None, kafka_bootstrap_servers=DEAD)
    started = time.monotonic()
    with Broker(settings, timeout_s=0.5) as broker, pytest.raises(BrokerUnavailable) as told:
        call(broker)
    assert time.monotonic() - started < 15
    assert told.value.address == DEAD
    assert DEAD in str(told.value)


def test_without_security_nothing_is_said_of_it() -> None:
    config = client_config(read_settings(_env_file=None))
    assert config.keys() == {"bootstrap.servers", "security.protocol", "log_level"}
    assert config["security.protocol"] == "PLAINTEXT"


def test_the_ids_of_topics(broker: Broker, specs: tuple[TopicSpec, TopicSpec]) -> None:
    """Each has its own, and another one after it was made anew."""
    names = [spec.name for spec in specs]
    broker.ensure_topics(specs)
    first = broker.topic_ids(names)
    assert first.keys() == set(names)
    assert len(set(first.values())) == 2
    assert all(len(name) == 8 for name in first.values())
    assert broker.topic_ids(names) == first
    broker.delete_topics(names)
    broker.ensure_topics(specs)
    assert not set(broker.topic_ids(names).values()) & set(first.values())


def test_offsets_at_a_time(
    settings: Settings, broker: Broker, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    """The first message sent since then; the end where there is none."""
    name = specs[0].name
    broker.ensure_topics(specs)
    send(settings, name, 0, 0, 1)
    between = int(time.time() * 1000) + 1
    eventually(lambda: time.time() * 1000 > between, "the clock moves")
    send(settings, name, 0)
    assert broker.offsets_at([name], between) == {(name, 0): 2, (name, 1): 1, (name, 2): 0}
    assert broker.offsets_at([name], 0) == {(name, 0): 0, (name, 1): 0, (name, 2): 0}


def test_members_and_rewinding(
    settings: Settings, broker: Broker, specs: tuple[TopicSpec, TopicSpec]
) -> None:
    """A group with members cannot be rewound."""
    name, group = specs[0].name, f"test-{uuid.uuid4().hex[:12]}"
    broker.ensure_topics(specs)
    send(settings, name, 0, 0)
    assert broker.members(group) == []
    broker.rewind(group, {(name, 0): 2})
    member = broker.consumer(group)
    member.subscribe([name])

    def has_joined() -> bool:
        member.poll(0.1)
        return len(broker.members(group)) == 1

    eventually(has_joined, "the consumer is a member")
    with pytest.raises(BrokerUnavailable):
        broker.rewind(group, {(name, 0): 0})
    member.close()
    eventually(lambda: broker.members(group) == [], "the member has left")
    assert broker.committed(group)[name, 0] == 2
    broker.rewind(group, {(name, 0): 0})
    assert broker.committed(group)[name, 0] == 0
