"""The agent of webhooks: each alert to the receivers of its rule, and what becomes of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agents import webhooks
from agents.webhooks import MOST_FAILURES, WebhooksStage
from models import ALERT
from sinks.base import Document
from tests.agents.memory import MemoryWorker
from tests.alerts.receiver import Receiver, receiving
from tests.alerts.rules import book
from tests.models.samples import FIELDS

RULES = """
[webhooks]
a = "{a}/a"
b = "{b}/b"

[[rule]]
name = "both"
when = "rsi < 30"

[[rule]]
name = "one"
when = "rsi < 30"
webhooks = ["a"]

[[rule]]
name = "none"
when = "rsi < 30"
webhooks = []
"""


class Batch:
    """A batch of alerts."""

    def __init__(self, *alerts: dict[str, Any]) -> None:
        self.tp = ("alerts", 0)
        self.epoch = 0
        self.current = True
        self.finished = False
        self.records = [
            SimpleNamespace(offset=n, key=b"AAPL", value=ALERT.dump(one), headers=())
            for n, one in enumerate(alerts)
        ]

    def done(self) -> None:
        self.finished = True


def alert(rule: str, number: int = 0) -> dict[str, Any]:
    """The fields of an alert."""
    return FIELDS["Alert"] | {"rule": rule, "id": f"AAPL|{rule}|1d|{number}"}


class Known:
    """What is known of deliveries: what the worker has stored."""

    def __init__(self, worker: MemoryWorker) -> None:
        self._worker = worker

    def of(self, ids: list[str]) -> dict[str, dict[str, str]]:
        found = self._worker.documents("alerts")
        return {name: found[name].get("deliveries", {}) for name in ids if name in found}


async def deliver(worker: MemoryWorker, a: Receiver, b: Receiver, batch: Batch) -> Any:
    """Have a stage deliver a batch; returns the deliveries that are stored."""
    rules = book(RULES.format(a=a.url, b=b.url))
    stage = WebhooksStage(worker.services, rules, worker.alerts.writer)
    stage._deliveries = Known(worker)  # type: ignore[assignment]
    await stage.process(batch)  # type: ignore[arg-type]
    await worker.alerts.writer.flushed(worker.alerts.writer.cut())
    found: dict[str, Document] = worker.documents("alerts")
    return {name: one["deliveries"] for name, one in found.items()}


@pytest.fixture
async def worker() -> Any:
    """A worker without servers."""
    made = MemoryWorker()
    yield made
    made.close()


async def test_an_alert_goes_where_its_rule_says(worker: MemoryWorker) -> None:
    batch = Batch(alert("both"), alert("one"), alert("none"), alert("gone"))
    with receiving() as a, receiving() as b:
        found = await deliver(worker, a, b, batch)
    assert a.taken() == ["AAPL|both|1d|0", "AAPL|one|1d|0"]
    assert b.taken() == ["AAPL|both|1d|0"]
    assert found == {
        "AAPL|both|1d|0": {"a": "delivered", "b": "delivered"},
        "AAPL|one|1d|0": {"a": "delivered"},
    }
    assert batch.finished


async def test_one_receiver_that_refuses_stops_nothing(
    worker: MemoryWorker, caplog: pytest.LogCaptureFixture
) -> None:
    batch = Batch(*(alert("both", n) for n in range(5)))
    with receiving(*[404] * 99) as a, receiving(503) as b:
        found = await deliver(worker, a, b, batch)
    assert len(a.got) == MOST_FAILURES
    assert b.taken() == [one["id"] for one in map(alert, ["both"] * 5, range(5))]
    assert [one["a"] for one in found.values()] == [
        *["failed: it answered 404"] * 3,
        *["failed: not tried, as 3 before it"] * 2,
    ]
    assert {one["b"] for one in found.values()} == {"delivered"}
    assert batch.finished
    assert len([one for one in caplog.records if "webhook a failed" in one.getMessage()]) == 5
    assert "127.0.0.1" not in caplog.text


async def test_what_was_delivered_is_not_sent_again(worker: MemoryWorker) -> None:
    """After a crash before the offset was committed."""
    with receiving(400) as a, receiving() as b:
        await deliver(worker, a, b, Batch(alert("both")))
        found = await deliver(worker, a, b, Batch(alert("both"), alert("both")))
    assert [one.answered for one in a.got] == [400, 200]
    assert b.taken() == ["AAPL|both|1d|0"]
    assert found == {"AAPL|both|1d|0": {"a": "delivered", "b": "delivered"}}


@pytest.mark.parametrize(
    ("interval", "days", "sent"),
    [("1d", 8, True), ("1d", 9, False), ("1mo", 38, True), ("90m", 8, False), (None, 7, True)],
)
async def test_what_is_long_over_is_not_sent(
    worker: MemoryWorker, interval: str | None, days: int, sent: bool
) -> None:
    """More than seven days after the end of a bar."""
    one = alert("one") | {"interval": interval}
    one["ingested"] = one["time"] + days * 86_400_000
    with receiving() as a, receiving() as b:
        found = await deliver(worker, a, b, Batch(one))
    assert found == {one["id"]: {"a": "delivered" if sent else "not sent: too old"}}
    assert len(a.got) == sent


async def test_a_void_batch_leaves_no_trace(worker: MemoryWorker) -> None:
    batch = Batch(alert("both"))
    batch.current = False
    with receiving() as a, receiving() as b:
        assert await deliver(worker, a, b, batch) == {}
    assert not batch.finished
    assert a.got == b.got == []


async def test_what_is_no_alert_is_a_dead_letter(worker: MemoryWorker) -> None:
    batch = Batch(alert("one"))
    batch.records[0].value = b"{}"
    with receiving() as a, receiving() as b:
        rules = book(RULES.format(a=a.url, b=b.url))
        stage = webhooks.WebhooksStage(worker.services, rules, worker.alerts.writer)
        await stage.process(batch)  # type: ignore[arg-type]
    await worker.alerts.writer.flushed(worker.alerts.writer.cut())
    assert list(worker.documents("dead_letters")) == ["alerts|0|0"]
    assert batch.finished
