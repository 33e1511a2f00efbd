"""Alerts as the stages and checkpoints make them: each once, whatever comes again."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable

import pytest

from agents.alerts import Silent
from agents.silence import overdue, quiet
from alerts import RuleBook
from models import INTEGRATION_TEST, TREND
from sinks import Origin
from sinks.documents import as_ms
from tests.agents.memory import MemoryWorker
from tests.agents.test_trends import Message, news, post, rising
from tests.alerts.rules import book
from tests.deployment import bar
from tests.verify import START_MS

MINUTE = 60_000

RULES = """
[[rule]]
name = "dips"
when = "close crosses below sma"

[[rule]]
name = "hot"
when = "rsi > 60"
cooldown = "5m"
on = "forming"

[[rule]]
name = "press"
when = "news.sentiment < 0 and news.count > 1"
severity = "info"

[[rule]]
name = "reddit"
when = "reddit.latest > 0.5"

[[rule]]
name = "turned"
when = "trend changes"

[[rule]]
name = "gone"
when = "silence of test > 10m"
"""

Make = Callable[[RuleBook], MemoryWorker]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make workers with rules."""
    made: list[MemoryWorker] = []

    def worker(rules: RuleBook) -> MemoryWorker:
        made.append(MemoryWorker(rules))
        return made[-1]

    yield worker
    for one in made:
        one.close()


def walk(count: int, seed: int = 1) -> list[Message]:
    """Bars and news of two tickers on random walks; every third bar comes forming first."""
    chance = random.Random(seed)
    closes = {"AAPL": 100.0, "MSFT": 50.0}
    found: list[Message] = []
    for n in range(count):
        for ticker, before in closes.items():
            close = closes[ticker] = before * (1 + chance.gauss(0, 0.02))
            time = START_MS + n * MINUTE
            if n % 3 == 0:
                early = bar(ticker, time, close * chance.uniform(0.97, 1.03), closed=False)
                found.append(("prices", early))
            found.append(("prices", bar(ticker, time, close)))
            if n % 5 == 0:
                found.append(news(n, chance.uniform(-1, 1), ticker))
                found.append(post(n, chance.uniform(-1, 1), ticker=ticker))
    return found


def ids(worker: MemoryWorker) -> set[str]:
    """The alerts that are stored, but for those about trends, which come with checkpoints."""
    return {name for name in worker.documents("alerts") if "|turned|" not in name}


async def test_one_alert_in_all_its_places(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    worker = make(book('[[rule]]\nname = "fell"\nwhen = "close < 90"\nseverity = "critical"\n'))
    with caplog.at_level(logging.INFO):
        worker.apply("prices", bar("AAPL", START_MS, 100.0))
        worker.apply("prices", bar("AAPL", START_MS + MINUTE, 80.0))
        worker.apply("prices", bar("AAPL", START_MS + 2 * MINUTE, 70.0))
    ((name, document),) = worker.documents("alerts").items()
    assert name == f"AAPL|fell|1m|{START_MS + MINUTE}"
    assert as_ms(document["time"]) == START_MS + MINUTE
    assert document["message"] == "AAPL: close < 90 (close 80)"
    assert document["values"] == {"close": 80.0}
    assert worker.services.counts["alerts", "fired"] == 1
    await worker.checkpoint()
    assert [one["id"] for one in worker.alerted] == [name]
    (line,) = [one for one in caplog.records if "alert fell: AAPL: close" in one.getMessage()]
    assert line.levelno == logging.WARNING


async def test_each_stream_fires_its_rules(make: Make) -> None:
    worker = make(book(RULES))
    for message in walk(60):
        worker.apply(*message)
        await worker.checkpoint()
    found = worker.documents("alerts")
    fired = {document["rule"] for document in found.values()}
    assert fired == {"dips", "hot", "press", "reddit", "turned"}
    assert {document["ticker"] for document in found.values()} == {"AAPL", "MSFT"}
    assert sorted(one["id"] for one in worker.alerted) == sorted(found)


@pytest.mark.parametrize("seed", range(12))
async def test_the_same_alerts_after_any_crash(make: Make, seed: int) -> None:
    """Crashes between any two rows: all since the last checkpoint comes again."""
    messages = walk(100)
    whole = make(book(RULES))
    whole.apply_all(messages)
    expected = ids(whole)
    assert len(expected) > 20
    chance = random.Random(seed)
    worker = make(book(RULES))
    applied: list[tuple[Message, Origin]] = []
    crashes = 0
    for message in messages:
        applied.append((message, worker.apply(*message)))
        if chance.random() < 0.1:
            await worker.checkpoint()
            applied.clear()
        elif chance.random() < 0.1:
            await worker.half_checkpoint(chance.randint(0, len(worker.tables)))
            crashes += 1
            for (kind, record), origin in applied:
                worker.apply(kind, record, origin)
    assert crashes > 5
    assert ids(worker) == expected


async def test_no_rules_leave_no_trace(make: Make) -> None:
    worker = make(RuleBook())
    assert worker.alerts.about("bar") is None
    worker.apply_all(walk(20))
    await worker.checkpoint()
    assert worker.documents("alerts") == {}
    assert list(worker.alerts.table.known(worker.services.partition_of("AAPL"))) == []


async def test_what_rules_do_not_look_at(make: Make) -> None:
    """Checks of the deployment, late bars, texts that come again, partitions of others."""
    worker = make(book('[[rule]]\nname = "a"\nwhen = "close < 90 or close > 95"\n'))
    worker.apply("prices", bar("AAPL", START_MS + MINUTE, 92.0))
    worker.apply("prices", bar("AAPL", START_MS, 80.0))
    worker.apply("prices", bar("AAPL", START_MS + 2 * MINUTE, 80.0, source=INTEGRATION_TEST))
    place = (worker.services.partition_of("AAPL") + 1) % 8
    other = worker.origin("prices", "AAPL", place)
    worker.apply("prices", bar("AAPL", START_MS + 2 * MINUTE, 80.0), other)
    assert worker.documents("alerts") == {}
    worker.apply("prices", bar("AAPL", START_MS + 3 * MINUTE, 80.0))
    assert len(worker.documents("alerts")) == 1


def silences(worker: MemoryWorker, now: int) -> list[Silent]:
    """What is silent for too long at a moment."""
    partition = worker.services.partition_of("AAPL")
    return overdue(list(quiet(worker.alerts, "AAPL", partition, now)), now)


async def test_silence_is_measured_while_the_market_is_open(make: Make) -> None:
    """2024-01-08 is a Monday; New York trades from 14:30 to 21:00 UTC."""
    worker = make(book(RULES))
    half_past_two = START_MS + (14 * 60 + 30) * MINUTE
    evening = half_past_two + (6 * 60 + 25) * MINUTE
    heard = bar("AAPL", evening, ingested=evening)
    worker.apply("prices", heard)
    assert silences(worker, evening + 10 * MINUTE) == []
    next_day = half_past_two + 24 * 60 * MINUTE
    assert silences(worker, next_day + 5 * MINUTE) == []
    (found,) = silences(worker, next_day + 5 * MINUTE + 1)
    assert (found.heard, found.due) == (evening, next_day + 5 * MINUTE)
    worker.alerts.silent([found])
    await worker.checkpoint()
    assert ids(worker) == {f"AAPL|gone|silence|{evening}"}
    assert silences(worker, next_day + 60 * MINUTE) == []
    # A restart before the row was saved finds it again, and it is the same.
    assert worker.alerted[0]["time"] == next_day + 5 * MINUTE


async def test_a_source_that_speaks_again_is_not_silent(make: Make) -> None:
    worker = make(book(RULES))
    worker.apply(*news(0, 0.5))
    (found,) = silences(worker, START_MS + 10 * MINUTE + 1)
    assert found.due == START_MS + 10 * MINUTE
    worker.alerts.silent([found])
    worker.apply(*news(1, 0.5))
    await worker.checkpoint()
    assert ids(worker) == set()
    later = START_MS + 71 * MINUTE
    worker.alerts.silent(silences(worker, later))
    await worker.checkpoint()
    await worker.half_checkpoint(0)
    assert ids(worker) == {f"AAPL|gone|silence|{START_MS + 60 * MINUTE}"}
    assert silences(worker, later) == []


async def test_trends_fire_once_although_published_twice(make: Make) -> None:
    worker = make(book('[[rule]]\nname = "up"\nwhen = "trend changes to up"\n'))
    worker.apply(*news(0, -0.9))
    await worker.checkpoint()
    worker.apply_all(rising())
    await worker.checkpoint()
    worker.apply_all([news(1, 0.9), news(2, 0.9)])
    await worker.checkpoint()
    assert [one["direction"] for one in worker.published][-1] == "up"
    assert len(worker.documents("alerts")) == 1
    last = worker.published[-1]
    worker.apply("trends", TREND.parse(last))
    assert len(worker.documents("alerts")) == 1
