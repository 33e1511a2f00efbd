"""Offsets are committed before MongoDB has acknowledged the documents.

MongoDB is made slow, so that a kill always finds some on their way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from app import app
from sinks import MongoSink, Refusal, Write
from transport.checkpoint import Checkpointer

__all__ = ["app"]

_SLOWNESS_S = 0.5

_write = MongoSink.write


def _slowly(self: MongoSink, writes: Sequence[Write]) -> list[Refusal]:
    time.sleep(_SLOWNESS_S)
    return _write(self, writes)


async def _run(self: Checkpointer) -> bool:
    async with self._running:
        consumer = self._consumer
        if consumer is None:
            return True
        offsets = consumer.uncommitted()
        for state in self._states:
            rows = state.cut()
            if rows:
                await state.send(rows)
                state.keep(rows)
        return await self._commit(consumer, offsets)


MongoSink.write = _slowly  # type: ignore[method-assign]
Checkpointer.run = _run  # type: ignore[method-assign]
