"""StockDataConsumer on a real Kafka and a real MongoDB."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from pymongo.database import Database

from broker import Broker
from config import Settings, read_settings
from consuming import loop
from consuming.messages import bury_refused
from embedded.locate import Servers
from embedded.mongo import EmbeddedMongo
from errors import BrokerUnavailable, ConfigurationError, InvalidRecord, StoreUnavailable
from integration_check.samples import Run, samples
from kafka_consumer import StockDataConsumer, group_name
from kafka_producer import FinancialDataProducer
from models import OURSELVES
from sinks import MongoSink, Origin, Refusal, Write
from sinks.base import Document
from sinks.mongo import connect, database
from tests.eventually import eventually
from topics import DATA_TOPICS

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parent.parent


def new_ticker() -> str:
    return f"T{uuid4().hex[:12].upper()}"


@dataclass(frozen=True)
class Trial:
    """A ticker and a group that nobody else has, on servers that all tests share."""

    settings: Settings
    store: Database[Document]
    producer: FinancialDataProducer
    ticker: str = field(default_factory=new_ticker)
    group: str = field(default_factory=lambda: f"test-{uuid4().hex}")

    def consumer(self) -> StockDataConsumer:
        return StockDataConsumer(self.settings, group=self.group)

    def consume(self, *tickers: str, group: str | None = None) -> dict[str, int]:
        """Consume all there is of the tickers (of the trial's own by default)."""
        with StockDataConsumer(self.settings, group=group or self.group) as consumer:
            consumer.consume_multiple_tickers(tickers or [self.ticker])
            return consumer.stop_consumers()

    def send_bars(self, prices: Iterable[float], ticker: str | None = None, **more: Any) -> None:
        """Send bars of consecutive seconds from 2020 on, each at one price."""
        rows = [
            {
                "time": 1_577_836_800_000 + number * 1_000,
                "interval": "1s",
                **dict.fromkeys(("open", "high", "low", "close"), price),
                "volume": 1.0,
                **more,
            }
            for number, price in enumerate(prices)
        ]
        assert self.producer.produce_stock_data(ticker or self.ticker, rows) == len(rows)

    def send_raw(self, topic: str, key: str | None, *values: bytes | None) -> None:
        """Send bytes as they are, which the program's own producer would not do."""
        address = self.settings.kafka_bootstrap_servers
        raw = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random"})
        for value in values:
            raw.produce(topic, key=key, value=value)
        assert raw.flush(15) == 0

    def bars(self, *tickers: str) -> int:
        """Return how many bars are stored."""
        wanted = {"$in": list(tickers) or [self.ticker]}
        return self.store.stock_prices.count_documents({"ticker": wanted})

    def documents(self) -> list[Document]:
        """Return everything that is stored of the ticker."""
        names = ("stock_prices", "news", "twitter_sentiment", "reddit_sentiment")
        found = (self.store[name].find({"ticker": self.ticker}).sort("_id") for name in names)
        return [document for documents in found for document in documents]


@pytest.fixture(scope="module")
def shared(servers: Servers) -> Iterator[Trial]:
    settings = read_settings(
        kafka_bootstrap_servers=servers.kafka,
        mongodb_uri=servers.mongodb,
        mongodb_database=f"consumer_{uuid4().hex}",
        kafka_timeout_s=15,
        mongodb_timeout_s=5,
    )
    with Broker(settings) as broker:
        broker.ensure_topics()
    with connect(settings) as client, FinancialDataProducer(settings) as producer:
        yield Trial(settings, database(client, settings), producer)
        client.drop_database(settings.mongodb_database)


@pytest.fixture
def trial(shared: Trial) -> Trial:
    return Trial(shared.settings, shared.store, shared.producer)


def test_all_six_kinds_are_stored_once_with_every_field(trial: Trial) -> None:
    sent = samples(Run(), [trial.ticker])
    assert [one.send(trial.producer) for one in sent] == [one.messages for one in sent]
    counts = trial.consume()
    # The economic series of other tests are everybody's, too.
    assert counts.pop("economy") >= 1
    del counts["dead_letters"]
    assert counts == {one.kind: one.messages for one in sent if one.kind != "economy"}
    for sample in sent:
        for expected in sample.documents:
            shown = dict.fromkeys(expected.ignored, False) or None
            found = trial.store[expected.collection].find(expected.identity, shown)
            assert list(found) == [expected.document]


def test_consuming_everything_again_changes_nothing(trial: Trial) -> None:
    for sample in samples(Run(), [trial.ticker]):
        sample.send(trial.producer)
    first = trial.consume()
    before = trial.documents()
    again = trial.consume(group=f"{trial.group}-again")
    assert again["prices"] == first["prices"] == 6
    assert trial.documents() == before
    assert trial.consume()["prices"] == 0


def test_a_closed_bar_is_not_replaced_by_a_provisional_one(trial: Trial) -> None:
    for closed, price in ((False, 1.0), (True, 2.0), (False, 3.0)):
        trial.send_bars([price], closed=closed)
        assert trial.consume()["prices"] == 1
    (bar,) = trial.documents()
    assert (bar["close"], bar["closed"]) == (2.0, True)


def test_indicators_of_a_bar_stay_as_they_are(trial: Trial) -> None:
    time_ms = 1_577_836_800_000
    key = f"{trial.ticker}|1s|{time_ms}"
    trial.store.stock_prices.insert_one(
        {"_id": key, "ticker": trial.ticker, "closed": True, "indicators": {"rsi": 50.0}}
    )
    trial.send_bars([5.0])
    row = {"time": time_ms, "interval": "1s"}
    trial.producer.produce_indicator_data(trial.ticker, "mine", row | {"value": 2})
    # What the workers publish is stored with its bar already.
    ours = row | {"value": 99.0, "source": OURSELVES}
    trial.producer.produce_indicator_data(trial.ticker, "rsi", ours)
    assert trial.consume()["indicators"] == 1
    (stored,) = trial.documents()
    assert stored["close"] == 5.0
    assert stored["indicators"] == {"rsi": 50.0, "mine": 2.0}


@pytest.mark.parametrize("kind", DATA_TOPICS)
def test_what_cannot_be_decoded_is_kept_and_what_follows_is_stored(trial: Trial, kind: str) -> None:
    topic = DATA_TOPICS[kind].name
    (sample,) = (one for one in samples(Run(), [trial.ticker]) if one.kind == kind)
    key = sample.documents[0].identity["series"] if kind == "economy" else trial.ticker
    poison = [b"no JSON", b"{}", b"\xff" * 900_000, None, b'{"ticker": true, "close": NaN}']
    trial.send_raw(topic, key, *poison)
    sample.send(trial.producer)
    counts = trial.consume()
    assert counts[kind] >= sample.messages
    assert counts["dead_letters"] >= len(poison)
    letters = list(trial.store.dead_letters.find({"key": key.encode()}).sort("offset"))
    assert [letter["value"] for letter in letters] == poison
    assert {letter["agent"] for letter in letters} == {kind}
    assert all(letter["error"] for letter in letters)
    assert all(f"{topic}|{one['partition']}|{one['offset']}" == one["_id"] for one in letters)
    for expected in sample.documents:
        assert trial.store[expected.collection].count_documents(expected.identity) == 1
    trial.consume(group=f"{trial.group}-again")
    assert list(trial.store.dead_letters.find({"key": key.encode()}).sort("offset")) == letters


def test_other_tickers_are_passed_over_and_committed(trial: Trial) -> None:
    other = new_ticker()
    trial.send_bars([1.0, 2.0])
    trial.send_bars([3.0], other)
    trial.send_raw("stock-prices", other, b"garbage")
    trial.send_raw("stock-prices", None, b"garbage")
    assert trial.consume()["prices"] == 2
    assert trial.bars(other) == 0
    assert trial.store.dead_letters.count_documents({"key": {"$in": [other.encode(), None]}}) == 0
    names = [spec.name for spec in DATA_TOPICS.values()]
    with Broker(trial.settings) as broker:
        lag = broker.lag(group_name(trial.group, [trial.ticker]), names)
    assert set(lag.values()) == {0}
    # Another set of tickers has another group, and so misses nothing.
    assert trial.consume(other)["prices"] == 1


def test_a_second_call_adds_tickers_and_one_without_a_start_stops_nothing(trial: Trial) -> None:
    ticker, other = trial.ticker, new_ticker()
    zeros = dict.fromkeys([*DATA_TOPICS, "dead_letters"], 0)
    trial.send_bars([1.0, 2.0])
    trial.send_bars([3.0], other)
    with trial.consumer() as consumer:
        assert consumer.stop_consumers() == zeros
        consumer.consume_multiple_tickers([ticker])
        consumer.consume_multiple_tickers([other.lower(), ticker])
        consumer.consume_multiple_tickers([other])
        names = [group_name(trial.group, [name]) for name in (ticker, other)]
        assert consumer.groups == names
        eventually(lambda: consumer.counts["prices"] == 3, "all bars are stored")
        assert consumer.stop_consumers()["prices"] == 3
        assert consumer.stop_consumers() == zeros
        trial.send_bars([4.0])
        consumer.consume_multiple_tickers([ticker])
        assert consumer.stop_consumers()["prices"] == 1


def test_consumers_of_the_same_tickers_share_the_work(trial: Trial) -> None:
    tickers = [new_ticker() for _ in range(8)]
    for ticker in tickers:
        trial.send_bars([1.0], ticker)
    with trial.consumer() as one, trial.consumer() as another:
        one.consume_multiple_tickers(tickers)
        another.consume_multiple_tickers(tickers)
        stored = one.stop_consumers()["prices"] + another.stop_consumers()["prices"]
    assert stored >= len(tickers)
    assert trial.bars(*tickers) == len(tickers)


@pytest.mark.parametrize(
    ("tickers", "named"),
    [([], "tickers"), ("AAPL", "tickers"), (["AAPL", "../x"], "../x"), ([7], "7"), ([""], "''")],
)
def test_what_is_no_ticker_is_refused_before_anything_starts(
    trial: Trial, tickers: Any, named: str
) -> None:
    with trial.consumer() as consumer, pytest.raises(InvalidRecord) as caught:
        consumer.consume_multiple_tickers(tickers)
    assert named in str(caught.value)
    assert consumer.groups == []


def test_no_broker_is_an_error_in_bounded_time() -> None:
    nowhere = read_settings(kafka_bootstrap_servers="127.0.0.1:1", kafka_timeout_s=1)
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1"):
        StockDataConsumer(nowhere).consume_multiple_tickers(["AAPL"])
    assert time.monotonic() - began < 15


def test_missing_topics_are_named(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broker, "partitions", lambda _: {"stock-prices": 8})
    with pytest.raises(ConfigurationError, match=r"financial-news, .* create them"):
        trial.consumer().consume_multiple_tickers(["AAPL"])


def test_a_crash_in_the_background_is_raised_when_stopping(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.send_bars([1.0])

    def break_down(*_: object) -> None:
        raise ZeroDivisionError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(MongoSink, "write", break_down)
        consumer = trial.consumer()
        consumer.consume_multiple_tickers([trial.ticker])
        with pytest.raises(ZeroDivisionError, match="broken"):
            consumer.stop_consumers()
    assert trial.bars() == 0
    assert trial.consume()["prices"] == 1


def test_an_error_in_the_body_stops_at_once_and_loses_nothing(trial: Trial) -> None:
    trial.send_bars([1.0, 2.0])

    def fail() -> None:
        with trial.consumer() as consumer:
            consumer.consume_multiple_tickers([trial.ticker])
            raise RuntimeError("in the body")

    with pytest.raises(RuntimeError, match="in the body"):
        fail()
    assert not any(trial.group in thread.name for thread in threading.enumerate())
    trial.consume()
    assert trial.bars() == 2


def test_too_little_time_leaves_the_rest_to_the_next_start(trial: Trial) -> None:
    trial.send_bars([1.0])
    consumer = trial.consumer()
    consumer.consume_multiple_tickers([trial.ticker])
    early = consumer.stop_consumers(timeout_s=0)["prices"]
    assert early + trial.consume()["prices"] >= 1
    assert trial.bars() == 1


def test_an_outage_of_mongodb_is_waited_out(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = threading.Event()

    class Watched(MongoSink):
        def write(self, writes: Sequence[Write]) -> list[Refusal]:
            try:
                return super().write(writes)
            except StoreUnavailable:
                refused.set()
                raise

    monkeypatch.setattr(loop, "MongoSink", Watched)
    mongodb = EmbeddedMongo(tmp_path, log=lambda _: None, avoid_usual_port=True)
    mongodb.start()
    try:
        here = read_settings(
            kafka_bootstrap_servers=trial.settings.kafka_bootstrap_servers,
            mongodb_uri=mongodb.uri,
            kafka_timeout_s=2,
            mongodb_timeout_s=0.5,
        )
        with StockDataConsumer(here, group=trial.group) as consumer:
            consumer.consume_multiple_tickers([trial.ticker])
            trial.send_bars([1.0])
            eventually(lambda: consumer.counts["prices"] == 1, "the first bar is stored")
            mongodb.kill()
            trial.send_bars([1.0, 2.0, 3.0])
            assert refused.wait(30)
            mongodb.start()
            eventually(lambda: consumer.counts["prices"] == 4, "what came meanwhile is stored")
            # One that lasts longer than anybody waits: said, and nothing is lost.
            mongodb.kill()
            trial.send_bars([1.0, 2.0, 3.0, 4.0])
            with pytest.raises(StoreUnavailable):
                consumer.stop_consumers()
        mongodb.start()
        patient = here.model_copy(update={"kafka_timeout_s": 30.0, "mongodb_timeout_s": 10.0})
        with StockDataConsumer(patient, group=trial.group) as consumer:
            consumer.consume_multiple_tickers([trial.ticker])
            assert consumer.stop_consumers()["prices"] >= 4
        with connect(patient) as client:
            stored = database(client, here).stock_prices.find({"ticker": trial.ticker})
            assert sorted(bar["close"] for bar in stored) == [1.0, 2.0, 3.0, 4.0]
    finally:
        mongodb.kill()


#: The group waits that long for a member that died: shorter than in earnest.
PROGRAM = """
import signal, sys
from consuming import loop
from kafka_consumer import StockDataConsumer

loop._OPTIONS["session.timeout.ms"] = 6_000
StockDataConsumer(group=sys.argv[1]).consume_multiple_tickers([sys.argv[2]])
signal.pause()
"""


def test_a_killed_process_goes_on_where_nothing_is_missing(trial: Trial) -> None:
    number = 20_000
    trial.send_bars(range(1, number + 1))
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": trial.settings.kafka_bootstrap_servers,
        "MONGODB_URI": trial.settings.mongodb_uri.get_secret_value(),
        "MONGODB_DATABASE": trial.settings.mongodb_database,
    }
    with subprocess.Popen(  # noqa: S603 - arguments of our own
        [sys.executable, "-c", PROGRAM, trial.group, trial.ticker], cwd=ROOT, env=environment
    ) as process:
        try:
            eventually(trial.bars, "the first bars are stored")
        finally:
            process.kill()
    trial.consume()
    assert sorted(bar["close"] for bar in trial.documents()) == list(range(1, number + 1))


def test_what_mongodb_refuses_becomes_a_dead_letter() -> None:
    message = Origin("stock-prices", 3, 14, b"AAPL", b"{}")
    write = Write("stock_prices", "AAPL|1d|0", {"close": 1.0}, origins=(message,))
    bulk = bury_refused([Refusal(write, "MongoDB: too large")])
    assert bulk.counts == {"dead_letters": 1, "prices": -1}
    (letter,) = bulk.writes
    assert letter.id == "stock-prices|3|14"
    assert letter.document["error"] == "MongoDB: too large"
