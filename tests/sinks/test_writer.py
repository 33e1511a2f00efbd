"""The writer: in order, in the background, with backpressure, through outages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from errors import StoreUnavailable
from sinks import MemorySink, Mode, Refusal, Sink, Write, Writer
from sinks.base import Document
from sinks.writer import MOST_WAITING

C = "things"
LETTERS = "dead"


class Recording(MemorySink):
    """Remembers every call, and in how many threads at a time it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self.threads: set[int] = set()
        self._alone = threading.Lock()

    def write(self, writes: Sequence[Write]) -> list[Refusal]:
        assert self._alone.acquire(blocking=False), "two calls at a time"
        try:
            self.threads.add(threading.get_ident())
            self.calls.append([write.id for write in writes])
            return self.store(writes)
        finally:
            self._alone.release()

    def store(self, writes: Sequence[Write]) -> list[Refusal]:
        """What subclasses change."""
        return super().write(writes)


class Away(Recording):
    """Is not there for the first so many calls; takes a part of the second, then fails, too."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def store(self, writes: Sequence[Write]) -> list[Refusal]:
        if self.times:
            self.times -= 1
            if self.times:
                MemorySink.write(self, writes[:1])
            raise StoreUnavailable("memory", "away")
        return super().store(writes)


class Held(Recording):
    """Stores nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go = threading.Event()

    def store(self, writes: Sequence[Write]) -> list[Refusal]:
        self.entered.set()
        assert self.go.wait(20)
        return super().store(writes)


class Broken(Recording):
    """Fails in a way that is no outage."""

    def store(self, writes: Sequence[Write]) -> list[Refusal]:
        raise ValueError("broken")


class Picky(Recording):
    """Refuses documents that say so."""

    def store(self, writes: Sequence[Write]) -> list[Refusal]:
        bad = [write for write in writes if write.document.get("bad")]
        super().store([write for write in writes if write not in bad])
        return [Refusal(write, "is bad") for write in bad]


def to_letters(refused: Sequence[Refusal]) -> list[Write]:
    return [Write(LETTERS, r.write.id, {"reason": r.reason}, Mode.INSERT_ONLY) for r in refused]


@asynccontextmanager
async def writing(sink: Sink) -> AsyncIterator[Writer]:
    """A writer into ``sink``, closed at the end whatever happened."""
    writer = Writer(sink, "test", to_letters)
    try:
        yield writer
    finally:
        if isinstance(sink, Held):
            sink.go.set()
        writer.close()


def one(id_: str, **document: object) -> list[Write]:
    return [Write(C, id_, dict(document))]


async def soon(awaitable: Awaitable[None]) -> None:
    """Await what must come to an end."""
    await asyncio.wait_for(awaitable, 10)


async def until(condition: Callable[[], bool]) -> None:
    """Return once ``condition`` holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - threads and lists have no asyncio.Event
            await asyncio.sleep(0.001)


async def full(writer: Writer, sink: Held) -> None:
    """Submit until there is no more room, the first write under way."""
    for number in range(MOST_WAITING):
        await soon(writer.ready())
        writer.submit(one(str(number), n=number))
        await until(sink.entered.is_set)


async def test_what_is_submitted_is_stored_in_order() -> None:
    sink = Recording()
    async with writing(sink) as writer:
        for number in range(50):
            await soon(writer.ready())
            writer.submit([*one("same", n=number), *one(str(number), n=number)])
        await soon(writer.flushed(writer.cut()))
    assert sink.collections[C].pop("same") == {"n": 49}
    assert sink.collections[C] == {str(n): {"n": n} for n in range(50)}
    flat = [id_ for call in sink.calls for id_ in call if id_ != "same"]
    assert flat == [str(n) for n in range(50)]
    assert len(sink.threads) == 1


async def test_what_waits_together_is_stored_together_each_document_once() -> None:
    sink = Held()
    async with writing(sink) as writer:
        writer.submit(one("first"))
        await until(sink.entered.is_set)
        writer.submit([*one("a", n=1), *one("b", n=1)])
        writer.submit(one("a", n=2))
        sink.go.set()
        await soon(writer.flushed(writer.cut()))
        assert writer.stored == 3
    assert sink.calls == [["first"], ["a", "b"]]
    assert sink.collections[C] == {"first": {}, "a": {"n": 2}, "b": {"n": 1}}


async def test_writes_that_cannot_be_merged_are_stored_one_after_the_other() -> None:
    sink = Held()
    sink.collections[C]["a"] = {"closed": True, "indicators": {"rsi": 1.0}}
    update: Document = {"indicators": {"rsi": 2.0}}
    async with writing(sink) as writer:
        writer.submit(one("first"))
        await until(sink.entered.is_set)
        writer.submit([Write(C, "a", update, Mode.UPDATE_ONLY)])
        writer.submit([Write(C, "a", {"closed": False}, Mode.UNLESS_CLOSED)])
        sink.go.set()
        await soon(writer.flushed(writer.cut()))
    assert sink.collections[C]["a"] == {"closed": True, "indicators": {"rsi": 2.0}}


async def test_ready_waits_where_too_much_is_waiting_and_returns_after_progress() -> None:
    sink = Held()
    async with writing(sink) as writer:
        await full(writer, sink)
        waiting = asyncio.create_task(writer.ready())
        await asyncio.wait({waiting}, timeout=0.05)
        assert not waiting.done()
        sink.go.set()
        await soon(waiting)


async def test_ready_and_flushed_return_at_once_where_nothing_waits() -> None:
    async with writing(Recording()) as writer:
        await soon(writer.ready())
        await soon(writer.flushed(writer.cut()))


async def test_flushed_waits_for_what_came_before_the_mark_and_for_no_more() -> None:
    sink = Held()
    async with writing(sink) as writer:
        writer.submit(one("a"))
        mark = writer.cut()
        flushed = asyncio.create_task(writer.flushed(mark))
        await until(sink.entered.is_set)
        assert not flushed.done()
        sink.go.set()
        await soon(flushed)
        assert sink.collections[C] == {"a": {}}
        sink.go.clear()
        writer.submit(one("b"))
        await soon(writer.flushed(mark))
        assert "b" not in sink.collections[C]


async def test_an_empty_submission_counts() -> None:
    sink = Recording()
    async with writing(sink) as writer:
        writer.submit([])
        await soon(writer.flushed(writer.cut()))
    assert sink.collections == {}


async def test_an_outage_is_sat_out_and_nothing_is_lost() -> None:
    sink = Away(3)
    async with writing(sink) as writer:
        writer.submit([*one("a", n=1), *one("b", n=1)])
        await until(lambda: bool(sink.calls))
        writer.submit(one("a", n=2))
        await soon(writer.flushed(writer.cut()))
    assert sink.calls == [["a", "b"]] * 4 + [["a"]]
    assert sink.collections[C] == {"a": {"n": 2}, "b": {"n": 1}}


async def test_what_is_refused_is_written_down_after_the_rest_is_stored() -> None:
    sink = Picky()
    async with writing(sink) as writer:
        writer.submit([*one("a"), *one("b", bad=True), *one("c"), *one("d", bad=True)])
        await soon(writer.flushed(writer.cut()))
        assert writer.stored == 2
    assert sink.calls == [["a", "b", "c", "d"], ["b", "d"]]
    assert sink.collections[C] == {"a": {}, "c": {}}
    assert sink.collections[LETTERS] == {"b": {"reason": "is bad"}, "d": {"reason": "is bad"}}


async def test_an_outage_between_the_rest_and_what_was_refused() -> None:
    class PickyAndAway(Picky):
        def store(self, writes: Sequence[Write]) -> list[Refusal]:
            if len(self.calls) in (2, 3):
                raise StoreUnavailable("memory", "away")
            return super().store(writes)

    sink = PickyAndAway()
    async with writing(sink) as writer:
        writer.submit([*one("a"), *one("b", bad=True)])
        await soon(writer.flushed(writer.cut()))
    assert sink.calls == [["a", "b"], ["b"], ["b"], ["b"]]
    assert sink.collections == {C: {"a": {}}, LETTERS: {"b": {"reason": "is bad"}}}


async def test_a_failure_that_is_no_outage_surfaces() -> None:
    async with writing(Broken()) as writer:
        writer.submit(one("a"))
        with pytest.raises(ValueError, match="broken"):
            await soon(writer.flushed(writer.cut()))
        with pytest.raises(ValueError, match="broken"):
            await soon(writer.ready())


async def test_a_failure_surfaces_to_those_who_wait() -> None:
    class BrokenLater(Held):
        def store(self, writes: Sequence[Write]) -> list[Refusal]:
            super().store(writes)
            raise ValueError("broken")

    sink = BrokenLater()
    async with writing(sink) as writer:
        await full(writer, sink)
        ready = asyncio.create_task(writer.ready())
        flushed = asyncio.create_task(writer.flushed(writer.cut()))
        await asyncio.wait({ready, flushed}, timeout=0.02)
        sink.go.set()
        for waiting in (ready, flushed):
            with pytest.raises(ValueError, match="broken"):
                await soon(waiting)
