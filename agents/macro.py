"""The macro backdrop: all economic series, at hand wherever a ticker's trend is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from agents.services import Services
from agents.stage import Stage
from agents.trends import Trends
from models import SeriesUpdate
from sinks import Origin, Write
from tables.series import MacroTable, Observed
from topics import MACRO_BACKDROP
from transport import BatchingApp


class MacroStage(Stage):
    """Keeps what each partition of ``macro-backdrop`` says; its tickers have a new trend then."""

    def __init__(self, services: Services, table: MacroTable, trends: Trends) -> None:
        super().__init__(services, "macro", MACRO_BACKDROP)
        self.table = table
        self.trends = trends

    def apply(self, update: SeriesUpdate, origin: Origin) -> Sequence[Write]:
        """Apply one update; there is nothing to store, the observations are."""
        partition = origin.partition
        self.trends.mark_partition(partition)
        key = self.table.key(partition, update.series)
        state = self.table.of(key, partition)
        if origin.offset <= state.offset:
            self.count("redelivered")
            return []
        state.take(
            Observed(one["time"], one["realtime_start"], one["ingested"], one["value"])
            for one in update.observations
        )
        state.offset = origin.offset
        self.table.mark_dirty(key)
        self.count("applied")
        return []


def attach(app: BatchingApp, services: Services, table: MacroTable, trends: Trends) -> None:
    """Declare the agent of ``macro-backdrop``."""
    stage = MacroStage(services, table, trends)
    app.checkpoints.register_state(table)

    @app.agent(app.batched_topic(MACRO_BACKDROP.name), name="macro")
    async def macro(stream: StreamT[Any]) -> None:
        """The economic series in each partition: table `macro`."""
        await stage.run(stream)
