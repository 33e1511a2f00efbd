"""Indicators that others computed: store them beside ours, on the same bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from agents.services import Services
from agents.stage import StoringStage
from models import OURSELVES, IndicatorSnapshot
from sinks import Origin, Write
from sinks.documents import snapshot_write
from topics import TECHNICAL_INDICATORS
from transport import BatchingApp


def to_writes(snapshot: IndicatorSnapshot, origin: Origin) -> Sequence[Write]:
    """Return the write of others' indicators; our own are stored with their bar already."""
    return [] if snapshot.source == OURSELVES else [snapshot_write(snapshot, origin)]


def attach(app: BatchingApp, services: Services) -> None:
    """Declare the agent of ``technical-indicators``."""
    stage = StoringStage(services, "indicators", TECHNICAL_INDICATORS, to_writes)

    @app.agent(app.batched_topic(TECHNICAL_INDICATORS.name), name="indicators")
    async def indicators(stream: StreamT[Any]) -> None:
        """Others' indicators, beside ours in `stock_prices`."""
        await stage.run(stream)
