"""What becomes of bars: forming, closed, late, corrected, sent twice, rebuilt."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from agents.services import partition_of
from broker import client_config
from commands import order
from embedded.locate import Servers
from models import (
    BAR,
    INDICATOR_SNAPSHOT,
    INTEGRATION_TEST,
    OURSELVES,
    Bar,
    IndicatorSnapshot,
    recompute_orders,
)
from sinks.base import Document
from sinks.documents import bar_id
from tests.deployment import Deployment, bar
from tests.verify import START_MS, random_bars, wrong
from topics import STOCK_PRICES, TECHNICAL_INDICATORS, ticker_topic

pytestmark = pytest.mark.integration

MINUTE = 60_000


@pytest.fixture(scope="module")
def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One deployment with one worker; each test has tickers of its own."""
    deployment = Deployment(
        servers,
        tmp_path_factory.mktemp("prices"),
        topic_per_ticker=True,
        checkpoint_interval_s=0.1,
    )
    deployment.start_worker().wait_ready()
    yield deployment
    deployment.close()


def process(deployment: Deployment, *bars: Bar) -> None:
    """Send bars and return once they are processed."""
    deployment.send_bars(bars)
    deployment.drained()


def document(deployment: Deployment, one: Bar) -> Document:
    """The stored document of a bar."""
    where = {"_id": bar_id(one.ticker, one.interval, one.time)}
    found = deployment.database["stock_prices"].find_one(where)
    assert found is not None
    return found


def warm(deployment: Deployment, ticker: str, count: int = 40) -> list[Bar]:
    """Process ``count`` bars of a ticker; returns them."""
    bars = random_bars([ticker], count)
    process(deployment, *bars)
    return bars


def following(bars: list[Bar], **fields: Any) -> Bar:
    """The bar after the last of ``bars``."""
    fields = {"close": bars[-1].close} | fields
    return bar(bars[-1].ticker, bars[-1].time + MINUTE, **fields)


def right(deployment: Deployment, bars: list[Bar]) -> None:
    """Everything stored of these bars is right."""
    assert wrong(deployment.database, bars, deployment.settings.indicators) == []


def test_several_intervals_are_kept_apart(running: Deployment) -> None:
    """Each interval of a ticker has indicators of its own."""
    bars = random_bars(["MANY"], 40) + random_bars(["MANY"], 40, interval="5m", seed=2)
    process(running, *bars)
    right(running, bars)


def test_a_forming_bar_is_computed_on_a_copy(running: Deployment) -> None:
    """Its indicators are as if it closed so; the state goes on from the last closed bar."""
    bars = warm(running, "FORM")
    forming = [following(bars, closed=False, close=close) for close in (91.0, 92.0, 93.0)]
    for one in forming:
        process(running, one)
        right(running, [*bars, one])
    closed = following(bars)
    process(running, closed)
    right(running, [*bars, closed])


def test_a_forming_bar_never_replaces_a_closed_one(running: Deployment) -> None:
    """A stale poll comes after the close: what is stored stays."""
    bars = warm(running, "STALE")
    process(running, following(bars, closed=False, close=5.0))
    closed = following(bars)
    process(running, closed)
    process(running, following(bars, closed=False, close=6.0))
    right(running, [*bars, closed])


def test_closed_beats_forming_in_one_batch(running: Deployment) -> None:
    """Sent in one go, in both orders."""
    bars = warm(running, "GO")
    closed = following(bars)
    process(
        running,
        following(bars, closed=False, close=7.0),
        closed,
        following(bars, closed=False, close=8.0),
    )
    right(running, [*bars, closed])


def test_a_bar_sent_twice_counts_once(running: Deployment) -> None:
    """The same bars again, as a source does after a crash."""
    bars = warm(running, "TWICE")
    process(running, *bars[10:])
    more = following(bars)
    process(running, more, more)
    right(running, [*bars, more])


def test_a_late_bar_waits_for_recompute(running: Deployment) -> None:
    """It is stored without indicators and moves nothing, until the ticker is rebuilt."""
    bars = random_bars(["LATE"], 60)
    late = bars.pop(20)
    process(running, *bars)
    process(running, late)
    assert "indicators" not in document(running, late)
    right_without = [one for one in bars if one.time != late.time]
    before = document(running, right_without[-1])["indicators"]

    assert order(running.settings, recompute_orders(["LATE"]), wait_s=30)

    complete = sorted([*bars, late], key=lambda one: one.time)
    right(running, complete)
    assert document(running, right_without[-1])["indicators"] != before
    more = following(complete)
    process(running, more)
    right(running, [*complete, more])


def test_a_corrected_bar_is_taken_in_by_recompute(running: Deployment) -> None:
    """The last closed bar comes again with other prices."""
    bars = warm(running, "RIGHT")
    corrected = bars[-1].derive(close=bars[-1].high, volume=77.0)
    process(running, corrected)
    assert document(running, corrected)["volume"] == 77.0
    assert order(running.settings, recompute_orders(["RIGHT"]), wait_s=30)
    right(running, [*bars[:-1], corrected])


def test_indicators_of_others_live_beside_ours(running: Deployment) -> None:
    """Sent before the bar and after it; a recompute leaves them alone."""
    bars = random_bars(["BESIDE"], 30)
    with running.producer() as producer:
        early = {"time": bars[5].time, "value": 1.5, "interval": "1m"}
        producer.produce_indicator_data("BESIDE", "beta", early)
    running.drained()
    process(running, *bars)
    with running.producer() as producer:
        later = {"time": bars[29].time, "value": 2.5, "interval": "1m"}
        producer.produce_indicator_data("BESIDE", "alpha", later)
    running.drained()
    assert order(running.settings, recompute_orders(["BESIDE"]), wait_s=30)
    assert document(running, bars[5])["indicators"].pop("beta") == 1.5
    last = document(running, bars[29])["indicators"]
    assert last["alpha"] == 2.5
    assert last["obv"] is not None


def test_records_of_a_deployment_check_do_not_reach_state(running: Deployment) -> None:
    """Stored, but applied to nothing."""
    bars = warm(running, "CHECK")
    test = following(bars, source=INTEGRATION_TEST)
    process(running, test)
    assert "indicators" not in document(running, test)
    real = following(bars)
    process(running, real)
    right(running, [*bars, real])


@pytest.mark.parametrize("compression", ["gzip", "lz4", "snappy", "zstd"])
def test_producers_may_compress(running: Deployment, compression: str) -> None:
    """In whichever way that Kafka knows."""
    ticker = compression.upper()
    bars = random_bars([ticker], 40)
    options = {"partitioner": "murmur2_random", "compression.type": compression, "linger.ms": 100}
    producer = Producer(client_config(running.settings) | options)
    for one in bars:
        producer.produce(STOCK_PRICES.name, BAR.encode(one), key=ticker.encode())
    assert producer.flush(30) == 0
    running.drained()
    right(running, bars)


def test_snapshots_are_published_once_per_bar(running: Deployment) -> None:
    """On technical-indicators, under the ticker's key, with the values that are stored."""
    bars = warm(running, "SNAP", 30)
    consumer = running.broker.consumer("snapshots-of-a-test")
    consumer.subscribe([ticker_topic(TECHNICAL_INDICATORS.name, "SNAP")])
    snapshots: list[IndicatorSnapshot] = []
    while len(snapshots) < len(bars):
        message = consumer.poll(30)
        assert message is not None, f"{len(snapshots)} of {len(bars)} snapshots"
        snapshots.append(INDICATOR_SNAPSHOT.decode(message.key(), message.value()))
    assert consumer.poll(0.5) is None
    consumer.close()
    for one, snapshot in zip(bars, snapshots, strict=True):
        assert (snapshot.time, snapshot.source, snapshot.closed) == (one.time, OURSELVES, True)
        assert snapshot.values == document(running, one)["indicators"]


def test_views_by_ticker_hold_the_same_messages(running: Deployment) -> None:
    """`stock-prices.VIEW` has what `stock-prices` has under that key."""
    bars = warm(running, "VIEW", 10)
    name = ticker_topic(STOCK_PRICES.name, "VIEW")
    assert sum(running.broker.end_offsets([name]).values()) == len(bars)


def test_what_is_too_large_for_a_view_is_stored_all_the_same(running: Deployment) -> None:
    """Compressed, a message may be larger than what our producer sends."""
    one = bar("VAST", START_MS)
    options = {"partitioner": "murmur2_random", "compression.type": "gzip"}
    producer = Producer(
        client_config(running.settings) | options | {"message.max.bytes": 10_000_000}
    )
    value = orjson.dumps(one.asdict() | {"padding": "x" * 2_000_000})
    producer.produce(STOCK_PRICES.name, value, key=b"VAST")
    assert producer.flush(30) == 0
    running.drained()
    assert document(running, one)["indicators"]["obv"] == one.volume
    assert running.workers[-1].says("too large for stock-prices.VAST")


def test_views_that_cannot_be_created_hold_up_nothing(running: Deployment) -> None:
    """Kafka takes `stock-prices.XA.5EB` and `stock-prices.XA_5EB` for the same name."""
    bars = warm(running, "XA.5EB")
    refused = random_bars(["XA^B"], 40)
    # In one batch with a ticker whose view can be created.
    place = partition_of("XA^B", running.settings.topic_partitions)
    tickers = (f"XAB{n}" for n in itertools.count())
    near = next(
        one for one in tickers if partition_of(one, running.settings.topic_partitions) == place
    )
    other = bar(near, START_MS)
    process(running, *refused, other)
    process(running, following(refused))
    right(running, [*refused, following(refused)])
    assert document(running, other)["close"] == other.close
    names = [ticker_topic(STOCK_PRICES.name, ticker) for ticker in ("XA.5EB", near, "XA^B")]
    ends = running.broker.end_offsets(names[:2])
    counts = [sum(end for place, end in ends.items() if place[0] == name) for name in names[:2]]
    assert counts == [len(bars), 1]
    assert names[2] not in running.broker.partitions()
    said = running.workers[-1].log.read_text().count(f"{names[2]} has no copies")
    assert said == 1


def test_state_outlives_the_worker(running: Deployment, tmp_path: Path) -> None:
    """A new worker goes on where the last one stopped, without the old bars."""
    bars = warm(running, "NEXT")
    assert running.workers[-1].stop() == 0
    running.start_worker().wait_ready()
    more = [following(bars)]
    more.append(following(more))
    process(running, *more)
    right(running, [*bars, *more])
    assert bars[0].time == START_MS
