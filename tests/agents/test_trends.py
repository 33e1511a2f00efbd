"""From messages of all kinds to the trend of a ticker, as the stages and a checkpoint do it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import ECONOMIC_OBSERVATION, INTEGRATION_TEST, NEWS_ITEM, SOCIAL_POST, TREND
from sinks.documents import as_ms
from tests.agents.memory import MemoryWorker
from tests.deployment import bar
from tests.verify import START_MS
from trend import combine

MINUTE, DAY = 60_000, 86_400_000

Message = tuple[str, Any]


def news(number: int, sentiment: float, ticker: str = "AAPL", **fields: Any) -> Message:
    """A news item, an hour after the one before it."""
    time = START_MS + number * 60 * MINUTE
    return "news", NEWS_ITEM.parse(
        {
            "ticker": ticker,
            "id": f"n{number}",
            "time": time,
            "title": "t",
            "source": "test",
            "ingested": time,
            "sentiment": sentiment,
            **fields,
        }
    )


def post(number: int, sentiment: float, platform: str = "reddit", **fields: Any) -> Message:
    """A post, a minute after the one before it."""
    time = START_MS + number * MINUTE
    return platform, SOCIAL_POST.parse(
        {
            "ticker": "AAPL",
            "platform": platform,
            "id": f"p{number}",
            "time": time,
            "text": "t",
            "source": "test",
            "ingested": time,
            "sentiment": sentiment,
            "engagement": 9.0,
            **fields,
        }
    )


def observation(series: str, month: int, value: float, known: int = 0, **fields: Any) -> Message:
    """An observation of a month, in its revision number ``known``."""
    time = START_MS - (24 - month) * 30 * DAY
    return "economy", ECONOMIC_OBSERVATION.parse(
        {
            "series": series,
            "time": time,
            "value": value,
            "realtime_start": time + (known + 1) * DAY,
            "source": "test",
            "ingested": START_MS,
            **fields,
        }
    )


def rising(count: int = 40, ticker: str = "AAPL", step: float = 0.5) -> list[Message]:
    """Bars that only rise."""
    bars = [bar(ticker, START_MS + n * MINUTE, 100.0 + step * n) for n in range(count)]
    return [("prices", one) for one in bars]


@pytest.fixture
async def worker() -> AsyncIterator[MemoryWorker]:
    """A worker that has seen nothing."""
    made = MemoryWorker()
    yield made
    made.close()


async def latest(worker: MemoryWorker, ticker: str = "AAPL") -> dict[str, Any]:
    """Make two checkpoints (the second has what the first one sent round) and return the trend."""
    await worker.checkpoint()
    await worker.checkpoint()
    return worker.documents("trends")[ticker]


async def test_bars_that_only_rise_give_up(worker: MemoryWorker) -> None:
    worker.apply_all(rising())
    trend = await latest(worker)
    assert trend["direction"] == "up"
    assert trend["strength"] > 25
    assert trend["confidence"] == 0.65
    assert as_ms(trend["time"]) == START_MS + 39 * MINUTE
    assert trend["version"] == 40
    assert list(trend["components"]) == ["price", "momentum", "volume"]


async def test_all_inputs_are_joined(worker: MemoryWorker) -> None:
    worker.apply_all(rising())
    worker.apply_all([news(0, 0.5), post(1, 0.25), post(2, -0.5, "twitter")])
    worker.apply_all([observation("UNRATE", 1, 4.2), observation("UNRATE", 2, 4.0)])
    trend = await latest(worker)
    assert {name: trend["components"][name] for name in ("news", "reddit", "twitter", "macro")} == {
        "news": 0.5,
        "reddit": 0.25,
        "twitter": -0.5,
        "macro": 0.76,
    }
    assert combine(trend["components"], trend["weights"]) == (
        trend["direction"],
        trend["strength"],
        trend["confidence"],
    )


async def test_a_ticker_without_prices_has_a_trend_of_little_confidence(
    worker: MemoryWorker,
) -> None:
    worker.apply_all([news(0, 0.5)])
    trend = await latest(worker)
    assert (trend["direction"], trend["strength"], trend["confidence"]) == ("up", 50, 0.075)


async def test_each_history_entry_recomputes_from_its_components(worker: MemoryWorker) -> None:
    for number, message in enumerate(rising(60)):
        worker.apply(*message)
        if number % 7 == 0:
            worker.apply(*news(number // 30, 0.4, id=str(number)))
        await worker.checkpoint()
    history = worker.documents("trend_history")
    assert len(history) > 10
    for document in history.values():
        told = document["direction"], document["strength"], document["confidence"]
        assert combine(document["components"], document["weights"]) == told


async def test_what_is_published_is_what_changed(worker: MemoryWorker) -> None:
    worker.apply_all(rising())
    await worker.checkpoint()
    assert [one["ticker"] for one in worker.published] == ["AAPL"]
    # The same bars again: the ticker is looked at, and nothing is new.
    worker.apply_all(rising())
    await worker.checkpoint()
    assert len(worker.published) == 1
    worker.apply(*news(0, 0.5))
    await worker.checkpoint()
    assert len(worker.published) == 2
    record = TREND.parse(worker.published[-1])
    assert record.components["news"] == 0.5
    assert list(worker.documents("trend_history")) == [
        f"AAPL|{START_MS + 39 * MINUTE}",
    ]


async def test_nothing_is_evaluated_between_checkpoints(worker: MemoryWorker) -> None:
    worker.apply_all(rising(200))
    assert worker.services.counts["trends", "evaluated"] == 0
    await worker.checkpoint()
    assert worker.services.counts["trends", "evaluated"] == 1


async def test_a_forming_bar_moves_the_trend_and_nothing_else(worker: MemoryWorker) -> None:
    worker.apply_all(rising())
    up = await latest(worker)
    state = worker.prices.of("AAPL", worker.services.partition_of("AAPL"))
    before = state.intervals["1m"].indicators.state()
    falling = bar("AAPL", START_MS + 40 * MINUTE, 60.0, closed=False)
    worker.apply("prices", falling)
    down = await latest(worker)
    assert down["strength"] != up["strength"]
    assert as_ms(down["time"]) == START_MS + 40 * MINUTE
    assert state.intervals["1m"].indicators.state() == before
    assert state.offset == 40


async def test_the_newest_interval_counts(worker: MemoryWorker) -> None:
    worker.apply_all(rising())
    daily = [bar("AAPL", START_MS + (n - 40) * DAY, 140.0 - n, interval="1d") for n in range(40)]
    worker.apply_all(("prices", one) for one in daily)
    assert (await latest(worker))["direction"] == "up"
    worker.apply("prices", bar("AAPL", START_MS + DAY, 99.0, interval="1d"))
    assert (await latest(worker))["direction"] == "down"


async def test_a_check_of_the_deployment_touches_nothing(worker: MemoryWorker) -> None:
    mark: dict[str, Any] = {"source": INTEGRATION_TEST}
    worker.apply("prices", bar("AAPL", START_MS, 1.0, **mark))
    worker.apply_all([news(0, 1.0, **mark), post(0, 1.0, **mark), post(0, 1.0, "twitter", **mark)])
    worker.apply_all([observation("GDP", 1, 1.0, **mark), observation("GDP", 2, 9.0, **mark)])
    await worker.checkpoint()
    await worker.checkpoint()
    assert worker.documents("trends") == {}
    assert worker.published == []
    assert all(list(table.known(p)) == [] for table in worker.tables for p in range(8))


async def test_what_came_on_the_wrong_partition_touches_nothing(worker: MemoryWorker) -> None:
    wrong = (worker.services.partition_of("AAPL") + 1) % 8
    for kind, record in [*rising(1), news(0, 1.0), post(0, 1.0)]:
        worker.apply(kind, record, worker.origin(kind, "AAPL", wrong))
    await worker.checkpoint()
    assert worker.documents("trends") == {}
    assert worker.services.counts["news", "misrouted"] == 1


async def test_posts_that_come_again_count_once(worker: MemoryWorker) -> None:
    worker.apply_all([post(number, 0.2) for number in range(10)])
    once = await latest(worker)
    worker.apply_all([post(number, 0.2, engagement=10_000.0) for number in range(10)])
    again = await latest(worker)
    assert again["weights"] == once["weights"]
    assert again["components"] == once["components"]
    assert worker.services.counts["reddit", "repeated"] == 10


async def test_engagement_counts_dampened(worker: MemoryWorker) -> None:
    worker.apply_all([post(0, 1.0, engagement=99.0), post(0, -0.5, id="other", engagement=0.0)])
    # 1 + log10(100) = 3 against 1.
    assert (await latest(worker))["components"]["reddit"] == 0.62


async def test_a_change_of_the_backdrop_reaches_every_ticker(worker: MemoryWorker) -> None:
    tickers = [f"T{number}" for number in range(20)]
    for ticker in tickers:
        worker.apply_all([news(0, 0.5, ticker)])
    worker.apply(*observation("UNRATE", 1, 4.0))
    await worker.checkpoint()
    await worker.checkpoint()
    assert all("macro" not in one["components"] for one in worker.documents("trends").values())
    worker.apply(*observation("UNRATE", 2, 5.0))
    await worker.checkpoint()
    await worker.checkpoint()
    found = {
        name: one["components"].get("macro") for name, one in worker.documents("trends").items()
    }
    assert found == dict.fromkeys(tickers, -1.0)


async def test_revisions_and_old_periods(worker: MemoryWorker) -> None:
    worker.apply_all([news(0, 0.5), observation("UNRATE", 2, 9.0), observation("UNRATE", 1, 4.0)])
    assert (await latest(worker))["components"]["macro"] == -1.0
    # A revision says that nothing happened; an older one, and an older period, say nothing.
    worker.apply_all(
        [observation("UNRATE", 2, 4.0, known=2), observation("UNRATE", 2, 9.0, known=1)]
    )
    worker.apply(*observation("UNRATE", 0, 99.0))
    assert (await latest(worker))["components"]["macro"] == 0.0
    sent = worker.services.counts["macro", "applied"] / 8
    worker.apply(*observation("UNRATE", 0, 98.0))
    await worker.checkpoint()
    assert worker.services.counts["macro", "applied"] / 8 == sent


async def test_a_recompute_does_not_take_the_time_back(worker: MemoryWorker) -> None:
    """The stored bars may end before the last one that was forming."""
    worker.apply_all(rising())
    worker.apply("prices", bar("AAPL", START_MS + 40 * MINUTE, 60.0, closed=False))
    await worker.checkpoint()
    partition = worker.services.partition_of("AAPL")
    worker.prices.of("AAPL", partition).intervals = {}
    worker.trends.mark("AAPL", partition)
    trend = await latest(worker)
    assert as_ms(trend["time"]) == START_MS + 40 * MINUTE
    assert (trend["direction"], trend["confidence"]) == ("sideways", 0.0)


def mixed(seed: int) -> list[list[Message]]:
    """Messages of all kinds, in the order that each topic has."""
    chance = random.Random(seed)
    by_topic = [
        [
            ("prices", bar("AAPL", START_MS + n * MINUTE, 100 + chance.gauss(0, 3) + n / 9))
            for n in range(40)
        ],
        [news(n, chance.uniform(-1, 1)) for n in chance.choices(range(30), k=12)],
        [post(n, chance.uniform(-1, 1)) for n in chance.choices(range(300), k=12)],
        [post(n, chance.uniform(-1, 1), "twitter") for n in chance.choices(range(300), k=12)],
    ]
    series = [("UNRATE", 4.0), ("GDP", 900.0), ("VIXCLS", 20.0)]
    by_topic.append(
        [
            observation(name, chance.randrange(4), value * chance.uniform(0.9, 1.1), known)
            for name, value in series
            for known in range(4)
        ]
    )
    return by_topic


def interleaved(by_topic: list[list[Message]], seed: int) -> list[Message]:
    """The same messages, topics interleaved in another way."""
    chance = random.Random(seed)
    order = [topic for topic, messages in enumerate(by_topic) for _ in messages]
    chance.shuffle(order)
    left = [iter(messages) for messages in by_topic]
    return [next(left[topic]) for topic in order]


def told(document: dict[str, Any]) -> dict[str, Any]:
    """All of a trend but its version, which counts messages of the backdrop too."""
    return {name: value for name, value in document.items() if name != "version"}


async def _run(messages: list[Message], every: int, crashes: int | None = None) -> MemoryWorker:
    """Take messages in, with a checkpoint after so many; crash once, and do again what is lost."""
    worker = MemoryWorker()
    saved = 0
    origins = []
    for number, message in enumerate(messages):
        origins.append(worker.apply(*message))
        if number % every == every - 1:
            await worker.checkpoint()
            # The commit of a checkpoint may be lost: then a little more comes again.
            saved = max(0, number - 5)
        if number == crashes:
            worker.crash()
            for (kind, record), origin in zip(messages[saved:], origins[saved:], strict=False):
                worker.apply(kind, record, origin)
    await worker.checkpoint()
    await worker.checkpoint()
    worker.close()
    return worker


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(0, 2**32), st.integers(3, 60), st.integers(0, 80))
async def test_the_trend_does_not_depend_on_interleaving_checkpoints_and_crashes(
    seed: int, order: int, every: int, crashes: int
) -> None:
    by_topic = mixed(seed)
    straight = await _run([one for messages in by_topic for one in messages], every=1_000)
    other = await _run(interleaved(by_topic, order), every, crashes)
    first, second = (told(one.documents("trends")["AAPL"]) for one in (straight, other))
    assert first == second
    last = [told(one.published[-1]) for one in (straight, other)]
    for part in ("direction", "strength", "confidence", "components", "weights"):
        assert last[0][part] == last[1][part] == first[part]
