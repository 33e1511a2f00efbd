"""History in bulk: what becomes of its bars is what becomes of them as prices, one by one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from agents.history import worked_through
from alerts import RuleBook
from models import BAR_SERIES, INTEGRATION_TEST, Bar, BarSeries
from models.quick_series import messages
from sinks import Origin
from sinks.base import POSITIONS, Document
from sinks.documents import DEAD_LETTERS, STOCK_PRICES
from tests.agents.memory import MemoryWorker
from tests.alerts.rules import book
from tests.deployment import bar
from tests.verify import random_bars
from transport import Batch

MINUTE = 60_000
ALERTS = """
[[rule]]
name = "dips"
when = "close crosses below sma"

[[rule]]
name = "gone"
when = "silence of test > 10m"
"""

Make = Callable[..., MemoryWorker]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make workers, with rules or without."""
    made: list[MemoryWorker] = []

    def worker(rules: RuleBook | None = None) -> MemoryWorker:
        made.append(MemoryWorker(rules))
        made[-1].services.sink._ids = {"stock-prices": "prices", "price-history": "history"}
        made[-1].services.topic_ids.update(made[-1].services.sink._ids)
        return made[-1]

    yield worker
    for one in made:
        one.close()


def series(bars: Sequence[Bar]) -> list[BarSeries]:
    """The bars as they travel."""
    return [BAR_SERIES.decode(key, value) for key, value in messages(bars, 1e15)]


def load(worker: MemoryWorker, bars: Sequence[Bar]) -> list[tuple[BarSeries, Origin]]:
    """Have the worker apply the bars as history; returns the messages."""
    return [(one, worker.apply("history", one)) for one in series(bars)]


def stored(worker: MemoryWorker, *, positions: bool = False) -> dict[str, Document]:
    """The documents, by default without the names of their messages."""
    return {
        name: {k: v for k, v in one.items() if positions or k != POSITIONS}
        for name, one in worker.documents(STOCK_PRICES).items()
    }


async def test_documents_state_trend_and_alerts_are_those_of_single_bars(make: Make) -> None:
    """Whatever the parts in which history comes, and where live bars go on after it."""
    bars = random_bars(["AAPL", "MSFT"], 700) + random_bars(["AAPL"], 60, interval="5m")
    one_by_one, in_bulk, mixed = (make(book(ALERTS)) for _ in range(3))
    for each in bars:
        one_by_one.apply("prices", each)
    load(in_bulk, bars)
    for ticker in ("AAPL", "MSFT"):
        own = [each for each in bars if each.ticker == ticker and each.interval == "1m"]
        for start in range(0, 600, 150):
            load(mixed, own[start : start + 150])
        for each in own[600:]:
            mixed.apply("prices", each)
    load(mixed, [each for each in bars if each.interval == "5m"])
    for worker in (one_by_one, in_bulk, mixed):
        await worker.checkpoint()
    expected = stored(one_by_one)
    assert len(expected) == len(bars)
    assert stored(in_bulk) == stored(mixed) == expected
    shown = [worker.prices["AAPL"].__json__()["intervals"] for worker in (one_by_one, in_bulk)]
    assert shown[0] == shown[1]
    assert in_bulk.published[0]["components"] == one_by_one.published[0]["components"]
    fired = [{one["id"]: one for one in worker.alerted} for worker in (one_by_one, in_bulk, mixed)]
    for alerts in fired:
        for one in alerts.values():
            del one["ingested"]
    assert len(fired[0]) > 5
    assert fired[0] == fired[1] == fired[2]
    assert in_bulk.services.counts["history", "applied"] == len(bars)
    assert in_bulk.recomputed == mixed.recomputed == []


def test_a_document_names_its_message(make: Make) -> None:
    worker = make()
    bars = random_bars(["AAPL"], 40)
    ((_, origin),) = load(worker, bars)
    place = f"history|{origin.partition}|{origin.offset:015d}"
    documents = stored(worker, positions=True).values()
    assert {one[POSITIONS]["price-history"] for one in documents} == {place}


async def test_what_comes_again_after_a_crash_changes_nothing(make: Make) -> None:
    """The state is ahead of the committed offset: no bar is applied twice, or taken for late."""
    worker = make()
    bars = random_bars(["AAPL"], 900)
    sent = load(worker, bars[:600])
    await worker.checkpoint()
    before = stored(worker, positions=True)
    later = load(worker, bars[600:])  # no checkpoint saves this
    worker.crash()
    for one, origin in (*sent, *later):
        worker.apply("history", one, origin)
    await worker.checkpoint()
    after = stored(worker, positions=True)
    assert {name: after[name] for name in before} == before
    whole = make()
    load(whole, bars)
    assert stored(worker) == stored(whole)
    assert worker.services.counts["history", "redelivered"] == 600
    assert worker.recomputed == []


async def test_live_bars_do_not_hide_that_history_was_applied(make: Make) -> None:
    """Each topic has an offset of its own, in rows and in what is a redelivery."""
    worker = make()
    bars = random_bars(["AAPL"], 60)
    for each in random_bars(["MSFT"], 30):
        worker.origin("prices", "AAPL")  # the prices' offsets are further than the history's
        worker.apply("prices", each)
    load(worker, bars[:40])
    for each in bars[40:50]:
        worker.apply("prices", each)
    await worker.checkpoint()
    worker.crash()
    for each in bars[50:]:
        worker.apply("prices", each)
    load(worker, [bar("AAPL", bars[-1].time + MINUTE)])
    state = worker.prices.of("AAPL", worker.services.partition_of("AAPL"))
    assert state.history == 1
    assert state.offset > state.history
    assert all("indicators" in one for one in stored(worker).values())
    assert worker.services.counts["prices", "redelivered"] == 0


async def test_history_after_a_live_bar_is_ordered_to_be_computed_again(make: Make) -> None:
    """Once per ticker and batch, with the documents of the batch before it."""
    worker = make()
    bars = random_bars(["AAPL"], 50)
    live = bars.pop()
    worker.apply("prices", live)
    load(worker, bars)
    documents = stored(worker)
    name = f"AAPL|1m|{live.time}"
    assert [key for key, one in documents.items() if "indicators" in one] == [name]
    await worker.checkpoint()
    assert worker.recomputed == ["AAPL"]
    assert worker.services.counts["history", "late"] == len(bars)

    load(worker, [live])  # the same bar is not late, only told again
    await worker.checkpoint()
    assert worker.recomputed == ["AAPL"]
    assert "indicators" in stored(worker)[name]


async def test_a_series_across_the_last_bar_is_late_in_part(make: Make) -> None:
    worker = make()
    bars = random_bars(["AAPL"], 60)
    load(worker, bars[:20] + bars[25:30])
    load(worker, bars[20:])
    await worker.checkpoint()
    assert worker.recomputed == ["AAPL"]
    documents = stored(worker)
    without = [one.time for one in bars if "indicators" not in documents[f"AAPL|1m|{one.time}"]]
    assert without == [one.time for one in bars[20:25]]
    assert worker.services.counts["history", "applied"] == 55


def test_a_check_of_the_deployment_is_stored_and_not_applied(make: Make) -> None:
    worker = make()
    load(worker, [bar("AAPL", MINUTE * n, source=INTEGRATION_TEST, ingested=1) for n in range(3)])
    assert [one.get("indicators") for one in stored(worker).values()] == [None] * 3
    assert worker.prices.find("AAPL", worker.services.partition_of("AAPL")) is None


def test_what_is_misrouted_is_stored_and_not_applied(make: Make) -> None:
    worker = make()
    (one,) = series(random_bars(["AAPL"], 3))
    astray = worker.origin("history", "AAPL", (worker.services.partition_of("AAPL") + 1) % 8)
    worker.apply("history", one, astray)
    assert len(stored(worker)) == 3
    assert worker.prices.find("AAPL", astray.partition) is None
    assert worker.services.counts["history", "misrouted"] == 1


def batch(worker: MemoryWorker, values: Sequence[bytes | None]) -> Batch:
    """A batch of one partition, as a fetch brings it."""
    place = TP("price-history", worker.services.partition_of("AAPL"))
    records = [
        ConsumerRecord(*place, offset, 0, 0, b"AAPL", value, None, 4, 100, ())
        for offset, value in enumerate(values)
    ]
    consumer: Any = SimpleNamespace(accepting=0, batch_done=lambda _: None)
    return Batch(consumer, place, records, 0)


async def test_a_bad_row_sets_its_series_aside_whole(make: Make) -> None:
    worker = make()
    first, second = [value for _, value in messages(random_bars(["AAPL"], 600), 1e15)]
    spoilt = re.sub(rb'"close":\[[^,]+', b'"close":[true', first)
    await worker.process("history", batch(worker, [spoilt, first, None, second]))
    assert len(stored(worker)) == 600
    letters = {one["offset"]: one for one in worker.documents(DEAD_LETTERS).values()}
    assert letters.keys() == {0, 2}
    assert letters[0]["error"].startswith("row 0: close=True: must be a number")
    assert letters[0]["value"] == spoilt
    assert {one["agent"] for one in letters.values()} == {"history"}


async def test_a_series_that_breaks_the_program_is_set_aside(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its second delivery; what else was in the batch is stored."""
    worker = make(book(ALERTS))
    values = [value for _, value in messages(random_bars(["AAPL"], 600), 1e15)]
    whole = worker.alerts.bars

    def bars_or_break(bars: Any, origin: Origin) -> Any:
        if origin.offset == 1:
            raise RuntimeError("a bug")
        return whole(bars, origin)

    monkeypatch.setattr(worker.alerts, "bars", bars_or_break)
    with pytest.raises(RuntimeError, match="a bug"):
        await worker.process("history", batch(worker, values))
    worker.crash()
    await worker.process("history", batch(worker, values))
    assert len(stored(worker)) == 500
    (letter,) = worker.documents(DEAD_LETTERS).values()
    assert "the program failed on it" in letter["error"]


async def test_live_sources_wait_until_history_is_worked_through() -> None:
    """All of this worker's partitions of the topic, once they are known."""
    places = [TP("price-history", 0), TP("price-history", 3)]
    told: list[tuple[list[TP], set[TP]]] = [
        ([], set()),
        (places, {places[0]}),
        ([TP("stock-prices", 0)], set()),
        (places, set(places)),
    ]
    looks = 0

    async def sleep(_: float) -> None:
        nonlocal looks
        looks += 1

    def caught_up(place: TP) -> bool:
        return place in told[looks][1]

    consumer = SimpleNamespace(saved=lambda: dict.fromkeys(told[looks][0], 0), caught_up=caught_up)
    app = SimpleNamespace(
        should_stop=False, rebalancing=False, in_recovery=False, consumer=consumer, sleep=sleep
    )
    await worked_through(app)
    assert looks == 3
