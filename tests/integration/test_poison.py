"""What cannot be processed is set aside with its reason, and the next message is processed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from broker import client_config
from embedded.locate import Servers
from models import COMMAND, ECONOMIC_OBSERVATION, NEWS_ITEM, SOCIAL_POST
from models.dead_letter import MOST_REASON
from models.rules import DAY_MS
from sinks.documents import MOST_VALUE_BYTES
from tests.deployment import Deployment, bar
from tests.eventually import eventually
from tests.verify import START_MS
from topics import COMMANDS, DATA_TOPICS, DEAD_LETTERS, TopicSpec

pytestmark = pytest.mark.integration

NOISE = bytes(range(256)) * 3_600  # 900 kB


@pytest.fixture(scope="module")
def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One deployment with one worker."""
    deployment = Deployment(servers, tmp_path_factory.mktemp("poison"), checkpoint_interval_s=0.1)
    deployment.start_worker().wait_ready()
    yield deployment
    deployment.close()


def good(topic: TopicSpec, key: str, number: int) -> dict[str, Any]:
    """A valid message of a topic, as a dict."""
    common = {"time": START_MS + number * 1000, "source": "test", "ingested": START_MS}
    match topic.name:
        case "stock-prices":
            return bar(key, START_MS + number * 1000).asdict()
        case "technical-indicators":
            return {
                "ticker": key,
                "interval": "1m",
                "time": START_MS + number * 1000,
                "values": {"beta": 1.0},
                "source": "test",
                "closed": True,
            }
        case "financial-news":
            return {"ticker": key, "id": f"n{number}", "title": "t"} | common
        case "twitter-sentiment" | "reddit-sentiment":
            platform = topic.name.partition("-")[0]
            return {"ticker": key, "platform": platform, "id": f"p{number}", "text": "t"} | common
        case _:
            known = {"series": key, "value": 1.0, "realtime_start": START_MS}
            return known | common


def poisons(topic: TopicSpec, key: str) -> list[tuple[str, bytes | None, str]]:
    """Messages to refuse: a name, the value, and a part of the reason."""
    valid = good(topic, key, 0)
    number = "values" if "values" in valid else "time"
    return [
        ("noise", NOISE, "not valid JSON"),
        ("not JSON", b"price: 12", "not valid JSON"),
        ("no object", b"[1, 2]", "must be a JSON object"),
        ("tombstone", None, "tombstone"),
        ("wrong type", orjson.dumps(valid | {number: "12"}), number),
        ("boolean", orjson.dumps(valid | {"time": True}), "time"),
        ("NaN", json.dumps(valid | {"time": float("nan")}).encode(), "time"),
        ("future", orjson.dumps(valid | {"time": 2**41 + 30 * DAY_MS}), "future"),
        ("missing", orjson.dumps({k: v for k, v in valid.items() if k != "source"}), "missing"),
        ("other key", orjson.dumps(good(topic, "OTHER", 0)), "key="),
    ]


def send(deployment: Deployment, topic: str, key: str, values: list[bytes | None]) -> None:
    """Put raw messages on a topic, as any producer may."""
    config = client_config(deployment.settings) | {"partitioner": "murmur2_random"}
    producer = Producer(config)
    for value in values:
        producer.produce(topic, value, key=key.encode())
    assert producer.flush(30) == 0


@pytest.mark.parametrize("topic", DATA_TOPICS.values(), ids=DATA_TOPICS)
def test_poison_is_set_aside_and_the_next_message_stored(
    running: Deployment, topic: TopicSpec
) -> None:
    """Every kind of poison, on every topic, each followed by a good message."""
    key = f"P{topic.name[:4].upper()}"
    bad = poisons(topic, key)
    values: list[bytes | None] = []
    for number, (_, value, _) in enumerate(bad):
        values += [value, orjson.dumps(good(topic, key, number) | {"unknown_field": number})]
    send(running, topic.name, key, values)
    running.drained()

    letters = list(running.database["dead_letters"].find({"topic": topic.name}).sort("offset"))
    assert [letter["value"] for letter in letters] == [value for _, value, _ in bad]
    for letter, (name, value, reason) in zip(letters, bad, strict=True):
        assert reason in letter["error"], name
        assert letter["key"] == key.encode()
        assert letter["size"] == len(value or b"")
        assert letter["_id"] == f"{topic.name}|{letter['partition']}|{letter['offset']}"
    where = {"series" if topic.name == "economic-indicators" else "ticker": key}
    collections = ("stock_prices", "news", "twitter_sentiment", "reddit_sentiment")
    stored = sum(
        running.database[name].count_documents(where)
        for name in (*collections, "economic_indicators")
    )
    assert stored == len(bad)
    assert running.workers[-1].process.poll() is None


def test_dead_letters_are_sent_with_the_first_64_kb(running: Deployment) -> None:
    """Other programs can follow the topic; MongoDB has the message whole."""
    send(running, "stock-prices", "BIG", [NOISE])
    running.drained()
    kept = running.database["dead_letters"].find_one({"key": b"BIG"})
    assert kept is not None
    place = kept["_id"].encode()
    consumer = running.broker.consumer(f"{running.settings.app_id}-letters")
    consumer.subscribe([DEAD_LETTERS.name])

    def letter() -> Any:
        message = consumer.poll(1)
        if message is None or message.value() is None:
            return None
        # Tests of other files send to this topic as well: the key says which message it was.
        return orjson.loads(message.value()) if message.key() == place else None

    found = eventually(letter, "the dead letter", 30)
    consumer.close()
    assert base64.b64decode(found["value"]) == NOISE[: 64 * 1024]
    assert (found["size"], found["agent"]) == (len(NOISE), "prices")
    assert "not valid JSON" in found["error"]


def test_what_is_too_large_to_be_kept_is_cut(running: Deployment) -> None:
    """A key and a name that escape to megabytes, and a value that is small only on its way."""
    packed = {"compression.type": "gzip", "message.max.bytes": 100_000_000}
    config = client_config(running.settings) | {"partitioner": "murmur2_random"} | packed
    producer = Producer(config)
    wordy = good(DATA_TOPICS["indicators"], "WORDY", 0) | {"values": {"\x01" * 400_000: 1.0}}
    sent = [
        ("stock-prices", b"\xff" * 900_000, b"{}"),
        ("technical-indicators", b"WORDY", orjson.dumps(wordy)),
        ("stock-prices", b"VAST", b"0" * 20_000_000),
    ]
    for topic, key, value in sent:
        producer.produce(topic, value, key=key)
    after = orjson.dumps(good(DATA_TOPICS["prices"], "VAST", 1))
    producer.produce("stock-prices", after, key=b"VAST")
    assert producer.flush(30) == 0
    running.drained()
    assert running.database["stock_prices"].count_documents({"ticker": "VAST"}) == 1
    for topic, key, value in sent:
        letter = running.database["dead_letters"].find_one({"topic": topic, "key": key})
        assert letter is not None
        assert letter["size"] == len(value)
        assert letter["value"] == value[:MOST_VALUE_BYTES]
        assert len(letter["error"]) <= MOST_REASON


def test_a_bad_command_is_set_aside(running: Deployment) -> None:
    """An unknown action."""
    value = orjson.dumps({"ticker": "AAPL", "action": "explode", "time": START_MS})
    send(running, COMMANDS.name, "AAPL", [value])
    running.drained()
    letter = running.database["dead_letters"].find_one({"topic": COMMANDS.name})
    assert letter is not None
    assert "recompute" in letter["error"]


def test_a_bar_on_another_partition_is_stored_without_indicators(running: Deployment) -> None:
    """A producer with another partitioner cannot spoil the state of the owner."""
    one = bar("ASTRAY", START_MS)
    producer = Producer(client_config(running.settings))
    from agents.services import partition_of  # the app's own rule

    own = partition_of("ASTRAY", running.settings.topic_partitions)
    astray = (own + 1) % running.settings.topic_partitions
    codec = DATA_TOPICS["prices"].codec
    assert codec is not None
    producer.produce("stock-prices", codec.encode(one), key=b"ASTRAY", partition=astray)
    assert producer.flush(30) == 0
    running.drained()
    stored = running.database["stock_prices"].find_one({"ticker": "ASTRAY"})
    assert stored is not None
    assert "indicators" not in stored
    assert running.workers[-1].says("partition by murmur2")


def test_the_samples_are_valid() -> None:
    """The good messages of this file are good, so what is refused is refused for its poison."""
    NEWS_ITEM.parse(good(DATA_TOPICS["news"], "A", 1))
    SOCIAL_POST.parse(good(DATA_TOPICS["reddit"], "A", 1))
    ECONOMIC_OBSERVATION.parse(good(DATA_TOPICS["economy"], "A", 1))
    COMMAND.parse({"ticker": "A", "action": "recompute", "time": START_MS})
