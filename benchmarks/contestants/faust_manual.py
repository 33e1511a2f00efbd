"""Faust as its manual shows it: one event at a time, a table write, one upsert, all awaited.

``faust -A benchmarks.contestants.faust_manual worker``. The Record is decoded by Faust, the table's
changelog and the offsets are Faust's own business.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Optional

import faust
from faust.types import StreamT
from pymongo import AsyncMongoClient

from benchmarks.documents import COLLECTION, document, ohlcv
from benchmarks.live import LiveIndicators
from benchmarks.protocol import Task, say_ready, say_settings


class Bar(faust.Record, serializer="json", include_metadata=False):
    """A bar as it is on the topic."""

    ticker: str
    interval: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    source: str
    ingested: int
    adjusted_close: Optional[float] = None  # noqa: UP045 - Faust reads Optional, not unions
    closed: bool = True


task = Task.given()
app = faust.App(
    task.group,
    broker=f"kafka://{task.kafka}",
    store="memory://",
    datadir=task.directory,
    topic_partitions=4,
    topic_disable_leader=True,
    table_standby_replicas=0,
    consumer_auto_offset_reset="earliest",
)
topic = app.topic(task.topic, value_type=Bar)
table: Any = app.Table("indicators", key_type=str, value_type=list, partitions=4)
collection: Any = AsyncMongoClient(task.mongodb, tz_aware=True)[task.database][COLLECTION]
live = LiveIndicators()


@app.agent(topic)
async def process(bars: StreamT[Bar]) -> None:
    """Update the ticker's indicators, keep them in the table, store the bar."""
    say_settings(
        {name: version(name) for name in ("faust-streaming", "aiokafka", "pymongo", "uvloop")}
        | {"loop": "uvloop", "store": "memory://", "broker_commit_interval": "2.8 s (default)"}
    )
    started = False
    async for bar in bars:
        if not started:
            started = True
            say_ready()
        indicators = live.of(bar.ticker, None if bar.ticker in live else table.get(bar.ticker))
        fields = bar.asdict()
        indicators.update(ohlcv(fields))
        table[bar.ticker] = indicators.state()
        stored = document(fields, indicators.values())
        await collection.update_one({"_id": stored["_id"]}, {"$set": stored}, upsert=True)
