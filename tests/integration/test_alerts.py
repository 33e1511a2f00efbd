"""Alerts with real workers that are killed: exactly those of a batch over the same messages."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import TopicPartition

from alerts import AlertState, Event, RuleBook, load
from indicators import IndicatorSet, Ohlcv, parse
from indicators.rolling_sentiment import RollingSentiment
from models import ALERT, NEWS_ITEM, Bar, NewsItem
from sinks.base import Document
from sinks.documents import as_ms
from tests.alerts.receiver import Receiver, receiving
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.integration.conftest import HOLDING_BACK, Deploy
from tests.verify import START_MS, random_bars
from topics import ALERTS, FINANCIAL_NEWS, STOCK_PRICES

pytestmark = pytest.mark.integration

TICKERS = [f"T{n}" for n in range(12)]
MINUTE = 60_000

RULES = """
[webhooks]
ops = "{url}/hook"

[[rule]]
name = "oversold"
when = "rsi < 35"
message = "{{ticker}}: {{rsi:.1f}} at {{close:.2f}}"

[[rule]]
name = "crossing"
when = "close crosses above sma"
cooldown = "20m"
severity = "info"
webhooks = []

[[rule]]
name = "few"
when = "abs(roc) > 4 and volume > 2000"
tickers = ["T1", "T2", "T3"]
severity = "critical"

[[rule]]
name = "bad press"
when = "news.sentiment < -0.1"
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that fails at first."""
    with receiving(503, 500) as found:
        yield found


@pytest.fixture
def rules(receiver: Receiver, tmp_path: Path) -> Path:
    """The rules file."""
    path = tmp_path / "alerts.toml"
    path.write_text(RULES.format(url=receiver.url), encoding="utf-8")
    return path


def headlines(count: int) -> list[NewsItem]:
    """News of all tickers, from very good to very bad."""
    chance = random.Random(3)
    return [
        NEWS_ITEM.parse(
            {
                "ticker": ticker,
                "id": f"n{n}",
                "time": START_MS + 10 * MINUTE * n,
                "title": "t",
                "source": "test",
                "ingested": START_MS,
                "sentiment": chance.uniform(-1, 1),
            }
        )
        for n in range(count)
        for ticker in TICKERS
    ]


def batch(
    book: RuleBook, bars: Sequence[Bar], news: Sequence[NewsItem], settings: Any
) -> dict[str, dict[str, Any]]:
    """The alerts of all messages, looked at in one go and ticker by ticker."""
    found: dict[str, dict[str, Any]] = {}
    for ticker in TICKERS:
        state, kept = AlertState(0), IndicatorSet(parse(settings.indicators))
        firings = []
        for bar in (one for one in bars if one.ticker == ticker):
            prices = Ohlcv(bar.open, bar.high, bar.low, bar.close, bar.volume)
            kept.update(prices)
            event = Event(
                f"{bar.interval}|{bar.time}",
                bar.time,
                {**kept.values(), **prices._asdict()},
                bar.interval,
            )
            firings += state.take(book.at("bar", ticker, bar.interval), event)
        rolling = RollingSentiment(settings.sentiment_half_life_s)
        for item in (one for one in news if one.ticker == ticker):
            assert item.sentiment is not None
            rolling.add(item.id, item.time, item.sentiment, 1.0)
            values = {"news.sentiment": rolling.mean}
            event = Event(f"news|{item.id}", item.time, values)
            firings += state.take(book.at("news", ticker), event)
        alerts = [firing.alert(ticker) for firing in firings]
        assert len({alert["id"] for alert in alerts}) == len(alerts)
        found |= {alert["id"]: alert for alert in alerts}
    return found


def stored(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The alerts in MongoDB, without what depends on when they were noticed."""
    found = {}
    for document in deployment.database["alerts"].find():
        del document["ingested"]
        document.pop("deliveries", None)
        document["time"] = as_ms(document["time"])
        found[document.pop("_id")] = document
    return found


def sent(deployment: Deployment) -> list[str]:
    """The ids on the topic, repetitions and other tests' included."""
    consumer = deployment.broker.consumer(f"{deployment.settings.app_id}-look")
    ends = deployment.broker.end_offsets([ALERTS.name])
    consumer.assign([TopicPartition(topic, part, 0) for topic, part in ends])
    found: list[str] = []
    left = {place for place, end in ends.items() if end}
    while left:
        message = consumer.poll(30)
        assert message is not None
        found.append(ALERT.decode(message.key(), message.value()).id)
        place = message.topic(), message.partition()
        if message.offset() == ends[place] - 1:
            left.discard(place)
    consumer.close()
    return found


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "app", ["app", "tests.integration.slow_commit", "tests.integration.alerts_ahead"]
)
def test_alerts_are_those_of_a_batch_after_a_kill(
    deploy: Deploy, rules: Path, receiver: Receiver, app: str
) -> None:
    deployment = deploy(
        checkpoint_interval_s=0.2, alert_rules=rules, alert_webhook_max_age_days=36_500
    )
    bars, news = random_bars(TICKERS, 300), headlines(40)
    book = load(rules, parse(deployment.settings.indicators).outputs)
    expected = batch(book, bars, news, deployment.settings)
    assert {one["rule"] for one in expected.values()} == {rule.name for rule in book.rules}
    worker = deployment.start_worker(app)
    worker.wait_ready()
    with deployment.producer() as producer:
        for part in range(8):
            producer.produce_records(STOCK_PRICES, bars[part * 450 : (part + 1) * 450])
            producer.produce_records(FINANCIAL_NEWS, news[part * 60 : (part + 1) * 60])
            if part == 1:
                deployment.drained()
                (deployment.directory / "worker-0" / "hold").touch()
            if part == 3:
                eventually(lambda: len(stored(deployment)) > len(expected) / 5, "some alerts")
                if app != "app":
                    eventually(lambda: worker.says(HOLDING_BACK), "a checkpoint")
                worker.kill()
                assert 0 < len(stored(deployment)) < len(expected)
                # They share what is left.
                for successor in [deployment.start_worker() for _ in range(2)]:
                    successor.wait_ready()
    deployment.drained(timeout_s=90)
    assert stored(deployment) == expected
    _delivered(deployment, receiver, expected)
    assert set(expected) <= set(sent(deployment))
    assert deployment.database["dead_letters"].count_documents({}) == 0


def _delivered(
    deployment: Deployment, receiver: Receiver, expected: dict[str, dict[str, Any]]
) -> None:
    """All alerts that have a webhook have arrived there, although it failed at first."""
    wanted = {name for name, alert in expected.items() if alert["rule"] != "crossing"}
    documents = deployment.database["alerts"]

    def delivered() -> set[str]:
        found: Iterator[Document] = documents.find({"deliveries.ops": "delivered"})
        return {one["_id"] for one in found}

    eventually(lambda: delivered() == wanted, f"{len(wanted)} deliveries", 120)
    assert set(receiver.taken()) == wanted
    assert [one.answered for one in receiver.got[:2]] == [503, 500]
    one = orjson.loads(receiver.got[-1].content)
    assert one["text"] == f"[{one['severity']}] {one['message']}"
