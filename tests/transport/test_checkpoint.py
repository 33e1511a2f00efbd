"""The order of a checkpoint: documents, then state, then offsets, all of one epoch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from faust.types import TP

from transport.checkpoint import MANY_ROWS, Checkpointer, Rows

PLACE = TP("stock-prices", 0)


class Recorder:
    """Writes down what happens, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []


class Consumer:
    """The consumer's side of a checkpoint."""

    def __init__(self, seen: Recorder, offsets: dict[TP, int]) -> None:
        self.epoch = 0
        self.accepts = True
        self._seen = seen
        self._offsets = offsets
        self.committed: dict[TP, int] = {}

    def uncommitted(self) -> dict[TP, int]:
        return dict(self._offsets)

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        self._seen.events.append("commit")
        if self.accepts:
            self.committed.update(offsets)
        return self.accepts


class Documents:
    """A store whose writes are acknowledged when the test says so."""

    def __init__(self, seen: Recorder) -> None:
        self.acknowledged = asyncio.Event()
        self.error: Exception | None = None
        self._seen = seen

    def cut(self) -> str:
        self._seen.events.append("store cut")
        return "mark"

    async def flushed(self, mark: Any) -> None:
        assert mark == "mark"
        await self.acknowledged.wait()
        if self.error is not None:
            raise self.error
        self._seen.events.append("stored")

    def void(self) -> None:
        self._seen.events.append("store void")


class Table:
    """A state with one dirty row."""

    def __init__(self, seen: Recorder) -> None:
        self.dirty: dict[str, tuple[int, bytes]] = {"AAPL": (0, b'{"offset":4}')}
        self.kept: dict[str, tuple[int, bytes]] = {}
        self._seen = seen

    def cut(self) -> Rows:
        self._seen.events.append("state cut")
        rows, self.dirty = self.dirty, {}
        return rows

    async def send(self, rows: Rows) -> None:
        self._seen.events.append("changelog")

    def keep(self, rows: Rows) -> None:
        self._seen.events.append("keep")
        self.kept.update(rows)

    def void(self) -> None:
        self._seen.events.append("state void")


class Parts:
    """A checkpointer with one store and one state."""

    def __init__(self) -> None:
        self.seen = Recorder()
        self.consumer = Consumer(self.seen, {PLACE: 5})
        self.documents = Documents(self.seen)
        self.table = Table(self.seen)
        self.checkpoints = Checkpointer(1.0)
        self.checkpoints.attach(self.consumer)
        self.checkpoints.register_store(self.documents)
        self.checkpoints.register_state(self.table)


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def test_documents_before_state_before_offsets(parts: Parts) -> None:
    parts.documents.acknowledged.set()
    assert await parts.checkpoints.run()
    assert parts.seen.events == [
        "store cut",
        "state cut",
        "stored",
        "changelog",
        "keep",
        "commit",
    ]
    assert parts.consumer.committed == {PLACE: 5}
    assert parts.table.kept.keys() == {"AAPL"}


async def test_nothing_goes_on_while_documents_are_on_their_way(parts: Parts) -> None:
    running = asyncio.create_task(parts.checkpoints.run())
    await asyncio.sleep(0)
    assert parts.seen.events == ["store cut", "state cut"]
    parts.documents.acknowledged.set()
    assert await running


async def test_a_new_epoch_voids_the_checkpoint(parts: Parts) -> None:
    running = asyncio.create_task(parts.checkpoints.run())
    await asyncio.sleep(0)
    parts.consumer.epoch += 1
    parts.documents.acknowledged.set()
    assert not await running
    assert "changelog" not in parts.seen.events
    assert "keep" not in parts.seen.events
    assert parts.consumer.committed == {}


async def test_a_failure_commits_nothing(parts: Parts) -> None:
    parts.documents.error = ValueError("broken")
    parts.documents.acknowledged.set()
    with pytest.raises(ValueError, match="broken"):
        await parts.checkpoints.run()
    assert parts.consumer.committed == {}
    assert parts.table.kept == {}


async def test_a_refused_commit_is_not_the_end(parts: Parts) -> None:
    parts.documents.acknowledged.set()
    parts.consumer.accepts = False
    assert not await parts.checkpoints.run()
    parts.consumer.accepts = True
    assert await parts.checkpoints.run()
    assert parts.consumer.committed == {PLACE: 5}


async def test_with_nothing_to_save_nothing_happens(parts: Parts) -> None:
    parts.table.dirty = {}
    parts.consumer._offsets = {}
    assert await parts.checkpoints.run()
    assert parts.seen.events == ["store cut", "state cut"]


async def test_two_checkpoints_do_not_overlap(parts: Parts) -> None:
    both = asyncio.gather(parts.checkpoints.run(), parts.checkpoints.run())
    parts.documents.acknowledged.set()
    await both
    first, second = parts.seen.events.index("commit"), parts.seen.events.index("store cut", 1)
    assert first < second


def test_void_reaches_everything(parts: Parts) -> None:
    parts.checkpoints.void()
    assert parts.seen.events == ["store void", "state void"]


@pytest.mark.parametrize(
    ("took_s", "pauses_s"),
    [(0.0, (1.0, 1.0)), (0.1, (0.9, 0.9)), (1.5, (0.0, 6.0)), (60.0, (0.0, 10.0))],
)
def test_what_takes_long_is_done_less_often(
    parts: Parts, took_s: float, pauses_s: tuple[float, float]
) -> None:
    parts.checkpoints.took_s = took_s
    assert parts.checkpoints.pauses_s() == pauses_s


async def test_how_long_a_checkpoint_took(parts: Parts) -> None:
    running = asyncio.create_task(parts.checkpoints.run())
    await asyncio.sleep(0.05)
    parts.documents.acknowledged.set()
    await running
    assert parts.checkpoints.took_s >= 0.04


@pytest.mark.parametrize(("rows", "given"), [(MANY_ROWS, 2), (MANY_ROWS - 1, 0)])
async def test_memory_of_many_rows_is_given_back_and_once_more_at_the_next(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, rows: int, given: int
) -> None:
    calls: list[int] = []
    monkeypatch.setattr("transport.checkpoint.give_back", lambda: calls.append(1))
    parts.table.dirty = {str(number): (0, b'{"offset":4}') for number in range(rows)}
    parts.documents.acknowledged.set()
    for _ in range(4):
        assert await parts.checkpoints.run()
    assert len(calls) == given


async def test_memory_is_given_back_now_and_then(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large messages leave holes as well, and go on doing so while nothing is to be saved."""
    calls: list[int] = []
    monkeypatch.setattr("transport.checkpoint.give_back", lambda: calls.append(1))
    monkeypatch.setattr("transport.checkpoint.GIVE_BACK_EVERY_S", 0.0)
    parts.documents.acknowledged.set()
    for _ in range(3):
        assert await parts.checkpoints.run()
    assert len(calls) == 3
