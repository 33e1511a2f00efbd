"""Large batches of texts: judged in a thread, with the same result."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from agents import sentiment
from models import NEWS_ITEM
from sinks.documents import DEAD_LETTERS, NEWS
from tests.agents.memory import MemoryWorker
from transport import Batch

HOUR = 3_600_000


@pytest.fixture
def worker() -> Iterator[MemoryWorker]:
    made = MemoryWorker()
    yield made
    made.close()


def batch(worker: MemoryWorker, texts: list[str]) -> Batch:
    """A batch of one partition; the last message in it is none."""
    partition = worker.services.partition_of("AAPL")
    values: list[bytes] = [
        NEWS_ITEM.encode(
            NEWS_ITEM.parse(
                {
                    "ticker": "AAPL",
                    "id": f"{number}",
                    "time": HOUR + number,
                    "title": "Apple",
                    "summary": text,
                    "source": "test",
                    "ingested": HOUR,
                }
            )
        )
        for number, text in enumerate(texts)
    ]
    records = [
        ConsumerRecord(
            "financial-news", partition, offset, 0, 0, b"AAPL", value, None, 4, len(value), ()
        )
        for offset, value in enumerate([*values, b"{}"])
    ]
    consumer: Any = SimpleNamespace(accepting=0, batch_done=lambda _: None)
    return Batch(consumer, TP("financial-news", partition), records, 0)


async def process(worker: MemoryWorker, whole: Batch) -> list[dict[str, Any]]:
    stage = worker.stages["news"]
    worker.services.outbox.post = lambda: None  # type: ignore[method-assign]
    await stage.process(whole)
    await stage.writer.flushed(stage.writer.cut())
    found = worker.documents(NEWS).values()
    return [{k: v for k, v in one.items() if k != "ingested"} for one in found]


async def test_a_large_batch_is_judged_as_a_small_one_is(
    worker: MemoryWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["Shares surge. " * 20, "Shares plunge. " * 20, "Shares."]
    expected = await process(worker, batch(worker, texts))
    assert [one["sentiment"] > 0 for one in expected[:2]] == [True, False]
    again = MemoryWorker()
    monkeypatch.setattr(sentiment, "MOST_AT_ONCE", 0)
    assert await process(again, batch(again, texts)) == expected
    assert len(again.documents(DEAD_LETTERS)) == 1
    again.close()


async def test_others_have_their_turn_meanwhile(worker: MemoryWorker) -> None:
    """A few tenths of a second of judging do not go by in one piece."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(other())
    whole = batch(worker, ["Shares surge and fall on strong weak guidance. " * 200] * 20)
    await worker.stages["news"].prepare(whole.records)
    task.cancel()
    assert turns > 10
