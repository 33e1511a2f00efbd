"""The pace of fetches: large ones while messages come, small ones that return at once before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from transport import thread
from transport.thread import BatchingConsumerThread


class Paced(BatchingConsumerThread):
    """A thread that is not started, with fetches that bring what is said."""

    def __init__(self) -> None:
        self.fetcher = SimpleNamespace(_fetch_max_wait_ms=0, _fetch_min_bytes=0)

    def _ensure_consumer(self) -> Any:
        return SimpleNamespace(_fetcher=self.fetcher, _max_poll_records=3)

    @property
    def pace(self) -> tuple[int, int]:
        return self.fetcher._fetch_max_wait_ms, self.fetcher._fetch_min_bytes


async def test_the_pace_follows_the_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[dict[Any, Any]] = []

    async def getmany(*_: Any) -> Any:
        return brought.pop(0)

    monkeypatch.setattr(AIOKafkaConsumerThread, "getmany", getmany)
    paced = Paced()

    async def fetch(records: dict[Any, Any]) -> tuple[int, int]:
        brought.append(records)
        assert await paced.getmany(None, 0.1) is records
        return paced.pace

    busy = (thread.BUSY_WAIT_MS, thread.BUSY_BYTES)
    idle = (thread.FETCH_WAIT_MS, thread.FETCH_BYTES)
    behind = (thread.BEHIND_WAIT_MS, thread.BEHIND_BYTES)
    assert await fetch({"tp": [1], "other": [1, 2]}) == behind
    assert await fetch({}) == behind
    assert await fetch({"tp": [1]}) == busy
    for _ in range(thread.IDLE_AFTER - 1):
        assert await fetch({}) == busy
    assert await fetch({}) == idle
    assert await fetch({}) == idle
    assert await fetch({"tp": [1]}) == busy


async def test_looks_that_do_not_wait_leave_the_pace_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made while a topic is full, which is not a time of nothing coming."""
    brought: list[dict[Any, Any]] = [{"tp": [1]}]

    async def getmany(*_: Any) -> Any:
        return brought.pop(0) if brought else {}

    monkeypatch.setattr(AIOKafkaConsumerThread, "getmany", getmany)
    paced = Paced()
    await paced.getmany(None, 0.1)
    before = paced.pace
    for _ in range(2 * thread.IDLE_AFTER):
        await paced.getmany(None, 0.0)
    assert paced.pace == before
