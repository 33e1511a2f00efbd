"""The producer against a real broker: what arrives, where, and what happens when nothing can."""

from __future__ import annotations

import doctest
import functools
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import Consumer, Message, TopicPartition

import config
import kafka_producer
import topics
from agents.services import partition_of
from broker import Broker, client_config
from config import Settings
from embedded.locate import Servers
from errors import BrokerUnavailable, ConfigurationError, InvalidRecord
from kafka_producer import FinancialDataProducer
from models import BAR, BAR_SERIES, NEWS_ITEM, Bar, intake
from topics import TopicSpec

TIME = 1_704_412_800_000
BAR_ROW: dict[str, Any] = {
    "time": TIME,
    "open": 181.99,
    "high": 182.76,
    "low": 180.17,
    "close": 181.18,
    "volume": 62_303_300,
}
#: Long enough for a slow machine, and a bound on tests that wait for an error.
TIMEOUT_S = 20.0

Calls = dict[str, tuple[TopicSpec, Callable[[FinancialDataProducer, str, list[Any]], int], Any]]
CALLS: Calls = {
    "stock": (topics.STOCK_PRICES, FinancialDataProducer.produce_stock_data, BAR_ROW),
    "indicator": (
        topics.TECHNICAL_INDICATORS,
        lambda producer, key, rows: producer.produce_indicator_data(key, "my_score", rows),
        {"time": TIME, "value": 0.5},
    ),
    "news": (
        topics.FINANCIAL_NEWS,
        FinancialDataProducer.produce_news_data,
        {"time": TIME, "title": "Überraschung"},
    ),
    "twitter": (
        topics.TWITTER_SENTIMENT,
        FinancialDataProducer.produce_twitter_sentiment,
        {"time": TIME, "text": "up"},
    ),
    "reddit": (
        topics.REDDIT_SENTIMENT,
        FinancialDataProducer.produce_reddit_sentiment,
        {"time": TIME, "text": "down"},
    ),
    "economic": (
        topics.ECONOMIC_INDICATORS,
        FinancialDataProducer.produce_economic_data,
        {"time": TIME, "value": 3.7},
    ),
}
EACH = pytest.mark.parametrize(("topic", "produce", "row"), CALLS.values(), ids=CALLS)


def unique() -> str:
    """Return a ticker that no other test uses."""
    return f"T{uuid.uuid4().hex[:16].upper()}"


def options(address: str, **changes: Any) -> Settings:
    return config.read_settings(
        **{"kafka_bootstrap_servers": address, "kafka_timeout_s": TIMEOUT_S} | changes
    )


@pytest.fixture(scope="module")
def settings(servers: Servers) -> Settings:
    found = options(servers.kafka)
    with Broker(found) as broker:
        # Other tests may have made the topics with a partition count of their own.
        partitions = broker.partitions().get(topics.STOCK_PRICES.name, found.topic_partitions)
    found = options(servers.kafka, topic_partitions=partitions)
    with Broker(found) as broker:
        broker.ensure_topics()
        wait_for_leaders(broker, [spec.name for spec in topics.ALL_TOPICS])
    return found


def wait_for_leaders(broker: Broker, names: list[str]) -> None:
    """Wait until every partition of new topics has a broker that answers for it."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            broker.end_offsets(names)
        except BrokerUnavailable:
            assert time.monotonic() < deadline
        else:
            return


@pytest.fixture(scope="module")
def producer(settings: Settings) -> Iterator[FinancialDataProducer]:
    with FinancialDataProducer(settings) as made:
        yield made


@contextmanager
def reading(settings: Settings, topic: str) -> Iterator[Callable[[str, int], list[Message]]]:
    """Yield what reads, from messages sent from now on, so many of those with a key."""
    with Broker(settings) as broker:
        ends = broker.end_offsets([topic])
        consumer: Consumer = broker.consumer(f"test-{uuid.uuid4()}")
    consumer.assign([TopicPartition(name, number, end) for (name, number), end in ends.items()])

    def read(key: str, count: int) -> list[Message]:
        found: list[Message] = []
        deadline = time.monotonic() + TIMEOUT_S
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None and message.key() == key.encode():
                found.append(message)
        return found

    try:
        yield read
    finally:
        consumer.close()


def count_of(settings: Settings, topic: str) -> int:
    """Return how many messages the topic has ever had."""
    with Broker(settings) as broker:
        return sum(broker.end_offsets([topic]).values())


@contextmanager
def own_topic(settings: Settings, **config_of_topic: str) -> Iterator[TopicSpec]:
    """Yield a topic of bars for one test alone."""
    spec = TopicSpec(f"test-{uuid.uuid4()}", BAR, config_of_topic)
    with Broker(settings) as broker:
        broker.ensure_topics([spec])
        wait_for_leaders(broker, [spec.name])
        yield spec
        broker.delete_topics([spec.name])


@pytest.mark.integration
@EACH
def test_what_was_sent_arrives(
    settings: Settings,
    producer: FinancialDataProducer,
    topic: TopicSpec,
    produce: Callable[[FinancialDataProducer, str, list[Any]], int],
    row: dict[str, Any],
) -> None:
    key = unique()
    rows = [row | {"time": TIME + minute * 60_000} for minute in (2, 0, 1)]
    with reading(settings, topic.name) as read:
        assert produce(producer, key, rows) == 3
        messages = read(key, 3)
    assert topic.codec is not None
    records = [topic.codec.decode(message.key(), message.value()) for message in messages]
    assert [(record.time - TIME) // 60_000 for record in records] == [0, 1, 2]
    assert {getattr(record, topic.codec.key) for record in records} == {key}
    assert {getattr(record, "source", None) for record in records} == {"api"}


@pytest.mark.integration
def test_keys_are_partitioned_as_kafka_and_faust_do(
    settings: Settings, producer: FinancialDataProducer
) -> None:
    for _ in range(20):
        ticker = unique()
        with reading(settings, topics.STOCK_PRICES.name) as read:
            assert producer.produce_stock_data(ticker, BAR_ROW) == 1
            (message,) = read(ticker, 1)
        expected = (murmur2(ticker.encode()) & 0x7FFFFFFF) % settings.topic_partitions
        assert message.partition() == expected


@pytest.mark.integration
def test_the_timestamp_is_the_time_of_sending(
    settings: Settings, producer: FinancialDataProducer
) -> None:
    ticker = unique()
    with reading(settings, topics.STOCK_PRICES.name) as read:
        before = int(time.time() * 1000)
        producer.produce_stock_data(ticker, BAR_ROW)
        (message,) = read(ticker, 1)
    assert before <= message.timestamp()[1] <= time.time() * 1000


@pytest.mark.integration
def test_a_frame_larger_than_the_queue(settings: Settings, producer: FinancialDataProducer) -> None:
    index = pd.date_range("2020-01-01", periods=25_000, freq="min", tz="UTC")
    prices = dict.fromkeys(("Open", "High", "Low", "Close"), 100.0)
    frame = pd.DataFrame(prices | {"Volume": 1, "interval": "1m"}, index=index)
    with own_topic(settings) as spec:
        assert producer.produce_records(spec, intake.bars("AAPL", frame)) == len(frame)
        assert count_of(settings, spec.name) == len(frame)


def a_bar(ticker: str, **changes: Any) -> Bar:
    return intake.bars(ticker, BAR_ROW | changes)[0]


@pytest.mark.integration
def test_a_bad_row_sends_nothing(settings: Settings, producer: FinancialDataProducer) -> None:
    with own_topic(settings) as spec:
        good = a_bar("AAPL")
        with pytest.raises(InvalidRecord, match="row 2: open=True"):
            producer.produce_records(spec, [good, good, good.derive(open=True)])
        with pytest.raises(InvalidRecord, match=r"row 1: .*is no Bar"):
            producer.produce_records(spec, [good, NEWS_ITEM.record])  # type: ignore[list-item]
        assert count_of(settings, spec.name) == 0
        assert producer.produce_records(spec, [good]) == 1
        assert count_of(settings, spec.name) == 1


@pytest.mark.integration
def test_a_message_larger_than_its_topic_takes(
    settings: Settings, producer: FinancialDataProducer
) -> None:
    with own_topic(settings, **{"max.message.bytes": "200"}) as spec:
        rows = [a_bar("A"), a_bar("B", source="x" * 250), a_bar("C")]
        with pytest.raises(InvalidRecord, match=r"bytes.*max\.message\.bytes.*of 3") as caught:
            producer.produce_records(spec, rows)
    assert caught.value.field == "message"
    assert caught.value.row is not None


@pytest.mark.integration
def test_a_topic_that_does_not_exist_is_not_created(
    settings: Settings, producer: FinancialDataProducer
) -> None:
    spec = TopicSpec(f"missing-{uuid.uuid4()}", BAR)
    with pytest.raises(ConfigurationError, match="create_topics") as caught:
        producer.produce_records(spec, [a_bar("AAPL")])
    assert spec.name in str(caught.value)
    with Broker(settings) as broker:
        assert spec.name not in broker.partitions()


@pytest.mark.integration
def test_a_topic_that_was_deleted_behind_our_back(
    settings: Settings, producer: FinancialDataProducer
) -> None:
    with own_topic(settings) as spec:
        assert producer.produce_records(spec, [a_bar("AAPL")]) == 1
    with pytest.raises((ConfigurationError, BrokerUnavailable)):
        producer.produce_records(spec, [a_bar("AAPL")])
    assert producer.produce_stock_data(unique(), BAR_ROW) == 1


@pytest.mark.integration
def test_calls_from_several_threads(settings: Settings, producer: FinancialDataProducer) -> None:
    counts: list[int] = []
    with own_topic(settings) as spec:

        def work() -> None:
            counts.append(producer.produce_records(spec, [a_bar("AAPL")] * 500))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == [500] * 4
        assert count_of(settings, spec.name) == 2_000


@pytest.mark.integration
def test_history_travels_in_series(settings: Settings, producer: FinancialDataProducer) -> None:
    ticker = unique()
    one = a_bar(ticker)
    bars = [one.derive(time=60_000 * number) for number in range(1_100)]
    with reading(settings, topics.PRICE_HISTORY.name) as read:
        assert producer.produce_history(bars) == len(bars)
        found = read(ticker, 3)
    series = [BAR_SERIES.decode(message.key(), message.value()) for message in found]
    assert [len(one.time) for one in series] == [500, 500, 100]
    assert [time for one in series for time in one.time] == [one.time for one in bars]
    partitions = {message.partition() for message in found}
    assert partitions == {partition_of(ticker, settings.topic_partitions)}


@pytest.mark.integration
def test_one_bad_bar_of_history_sends_nothing(
    settings: Settings, producer: FinancialDataProducer
) -> None:
    before = count_of(settings, topics.PRICE_HISTORY.name)
    bars = [a_bar(unique()).derive(time=60_000 * number) for number in range(3)]
    with pytest.raises(InvalidRecord, match="row 2: close=-1: "):
        producer.produce_history([*bars[:2], bars[2].derive(close=-1)])
    with pytest.raises(InvalidRecord, match="row 1: closed=False: history is of closed bars"):
        producer.produce_history([bars[0], bars[1].derive(closed=False)])
    assert producer.produce_history([]) == 0
    assert count_of(settings, topics.PRICE_HISTORY.name) == before


EXAMPLES = [
    example
    for example in doctest.DocTestFinder().find(kafka_producer, "kafka_producer")
    if example.examples
]


@pytest.mark.integration
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_examples_run(
    settings: Settings, producer: FinancialDataProducer, example: doctest.DocTest
) -> None:
    maker = functools.partial(FinancialDataProducer, settings)
    example.globs |= {"producer": producer, "FinancialDataProducer": maker}
    names = {name: unique() for name in ("AAPL", "UNRATE")}
    for line, (name, other) in itertools.product(example.examples, names.items()):
        line.source = line.source.replace(name, other)
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert not report


def test_every_method_has_an_example() -> None:
    methods = [name for name in vars(FinancialDataProducer) if name.startswith("produce_")]
    shown = {example.name.rpartition(".")[2] for example in EXAMPLES}
    assert len(methods) == 8
    assert shown == {*methods, "FinancialDataProducer"}


def test_no_rows_need_no_broker() -> None:
    with FinancialDataProducer(options("127.0.0.1:1")) as producer:
        for _, produce, _ in CALLS.values():
            assert produce(producer, "AAPL", []) == 0
        assert producer.produce_stock_data("AAPL", pd.DataFrame()) == 0
        with pytest.raises(InvalidRecord):
            producer.produce_stock_data("", BAR_ROW)


def test_a_closed_producer_says_so() -> None:
    with FinancialDataProducer(options("127.0.0.1:1")) as producer:
        pass
    producer.close()
    with pytest.raises(RuntimeError, match="closed"):
        producer.produce_stock_data("AAPL", BAR_ROW)


def test_settings_that_do_not_go_together(tmp_path: Any) -> None:
    broken = options("127.0.0.1:1", kafka_security_protocol="SSL", kafka_ssl_ca_file=tmp_path / "x")
    with pytest.raises(ConfigurationError, match="KAFKA_SSL_CA_FILE"):
        FinancialDataProducer(broken)


def test_a_topic_without_records_takes_none() -> None:
    producer = FinancialDataProducer(options("127.0.0.1:1"))
    with pytest.raises(ConfigurationError, match="dead-letters"):
        producer.produce_records(topics.DEAD_LETTERS, [])


def test_the_broker_is_asked_for_every_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr("delivery.Producer", made.append)
    settings = options("127.0.0.1:1", kafka_timeout_s=7)
    FinancialDataProducer(settings)
    (used,) = made
    assert client_config(settings).items() <= used.items()
    assert (used["acks"], used["enable.idempotence"]) == ("all", True)
    assert (used["partitioner"], used["message.timeout.ms"]) == ("murmur2_random", 7_000)
