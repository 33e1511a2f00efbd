"""The program with one fault on purpose: offsets are committed before anything is saved."""

from __future__ import annotations

from app import app
from transport.checkpoint import Checkpointer

__all__ = ["app"]


async def _run(self: Checkpointer) -> bool:
    consumer = self._consumer
    assert consumer is not None
    await consumer.commit_offsets(consumer.uncommitted())
    for state in self._states:
        rows = state.cut()
        # The worker dies before the changelog has them.
        state.keep(rows)
    return True


Checkpointer.run = _run  # type: ignore[method-assign]
