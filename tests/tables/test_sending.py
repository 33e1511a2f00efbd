"""How rows go to the changelog: in parts, in order, and until all have arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tables.checkpointed import ROWS_AT_ONCE
from tables.indicators import IndicatorTable


class Brokers:
    """Takes parts, and acknowledges each when the next look at the loop comes."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, list[bytes]]] = []
        self.most_waiting = 0
        self._waiting = 0

    async def take(
        self, _app: Any, _topic: str, partition: int, messages: Sequence[tuple[bytes, bytes]]
    ) -> list[Awaitable[Any]]:
        self.parts.append((partition, [value for _, value in messages]))
        self._waiting += 1
        self.most_waiting = max(self.most_waiting, self._waiting)

        async def arrived() -> Any:
            await asyncio.sleep(0)
            self._waiting -= 1
            return SimpleNamespace(offset=100)

        return [asyncio.ensure_future(arrived())]


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    brokers = Brokers()
    monkeypatch.setattr("tables.checkpointed.send_batches", brokers.take)
    return brokers


async def test_many_rows_go_in_parts(table: IndicatorTable, brokers: Brokers) -> None:
    count = 2 * ROWS_AT_ONCE + 1
    rows = {str(n): (n % 2, b'{"offset":%d}' % n) for n in range(2 * count)}
    await table.send(rows)
    assert [len(part) for partition, part in brokers.parts if partition == 0] == [
        ROWS_AT_ONCE,
        ROWS_AT_ONCE,
        1,
    ]
    for partition in (0, 1):
        sent = [row for number, part in brokers.parts if number == partition for row in part]
        assert sent == [row for number, row in rows.values() if number == partition]
    # One of each partition, and the one that goes while the one before it arrives.
    assert brokers.most_waiting <= 4
    assert brokers._waiting == 0


async def test_all_have_arrived_when_it_returns(table: IndicatorTable, brokers: Brokers) -> None:
    await table.send({"AAPL": (3, b'{"offset":1}'), "MSFT": (5, b'{"offset":2}')})
    assert [len(part) for _, part in brokers.parts] == [1, 1]
    assert brokers._waiting == 0
