"""The trend of every ticker, with real workers: the same for one and three, and after a kill."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import orjson
import pytest
from confluent_kafka import TopicPartition

from models import (
    BAR,
    ECONOMIC_OBSERVATION,
    INTEGRATION_TEST,
    NEWS_ITEM,
    SOCIAL_POST,
    TREND,
    Bar,
    EconomicObservation,
    Trend,
)
from sinks.base import Document
from sinks.documents import as_ms
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.integration.conftest import HOLDING_BACK, Deploy
from tests.trend.by_hand import Heard, by_hand
from tests.verify import START_MS
from topics import (
    ECONOMIC_INDICATORS,
    FINANCIAL_NEWS,
    REDDIT_SENTIMENT,
    STOCK_PRICES,
    TRENDS,
    TWITTER_SENTIMENT,
    TopicSpec,
)
from trend import combine

pytestmark = pytest.mark.integration

MINUTE, DAY = 60_000, 86_400_000
BARS = 60
#: All that a trend says, but for its words and its version.
TOLD = ("time", "direction", "strength", "confidence", "components", "weights")


class Messages:
    """Messages of all kinds about tickers that nobody else has."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self._chance = chance = random.Random(seed)
        mark = uuid.uuid4().hex[:8].upper()
        self.tickers = [f"{mark}-{number}" for number in range(count)]
        self.heard = {ticker: Heard() for ticker in self.tickers}
        self.economy: list[EconomicObservation] = []
        for number, ticker in enumerate(self.tickers):
            heard = self.heard[ticker]
            heard.bars = self._bars(ticker, slope=(number % 3 - 1) * 0.5)
            texts = self._texts(ticker, 12)
            heard.news = [NEWS_ITEM.parse(one | {"title": "t"}) for one in texts]
            for platform in ("twitter", "reddit"):
                engaged = ({"engagement": float(chance.randrange(500))} for _ in range(12))
                fields = {"platform": platform, "text": "t"}
                posts = [
                    SOCIAL_POST.parse(one | fields | more)
                    for one, more in zip(self._texts(ticker, 12), engaged, strict=True)
                ]
                setattr(heard, platform, posts)
        for series, value in (("UNRATE", 4.0), ("GDP", 900.0), ("VIXCLS", 20.0)):
            self.economy += [self._observation(series, n, value) for n in range(8)]

    def send(self, deployment: Deployment, part: slice = slice(None)) -> None:
        """Send a part of the messages of each ticker, and of the observations."""
        with deployment.producer() as producer:
            for topic, records in self._by_topic(part).items():
                assert producer.produce_records(_SPECS[topic], records) == len(records)

    def expected(self) -> dict[str, dict[str, object]]:
        """What the trends must be, computed from all messages at once."""
        return {ticker: by_hand(heard, self.economy) for ticker, heard in self.heard.items()}

    def _by_topic(self, part: slice) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for heard in self.heard.values():
            found["prices"] += heard.bars[part]
            for kind in ("news", "twitter", "reddit"):
                found[kind] += getattr(heard, kind)[part]
        found["economy"] += self.economy[part]
        return found

    def _bars(self, ticker: str, slope: float) -> list[Bar]:
        bars, close = [], 100.0
        for n in range(BARS):
            opening, close = close, close + slope + self._chance.gauss(0, 0.4)
            fields = {
                "ticker": ticker,
                "interval": "1m",
                "time": START_MS + n * MINUTE,
                "open": opening,
                "high": max(opening, close) + 0.2,
                "low": min(opening, close) - 0.2,
                "close": close,
                "volume": float(self._chance.randint(100, 1_000)),
                "source": "test",
                "ingested": START_MS,
            }
            bars.append(BAR.parse(fields))
        return bars

    def _texts(self, ticker: str, count: int) -> list[dict[str, Any]]:
        """Texts of some 30 hours, so that some are too old; every third one comes again later."""
        chance = self._chance
        fresh = [
            {
                "ticker": ticker,
                "id": str(number),
                "time": START_MS - chance.randrange(30 * 60) * MINUTE,
                "source": "test",
                "ingested": START_MS,
                "sentiment": chance.uniform(-1, 1),
            }
            for number in range(count * 3 // 4)
        ]
        return fresh + fresh[::3]

    def _observation(self, series: str, number: int, value: float) -> EconomicObservation:
        month = self._chance.randrange(4)
        return ECONOMIC_OBSERVATION.parse(
            {
                "series": series,
                "time": START_MS - (9 - month) * 30 * DAY,
                "value": value * self._chance.uniform(0.97, 1.03),
                "realtime_start": START_MS - (9 - month) * 30 * DAY + number * DAY,
                "source": "test",
                "ingested": START_MS,
            }
        )


_SPECS: dict[str, TopicSpec] = {
    "prices": STOCK_PRICES,
    "news": FINANCIAL_NEWS,
    "twitter": TWITTER_SENTIMENT,
    "reddit": REDDIT_SENTIMENT,
    "economy": ECONOMIC_INDICATORS,
}


def stored(deployment: Deployment) -> dict[str, Document]:
    """The trends in MongoDB, times as they are on the wire."""
    found = deployment.database["trends"].find()
    return {one.pop("_id"): one | {"time": as_ms(one["time"])} for one in found}


def told(trends: dict[str, Document]) -> dict[str, dict[str, object]]:
    """What they say."""
    return {ticker: {name: one[name] for name in TOLD} for ticker, one in trends.items()}


def published(deployment: Deployment, tickers: Sequence[str]) -> dict[str, Trend]:
    """The last message of each ticker on the topic."""
    consumer = deployment.broker.consumer(f"{deployment.settings.app_id}-look")
    ends = deployment.broker.end_offsets([TRENDS.name])
    consumer.assign([TopicPartition(topic, part, 0) for topic, part in ends])
    last: dict[str, Trend] = {}
    left = {place for place, end in ends.items() if end}
    while left:
        message = consumer.poll(30)
        assert message is not None
        trend = TREND.decode(message.key(), message.value())
        if trend.ticker in tickers:
            last[trend.ticker] = trend
        place = message.topic(), message.partition()
        if message.offset() == ends[place] - 1:
            left.discard(place)
    consumer.close()
    return last


def right(deployment: Deployment, messages: Messages) -> None:
    """Everything that is stored and published is what the batch says."""
    deployment.drained(timeout_s=90)
    expected = messages.expected()
    found = stored(deployment)
    assert told(found) == expected
    assert {one["direction"] for one in found.values()} == {"up", "down", "sideways"}
    last = published(deployment, messages.tickers)
    assert last.keys() == found.keys()
    for ticker, trend in last.items():
        # Its time is that of the evaluation at which it became so.
        assert trend.time <= found[ticker]["time"]
        same = ("direction", "strength", "confidence", "components", "weights")
        assert {name: getattr(trend, name) for name in same} == {
            name: expected[ticker][name] for name in same
        }
    history = list(deployment.database["trend_history"].find())
    assert {one["ticker"] for one in history} == set(messages.tickers)
    for one in history:
        assert one["_id"] == f"{one['ticker']}|{as_ms(one['time'])}"
        recomputed = combine(one["components"], one["weights"])
        assert recomputed == (one["direction"], one["strength"], one["confidence"])


def one_worker(deployment: Deployment, messages: Messages) -> None:
    """All messages are there when it starts."""
    messages.send(deployment)
    deployment.start_worker()


def three_workers(deployment: Deployment, messages: Messages) -> None:
    """Messages come while they run, in two parts."""
    for worker in [deployment.start_worker() for _ in range(3)]:
        worker.wait_ready()
    messages.send(deployment, slice(None, 5))
    messages.send(deployment, slice(5, None))


def killed(deployment: Deployment, messages: Messages) -> None:
    """A worker is killed while its state is ahead of its offsets, another one finishes."""
    worker = deployment.start_worker("tests.integration.slow_commit")
    worker.wait_ready()
    messages.send(deployment, slice(None, 5))
    messages.send(deployment, slice(5, 40))
    eventually(lambda: worker.says(HOLDING_BACK), "a checkpoint")
    worker.kill()
    messages.send(deployment, slice(40, None))
    deployment.start_worker()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("run", [one_worker, three_workers, killed], ids=lambda run: run.__name__)
def test_the_trends_are_those_of_a_batch(
    deploy: Deploy, run: Callable[[Deployment, Messages], None]
) -> None:
    """After draining: stored, published and in the history, as computed from all messages."""
    deployment = deploy(checkpoint_interval_s=0.2)
    messages = Messages(9)
    run(deployment, messages)
    right(deployment, messages)


def test_tables_show_what_trends_are_made_of(deploy: Deploy) -> None:
    """Every table at its address, by ticker or series; nothing of a check of the deployment."""
    deployment = deploy(checkpoint_interval_s=0.1)
    messages = Messages(3)
    other = Messages(1)
    for heard in other.heard.values():
        for kind in ("bars", "news", "twitter", "reddit"):
            marked = [one.derive(source=INTEGRATION_TEST) for one in getattr(heard, kind)]
            setattr(heard, kind, marked)
    other.economy = []
    worker = deployment.start_worker()
    messages.send(deployment)
    other.send(deployment)
    deployment.drained()
    base = f"http://127.0.0.1:{worker.port}/table"
    names = {one["name"] for one in httpx.get(f"{base}/").json()}
    assert names == {
        *("indicators", "news_sentiment", "twitter_sentiment", "reddit_sentiment"),
        *("economy", "macro", "trends", "followed", "alerts"),
    }
    ticker, trends = messages.tickers[0], stored(deployment)
    assert trends.keys() == set(messages.tickers)
    by_ticker = names - {"economy", "macro", "followed", "alerts"}
    shown = {name: httpx.get(f"{base}/{name}/{ticker}/").json() for name in by_ticker}
    assert shown["trends"]["trend"]["strength"] == trends[ticker]["strength"]
    assert shown["news_sentiment"]["mean"] == pytest.approx(
        trends[ticker]["components"]["news"], abs=0.006
    )
    assert sum(shown["reddit_sentiment"]["texts_by_hour"]) > 0
    assert -1 <= shown["indicators"]["intervals"]["1m"]["obv_slope"] <= 1
    of_owner = httpx.get(f"{base}/economy/UNRATE/").json()["observations"]
    of_all = httpx.get(f"{base}/macro/UNRATE/").json()["observations"]
    assert of_owner == of_all
    assert len(of_all) == 2
    assert orjson.dumps(of_all)
    ours = f"http://127.0.0.1:{worker.port}/tables/macro/"
    listed = httpx.get(ours).json()["keys"]
    for key in ("UNRATE", *(key for key in listed if key.endswith("|UNRATE"))):
        assert httpx.get(ours + key).json()["row"]["observations"] == of_all
    for address in (f"{base}/macro/NOPE/", f"{ours}NOPE", f"{ours}0|NOPE"):
        assert httpx.get(address).status_code == 404
    assert httpx.get(f"{base}/trends/{other.tickers[0]}/").status_code == 404
