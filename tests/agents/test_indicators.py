"""Others' indicators: our own snapshots are passed over, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from agents.indicators import IndicatorsStage
from agents.services import OUR_HEADERS
from models.quick import QuickBar
from models.snapshots import snapshots
from sinks import Write
from tests.agents.memory import MemoryWorker
from topics import TECHNICAL_INDICATORS

BAR = QuickBar("AAPL", "1d", 5, 1.0, 2.0, 1.0, 2.0, 5.0, "yahoo", 2)
OURS = snapshots(["rsi"])(BAR, [50.0])


@pytest.fixture
def worker() -> MemoryWorker:
    """A worker without servers."""
    return MemoryWorker()


def became(worker: MemoryWorker, value: bytes | None, key: bytes | None = b"AAPL") -> list[Write]:
    """What is stored of a message that has our header."""
    worker.services.outbox.add = lambda *_: None  # type: ignore[method-assign]
    stage = IndicatorsStage(worker.services)
    name = TECHNICAL_INDICATORS.name
    message: ConsumerRecord[Any, Any] = ConsumerRecord(
        name, 0, 7, 0, 0, key, value, None, 0, len(value or b""), OUR_HEADERS
    )
    return list(stage.one(message))


def test_our_own_are_stored_already(worker: MemoryWorker) -> None:
    assert became(worker, OURS) == []
    assert not worker.services.counts["indicators", "dead"]


def test_our_header_on_others_is_no_reason_to_pass_them_over(worker: MemoryWorker) -> None:
    (write,) = became(worker, OURS.replace(b"financial-trends", b"somebody"))
    assert write.collection == "stock_prices"
    assert not worker.services.counts["indicators", "dead"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"AAPL", b"\xff"),
        (b"AAPL", None),
        (None, OURS),
        (b"MSFT", OURS),
        (b"AAPL", OURS[:-1]),
        (b"AAPL", OURS[1:]),
    ],
    ids=repr,
)
def test_what_is_none_of_ours_is_accounted_for(
    key: bytes | None, value: bytes | None, worker: MemoryWorker
) -> None:
    (write,) = became(worker, value, key)
    assert write.collection == "dead_letters"
    assert worker.services.counts["indicators", "dead"] == 1
