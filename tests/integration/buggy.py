"""The program with a bug: one bar breaks it half-way through its indicators."""

from __future__ import annotations

from collections.abc import Sequence

from agents.prices import PricesStage
from app import app
from models.quick import AnyBar
from sinks import Origin, Write

__all__ = ["app"]

BREAKS = 666.0

_apply = PricesStage.apply


def _apply_or_break(self: PricesStage, bar: AnyBar, origin: Origin) -> Sequence[Write]:
    writes = _apply(self, bar, origin)
    if bar.close == BREAKS:
        raise RuntimeError("a bug")
    return writes


PricesStage.apply = _apply_or_break  # type: ignore[method-assign]
