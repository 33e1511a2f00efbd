"""Whether a worker can do its work now, and what is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from pymongo.errors import PyMongoError

from broker import Broker
from errors import FinancialTrendsError
from monitoring.kafka import PATIENCE_S, Kafka

#: So long an answer stands, in seconds: whoever asks more often costs nothing.
FRESH_S = 1.0

#: What a check says where nothing is wrong.
WELL = "ok"


class Readiness:
    """Looks at partitions, tables, MongoDB and Kafka.

    Args:
        app: a BatchingApp.
        kafka: asks the brokers.
        ping_mongodb: returns once MongoDB has answered.
    """

    def __init__(self, app: Any, kafka: Kafka, ping_mongodb: Callable[[], Awaitable[Any]]) -> None:
        self._app = app
        self._kafka = kafka
        self._ping_mongodb = ping_mongodb
        self._one_at_a_time = asyncio.Lock()
        self._looked_at = float("-inf")
        self._servers: dict[str, str] = {}

    async def checks(self) -> dict[str, str]:
        """Return, by name, ``"ok"`` or what is wrong, in words without addresses."""
        async with self._one_at_a_time:
            if time.monotonic() - self._looked_at > FRESH_S:
                mongodb, kafka = await asyncio.gather(self._mongodb(), self._brokers())
                self._servers = {"mongodb": mongodb, "kafka": kafka}
                self._looked_at = time.monotonic()
        return {"partitions": self._partitions(), "recovery": self._recovery(), **self._servers}

    def _partitions(self) -> str:
        if self._app.rebalancing:
            return "the workers are sharing the partitions out"
        if not self._app.consumer.saved():
            return "this worker has no partitions"
        return WELL

    def _recovery(self) -> str:
        recovered = self._app.tables.recovery.completed.is_set()
        if self._app.in_recovery or not recovered:
            return "the tables are being read from their changelogs"
        return WELL

    async def _mongodb(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._ping_mongodb()
        except (PyMongoError, TimeoutError):
            return f"MongoDB does not answer within {PATIENCE_S:g} s"
        return WELL

    async def _brokers(self) -> str:
        try:
            await self._kafka.ask(Broker.partitions)
        except FinancialTrendsError:
            return f"Kafka does not answer within {PATIENCE_S:g} s"
        return WELL
