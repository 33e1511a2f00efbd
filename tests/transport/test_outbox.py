"""What a checkpoint learns of messages that are on their way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.transport.test_checkpoint import PLACE, Consumer, Recorder
from transport import BatchingApp
from transport.checkpoint import Checkpointer
from transport.outbox import Outbox


class HeldOutbox(Outbox):
    """Its messages are acknowledged, or fail, when the test says so."""

    def __init__(self) -> None:
        super().__init__(BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://"))
        self.answers: list[asyncio.Future[None]] = []

    async def _send(self, gathered: dict[tuple[str, int], list[Any]]) -> None:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        await answer

    def send(self) -> None:
        """Put a message on its way."""
        self.add("trends", 0, b"AAPL", b"{}")
        self.post()


@pytest.fixture
async def outbox() -> HeldOutbox:
    """Two sendings are on their way."""
    held = HeldOutbox()
    held.send()
    held.send()
    await asyncio.sleep(0)
    return held


async def test_a_checkpoint_waits_for_all(outbox: HeldOutbox) -> None:
    waiting = asyncio.create_task(outbox.flushed(None))
    outbox.answers[0].set_result(None)
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.answers[1].set_result(None)
    await waiting


async def test_a_failure_is_told_before_the_rest_is_acknowledged(outbox: HeldOutbox) -> None:
    waiting = asyncio.create_task(outbox.flushed(None))
    await asyncio.sleep(0)
    outbox.answers[1].set_exception(OSError("no room"))
    with pytest.raises(OSError, match="no room"):
        await waiting
    # And to the next checkpoint as well, until it is void.
    with pytest.raises(OSError, match="no room"):
        await outbox.flushed(None)
    outbox.void()
    await outbox.flushed(None)


async def test_a_checkpoint_outlives_what_it_waits_for() -> None:
    """Its epoch ends while messages are on their way: it commits nothing, and the next one runs."""
    held, consumer = HeldOutbox(), Consumer(Recorder(), {PLACE: 5})
    checkpoints = Checkpointer(1.0)
    checkpoints.attach(consumer)
    checkpoints.register_store(held)
    held.send()
    running = asyncio.create_task(checkpoints.run())
    await asyncio.sleep(0)
    consumer.epoch += 1
    checkpoints.void()
    assert await running is False
    assert consumer.committed == {}
    assert await checkpoints.run() is True
    assert consumer.committed == {PLACE: 5}
