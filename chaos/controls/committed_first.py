"""Offsets are committed before the changelog has the state that belongs to them.

The changelog is made slow, so that a kill finds some of it on its way.
"""

from __future__ import annotations

import asyncio

from app import app
from transport.checkpoint import Checkpointer

__all__ = ["app"]

_SLOWNESS_S = 3.0


async def _run(self: Checkpointer) -> bool:
    async with self._running:
        consumer = self._consumer
        if consumer is None:
            return True
        epoch = consumer.epoch
        offsets = consumer.uncommitted()
        marks = [(store, store.cut()) for store in self._stores]
        cuts = [(state, state.cut()) for state in self._states]
        if not offsets and not any(rows for _, rows in cuts):
            return True
        for store, mark in marks:
            await store.flushed(mark)
        committed = await self._commit(consumer, offsets)
        await asyncio.sleep(_SLOWNESS_S)
        for state, rows in cuts:
            if rows and consumer.epoch == epoch:
                await state.send(rows)
                state.keep(rows)
        return committed


Checkpointer.run = _run  # type: ignore[method-assign]
