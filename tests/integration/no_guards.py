"""The program with one fault on purpose: state applies what it has seen already."""

from __future__ import annotations

from collections.abc import Sequence

from agents.prices import PricesStage
from models.quick import AnyBar
from sinks import Origin, Write
from sinks.documents import bar_write
from tests.integration.slow_commit import app

__all__ = ["app"]


def _apply(self: PricesStage, bar: AnyBar, origin: Origin) -> Sequence[Write]:
    state = self.table.of(bar.ticker, origin.partition)
    interval = state.interval(bar.interval)
    values = interval.advance(bar, bar.time)
    self.table.mark_dirty(bar.ticker)
    return [bar_write(bar, origin, values)]


PricesStage.apply = _apply  # type: ignore[method-assign]
