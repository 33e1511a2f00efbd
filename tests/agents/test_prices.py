"""Bars in a batch: computed together, told one by one."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from models import BAR
from models.quick_series import messages
from sinks.documents import DEAD_LETTERS, STOCK_PRICES
from tables.indicator_state import MOST_INTERVALS
from tests.agents.memory import MemoryWorker
from tests.deployment import bar
from transport import Batch

MINUTE = 60_000


@pytest.fixture
def worker() -> Iterator[MemoryWorker]:
    made = MemoryWorker(publish_snapshots=True)
    yield made
    made.close()


def batch(worker: MemoryWorker, bars: list[Any]) -> Batch:
    """A batch of one partition, as a fetch brings it."""
    partition = worker.services.partition_of("AAPL")
    records = [
        ConsumerRecord(
            "stock-prices", partition, offset, 0, 0, b"AAPL", BAR.encode(one), None, 4, 100, ()
        )
        for offset, one in enumerate(bars)
    ]
    consumer: Any = SimpleNamespace(accepting=0, batch_done=lambda _: None)
    return Batch(consumer, TP("stock-prices", partition), records, 0)


def series(worker: MemoryWorker, bars: list[Any]) -> Batch:
    """The same in bulk, a bar a series."""
    partition = worker.services.partition_of("AAPL")
    records = [
        ConsumerRecord("price-history", partition, offset, 0, 0, key, value, None, 4, 100, ())
        for offset, (key, value) in enumerate(
            pair for one in bars for pair in messages([one], 1e14)
        )
    ]
    consumer: Any = SimpleNamespace(accepting=0, batch_done=lambda _: None)
    return Batch(consumer, TP("price-history", partition), records, 0)


async def test_a_bar_closes_in_the_batch_in_which_it_formed(worker: MemoryWorker) -> None:
    """What comes last of a bar counts, also for the trend."""
    bars = [
        bar("AAPL", 1 * MINUTE, 10.0),
        bar("AAPL", 2 * MINUTE, 11.0, closed=False),
        bar("AAPL", 2 * MINUTE, 12.0),
        bar("AAPL", 3 * MINUTE, 13.0, closed=False),
    ]
    await worker.process("prices", batch(worker, bars))
    state = worker.prices.of("AAPL", worker.services.partition_of("AAPL"))
    interval = state.intervals[bars[0].interval]
    assert interval.last_time == 2 * MINUTE
    assert interval.last == (3 * MINUTE, 13.0)
    assert interval.forming is not None
    closes = {
        one["_id"].rpartition("|")[2]: (one["close"], one["closed"], one["indicators"]["obv"])
        for one in _with_ids(worker, STOCK_PRICES)
    }
    volume = bars[0].volume
    assert closes == {
        "60000": (10.0, True, volume),
        "120000": (12.0, True, 2 * volume),
        "180000": (13.0, False, 3 * volume),
    }


async def test_a_bar_that_breaks_the_program_is_set_aside(
    worker: MemoryWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it breaks at the end of its batch, when all bars are told of."""
    bars = [bar("AAPL", n * MINUTE, 666.0 if n == 2 else 10.0) for n in range(4)]
    stage: Any = worker.stages["prices"]
    publish = stage._publish

    def publish_or_break(one: Any, *rest: Any) -> None:
        if one.close == 666.0:
            raise RuntimeError("a bug")
        publish(one, *rest)

    monkeypatch.setattr(stage, "_publish", publish_or_break)
    whole = batch(worker, bars)
    with pytest.raises(RuntimeError, match="a bug"):
        await worker.process("prices", whole)
    worker.crash()
    await worker.process("prices", whole)
    assert len(worker.documents(STOCK_PRICES)) == 3
    (letter,) = worker.documents(DEAD_LETTERS).values()
    assert letter["offset"] == 2
    assert "the program failed on it" in letter["error"]


@pytest.mark.parametrize("stage", ["prices", "history"])
async def test_of_one_ticker_a_row_holds_so_many_intervals(
    worker: MemoryWorker, stage: str
) -> None:
    """Bars of one more are set aside, and those of the others go on; again after a redelivery."""
    bars = [bar("AAPL", MINUTE, interval=f"{n + 1}s") for n in range(MOST_INTERVALS)]
    bars += [bar("AAPL", MINUTE, interval="1wk"), bar("AAPL", 2 * MINUTE, interval="1s")]
    whole = batch(worker, bars) if stage == "prices" else series(worker, bars)
    await worker.process(stage, whole)
    await worker.process(stage, whole)
    (letter,) = worker.documents(DEAD_LETTERS).values()
    assert "interval='1wk'" in letter["error"]
    stored = worker.documents(STOCK_PRICES)
    assert len(stored) == MOST_INTERVALS + 1
    state = worker.prices.of("AAPL", worker.services.partition_of("AAPL"))
    assert len(state.dump()) < 500_000


def _with_ids(worker: MemoryWorker, collection: str) -> list[dict[str, Any]]:
    return [{"_id": name, **one} for name, one in worker.documents(collection).items()]
