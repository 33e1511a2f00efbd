"""Indicators that others computed: store them beside ours, on the same bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord
from faust.types import StreamT

from agents.services import OUR_HEADERS, Services
from agents.stage import StoringStage
from models import OURSELVES, IndicatorSnapshot
from models.snapshots import is_own_snapshot
from sinks import Origin, Write
from sinks.documents import snapshot_write
from topics import TECHNICAL_INDICATORS
from transport import BatchingApp


class IndicatorsStage(StoringStage):
    """Stores others' indicators; our own are stored with their bar already."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "indicators", TECHNICAL_INDICATORS, to_writes)

    def one(self, message: ConsumerRecord) -> Sequence[Write]:
        """Pass our own over without reading them: there is one for every bar.

        The header alone does not tell, as anybody may send it.
        """
        if message.headers != OUR_HEADERS or not is_own_snapshot(message.key, message.value):
            return super().one(message)
        self.copy_to_view(message)
        return ()


def to_writes(snapshot: IndicatorSnapshot, origin: Origin) -> Sequence[Write]:
    """Return the write of others' indicators; our own may come without their header as well."""
    return [] if snapshot.source == OURSELVES else [snapshot_write(snapshot, origin)]


def attach(app: BatchingApp, services: Services) -> None:
    """Declare the agent of ``technical-indicators``."""
    stage = IndicatorsStage(services)

    @app.agent(app.batched_topic(TECHNICAL_INDICATORS.name), name="indicators")
    async def indicators(stream: StreamT[Any]) -> None:
        """Others' indicators, beside ours in `stock_prices`."""
        await stage.run(stream)
