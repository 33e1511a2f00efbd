"""State applies again what it has seen already.

The commit is made slow, so that a kill finds state that is ahead of its offsets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from faust.types import TP

from agents.prices import PricesStage
from app import app
from models.quick import AnyBar
from sinks import Origin, Write
from sinks.documents import bar_write
from transport.consumer import BatchingConsumer

__all__ = ["app"]

_SLOWNESS_S = 3.0

_commit_offsets = BatchingConsumer.commit_offsets


async def _slowly(self: BatchingConsumer, offsets: Mapping[TP, int]) -> bool:
    await asyncio.sleep(_SLOWNESS_S)
    return await _commit_offsets(self, offsets)


_apply = PricesStage.apply


def _without_guards(self: PricesStage, bar: AnyBar, origin: Origin) -> Sequence[Write]:
    state = self.table.of(bar.ticker, origin.partition)
    interval = state.interval(bar.interval)
    if bar.closed and origin.offset <= state.offset:
        values = interval.advance(bar, bar.time)
        self.table.mark_dirty(bar.ticker)
        return [bar_write(bar, origin, values)]
    return _apply(self, bar, origin)


BatchingConsumer.commit_offsets = _slowly  # type: ignore[method-assign]
PricesStage.apply = _without_guards  # type: ignore[method-assign]
