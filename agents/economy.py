"""Macroeconomic observations: store each once, and tell every partition of the newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from agents.services import Services
from agents.stage import Stage
from models import INTEGRATION_TEST, SERIES_UPDATE, EconomicObservation
from sinks import Origin, Write
from sinks.documents import observation_write
from tables.series import EconomyTable, Observed
from topics import ECONOMIC_INDICATORS, MACRO_BACKDROP
from transport import BatchingApp


def to_writes(observation: EconomicObservation, origin: Origin) -> Sequence[Write]:
    """Return the write of one observation; its revisions are documents of their own."""
    return [observation_write(observation, origin)]


class Broadcast:
    """Sends series to every partition of ``macro-backdrop``, at every cut of a checkpoint.

    A Store for checkpoints: an observation is committed, and its state saved, only once all
    partitions have been told.
    """

    def __init__(self, services: Services, table: EconomyTable) -> None:
        self._services = services
        self._table = table
        #: Series of which the newest periods changed, with their own partition.
        self._changed: dict[str, int] = {}

    def mark(self, series: str, partition: int) -> None:
        """Have the next checkpoint send ``series``."""
        self._changed[series] = partition

    def cut(self) -> None:
        """Hand what is marked to the outbox, which is cut later."""
        changed, self._changed = self._changed, {}
        for series, partition in changed.items():
            observations = self._table.of(series, partition).observations
            message = SERIES_UPDATE.dump(
                {
                    "series": series,
                    "time": observations[0].time,
                    "observations": [one._asdict() for one in observations],
                }
            )
            for place in range(self._services.settings.topic_partitions):
                self._services.outbox.add(MACRO_BACKDROP.name, place, series.encode(), message)

    async def flushed(self, mark: None) -> None:
        """Nothing is kept here: the outbox has a mark of its own."""

    def void(self) -> None:
        """Forget the marks; the messages that made them will come again."""
        self._changed.clear()


class EconomyStage(Stage):
    """Stores observations, and keeps the two newest periods of each series."""

    def __init__(self, services: Services, table: EconomyTable, broadcast: Broadcast) -> None:
        super().__init__(services, "economy", ECONOMIC_INDICATORS)
        self.table = table
        self._broadcast = broadcast

    def apply(self, observation: EconomicObservation, origin: Origin) -> Sequence[Write]:
        """Apply one observation."""
        writes = to_writes(observation, origin)
        series = observation.series
        if observation.source == INTEGRATION_TEST or not self.routed(series, origin):
            return writes
        state = self.table.of(series, origin.partition)
        if origin.offset <= state.offset:
            self.count("redelivered")
            return writes
        observed = Observed(
            observation.time,
            observation.realtime_start,
            observation.ingested,
            observation.value,
        )
        if state.take([observed]):
            self._broadcast.mark(series, origin.partition)
        state.offset = origin.offset
        self.table.mark_dirty(series)
        self.count("applied")
        return writes


def attach(app: BatchingApp, services: Services, table: EconomyTable) -> None:
    """Declare the agent of ``economic-indicators``."""
    broadcast = Broadcast(services, table)
    app.checkpoints.register_store(broadcast)
    app.checkpoints.register_state(table)
    stage = EconomyStage(services, table, broadcast)

    @app.agent(app.batched_topic(ECONOMIC_INDICATORS.name), name="economy")
    async def economy(stream: StreamT[Any]) -> None:
        """Macroeconomic observations: collection `economic_indicators`, table `economy`."""
        await stage.run(stream)
