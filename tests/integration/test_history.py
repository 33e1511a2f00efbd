"""History in bulk on real servers: killed, late, shared out, spoilt and sent again."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import orjson
import pytest
from confluent_kafka.admin import AdminClient

from broker import client_config
from embedded.locate import Servers
from kafka_consumer import StockDataConsumer
from models import Bar
from models.quick_series import messages
from operations.dead_letters import DeadLetters
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.integration.conftest import Deploy
from tests.integration.test_crashes import check, reaches, stored
from tests.integration.test_poison import send
from tests.verify import random_bars, wrong
from topics import CONSUMED, PRICE_HISTORY, STOCK_PRICES

pytestmark = pytest.mark.integration

TICKERS = [f"H{n}" for n in range(20)]


def load(deployment: Deployment, bars: list[Bar]) -> None:
    """Put bars on `price-history`, acknowledged."""
    with deployment.producer() as producer:
        assert producer.produce_history(bars) == len(bars)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_kill_9_in_mid_load(deploy: Deploy) -> None:
    """Workers are killed while they work through history; live bars go on after it."""
    deployment = deploy(checkpoint_interval_s=0.1)
    bars = random_bars(TICKERS, 2_000)
    load(deployment, bars[:-200])
    for part in (0.1, 0.4):
        worker = deployment.start_worker()
        reaches(deployment, part * len(bars))
        worker.kill()
    assert stored(deployment) < len(bars) - 200
    deployment.start_worker()
    deployment.drained(timeout_s=90)
    deployment.send_bars(bars[-200:])
    check(deployment, bars)
    ends = deployment.broker.end_offsets([PRICE_HISTORY.name])
    (one,) = deployment.database["stock_prices"].find({"ticker": "H0"}).sort("time").limit(1)
    assert one["positions"].keys() == {PRICE_HISTORY.name}
    assert sum(ends.values()) > 0


@pytest.mark.timeout(120)
def test_live_bars_first_and_history_after_them(deploy: Deploy) -> None:
    """The workers see to it themselves: in the end all is as if it had come in order."""
    deployment = deploy(checkpoint_interval_s=0.1)
    deployment.start_worker().wait_ready()
    bars = random_bars(TICKERS[:3], 1_300)
    deployment.send_bars(bars[-60:])
    deployment.drained()
    load(deployment, bars[:-60])
    check(deployment, bars)
    # The same again: stored over, and computed again.
    load(deployment, bars)
    check(deployment, bars)


@pytest.mark.timeout(120)
def test_both_topics_of_a_ticker_go_to_one_worker(deploy: Deploy) -> None:
    deployment = deploy()
    workers = [deployment.start_worker() for _ in range(2)]
    for worker in workers:
        worker.wait_ready()
    eventually(lambda: shares(deployment) == [4, 4], "both have half of the partitions")
    bars = random_bars(TICKERS, 400)
    load(deployment, bars[:4_000])
    deployment.drained()
    deployment.send_bars(bars[4_000:])
    check(deployment, bars)


def shares(deployment: Deployment) -> list[int]:
    """How many partitions of history each worker has, which must be those of prices as well."""
    admin = AdminClient(client_config(deployment.settings))
    group = deployment.settings.app_id
    found = []
    for member in admin.describe_consumer_groups([group])[group].result().members:
        held: dict[str, set[int]] = defaultdict(set)
        for place in member.assignment.topic_partitions:
            held[place.topic].add(place.partition)
        assert held[PRICE_HISTORY.name] == held[STOCK_PRICES.name]
        found.append(len(held[PRICE_HISTORY.name]))
    return sorted(found)


def test_a_spoilt_series_is_set_aside_and_mended(deploy: Deploy) -> None:
    """Its dead letter names the row; what is sent again, mended, is stored."""
    deployment = deploy(checkpoint_interval_s=0.1)
    deployment.start_worker().wait_ready()
    bars = random_bars(["SPOILT"], 30)
    ((_, value),) = messages(bars, 1e15)
    fields = orjson.loads(value)
    spoilt = orjson.dumps(fields | {"close": [*fields["close"][:7], -1.0, *fields["close"][8:]]})
    send(deployment, PRICE_HISTORY.name, "SPOILT", [spoilt, None, b"[1]"])
    deployment.drained()
    letters = {
        one["value"]: one for one in deployment.database["dead_letters"].find({"key": b"SPOILT"})
    }
    assert letters.keys() == {spoilt, None, b"[1]"}
    assert letters[spoilt]["error"].startswith("row 7: close=-1.0: ")
    assert letters[spoilt]["agent"] == "history"
    with DeadLetters(deployment.settings) as kept:
        made = kept.replay(letters[spoilt]["_id"], value, again=False, wait_s=30)
    assert (made.processed, made.refused) == (True, None)
    assert made.stored == ("stock_prices", f"SPOILT|1m|{bars[0].time}")
    assert wrong(deployment.database, bars, deployment.settings.indicators) == []


def test_the_consumer_without_workers_stores_series_too(servers: Servers, tmp_path: Path) -> None:
    """Every bar, without indicators; among the prices its bars are counted."""
    deployment = Deployment(servers, tmp_path)
    try:
        bars = random_bars(["ALONE"], 1_200)
        load(deployment, bars)
        deployment.send_bars([random_bars(["ALONE"], 1_201)[-1]])
        send(deployment, PRICE_HISTORY.name, "ALONE", [b"{}"])
        group = f"{deployment.settings.app_id}-alone"
        for expected in (1_201, 0):
            with StockDataConsumer(deployment.settings, group=group) as consumer:
                consumer.consume_multiple_tickers(["ALONE"])
                counts = consumer.stop_consumers()
            assert counts["prices"] == expected
        (letter,) = deployment.database["dead_letters"].find({"key": b"ALONE"})
        assert (letter["topic"], letter["agent"]) == (PRICE_HISTORY.name, "prices")
        found = list(deployment.database["stock_prices"].find({"ticker": "ALONE"}).sort("time"))
        assert [one["close"] for one in found[:1_200]] == [one.close for one in bars]
        assert PRICE_HISTORY.name in CONSUMED
    finally:
        deployment.close()
