"""The writer when an epoch ends: what is not stored is void, and the next epoch works."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from errors import StoreUnavailable
from sinks import Refusal, Write, Writer
from tests.sinks.test_writer import (
    C,
    Held,
    Recording,
    full,
    one,
    soon,
    to_letters,
    until,
    writing,
)


class Switched(Recording):
    """Is away, or broken, until the test says otherwise."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def store(self, writes: Sequence[Write]) -> list[Refusal]:
        if self.error is not None:
            raise self.error
        return super().store(writes)


AWAY = StoreUnavailable("memory", "away")


async def test_void_drops_what_is_not_stored_and_new_submissions_are_stored() -> None:
    sink = Switched(AWAY)
    async with writing(sink) as writer:
        writer.submit(one("void"))
        await until(lambda: bool(sink.calls))
        writer.void()
        sink.error = None
        writer.submit(one("new"))
        await soon(writer.flushed(writer.cut()))
    assert sink.collections == {C: {"new": {}}}


async def test_void_makes_room_for_those_who_wait_for_it() -> None:
    sink = Switched(AWAY)
    async with writing(sink) as writer:
        for number in range(3):
            writer.submit(one(str(number)))
        ready = asyncio.create_task(writer.ready())
        await until(lambda: bool(sink.calls))
        assert not ready.done()
        writer.void()
        await soon(ready)


async def test_void_releases_a_checkpoint_that_waits() -> None:
    sink = Switched(AWAY)
    async with writing(sink) as writer:
        writer.submit(one("a"))
        flushed = asyncio.create_task(writer.flushed(writer.cut()))
        await until(lambda: bool(sink.calls))
        assert not flushed.done()
        writer.void()
        await soon(flushed)


async def test_void_forgives_a_failure() -> None:
    sink = Switched(ValueError("broken"))
    async with writing(sink) as writer:
        writer.submit(one("a"))
        with pytest.raises(ValueError, match="broken"):
            await soon(writer.flushed(writer.cut()))
        writer.void()
        sink.error = None
        await soon(writer.ready())
        writer.submit(one("b"))
        await soon(writer.flushed(writer.cut()))
    assert sink.collections == {C: {"b": {}}}


async def test_void_of_an_idle_writer_changes_nothing() -> None:
    sink = Recording()
    async with writing(sink) as writer:
        writer.void()
        writer.submit(one("a"))
        await soon(writer.flushed(writer.cut()))
        writer.void()
        writer.submit(one("b"))
        await soon(writer.flushed(writer.cut()))
    assert sink.collections == {C: {"a": {}, "b": {}}}


async def test_an_attempt_under_way_is_over_before_a_later_one_starts() -> None:
    sink = Held()
    async with writing(sink) as writer:
        writer.submit(one("a", n="old"))
        await until(sink.entered.is_set)
        writer.void()
        writer.submit(one("a", n="new"))
        flushed = asyncio.create_task(writer.flushed(writer.cut()))
        await asyncio.wait({flushed}, timeout=0.05)
        assert not flushed.done()
        assert len(sink.calls) == 1
        sink.go.set()
        await soon(flushed)
    # Recording itself fails where two calls run at a time.
    assert sink.calls == [["a"], ["a"]]
    assert sink.collections[C] == {"a": {"n": "new"}}
    assert len(sink.threads) == 1


async def test_who_stops_waiting_leaves_the_writer_at_work() -> None:
    sink = Held()
    async with writing(sink) as writer:
        await full(writer, sink)
        for waiting in (writer.ready(), writer.flushed(writer.cut())):
            task = asyncio.create_task(waiting)
            await asyncio.wait({task}, timeout=0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        sink.go.set()
        await soon(writer.flushed(writer.cut()))
        await soon(writer.ready())
        writer.submit(one("after"))
        await soon(writer.flushed(writer.cut()))
    assert list(sink.collections[C]) == ["0", "1", "2", "after"]


async def test_close_stops_at_once_and_ends_the_thread() -> None:
    sink = Held()
    writer = Writer(sink, "closing", to_letters)
    writer.submit(one("a"))
    await until(sink.entered.is_set)
    writer.submit(one("void"))
    writer.close()
    sink.go.set()
    await until(lambda: not any(t.name.startswith("store-closing") for t in threading.enumerate()))
    assert sink.calls == [["a"]]


async def test_a_writer_that_was_never_used_can_be_closed() -> None:
    Writer(Recording(), "unused", to_letters).close()
