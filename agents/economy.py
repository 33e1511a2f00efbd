"""Macroeconomic observations: store each once, revisions beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from agents.services import Services
from agents.stage import StoringStage
from models import EconomicObservation
from sinks import Origin, Write
from sinks.documents import observation_write
from topics import ECONOMIC_INDICATORS
from transport import BatchingApp


def to_writes(observation: EconomicObservation, origin: Origin) -> Sequence[Write]:
    """Return the write of one observation."""
    return [observation_write(observation, origin)]


def attach(app: BatchingApp, services: Services) -> None:
    """Declare the agent of ``economic-indicators``."""
    stage = StoringStage(services, "economy", ECONOMIC_INDICATORS, to_writes)

    @app.agent(app.batched_topic(ECONOMIC_INDICATORS.name), name="economy")
    async def economy(stream: StreamT[Any]) -> None:
        """Macroeconomic observations: collection `economic_indicators`."""
        await stage.run(stream)
