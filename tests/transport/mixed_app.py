"""A small app with a batched topic and an ordinary one, for the tests of the transport."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import faust
from faust.types import StreamT

from config import read_settings
from startup import faust_options
from transport import BatchingApp

PREFIX = os.environ["TEST_PREFIX"]

settings = read_settings()
app = BatchingApp(settings.app_id, checkpoint_interval_s=0.1, **faust_options(settings))

counts = app.Table("counts", default=int, partitions=settings.topic_partitions)
plain_topic = app.topic(f"{PREFIX}-plain", key_type=str, value_type=bytes)
results = app.topic(f"{PREFIX}-results", key_type=str, value_type=str)

seen: set[tuple[int, int]] = set()
failed: list[int] = []


@app.agent(plain_topic, name="plain")
async def plain(stream: StreamT[bytes]) -> None:
    """Ordinary Faust: one event a message, a table, an acknowledgement."""
    async for key, _ in stream.items():
        counts[key] += 1
        await results.send(key=key, value=f"plain {counts[key]}")


@app.agent(app.batched_topic(f"{PREFIX}-batched"), name="batched")
async def batched(stream: StreamT[Any]) -> None:
    """Batches; the first time that it meets the value `fail`, it goes back.

    At the value `slow` it takes its time and says no more than how many batches wait, at most.
    """
    consumer: Any = app.consumer
    most = 0
    async for batch in stream:
        if not batch.current:
            continue
        values = [record.value for record in batch.records]
        if b"slow" in values:
            most = max(most, consumer.offsets.outstanding[batch.tp.topic])
            await asyncio.sleep(0.01)
            batch.done()
            if values[-1] == b"report":
                await results.send(key="k", value=f"outstanding {most}")
            continue
        if b"fail" in values and not failed:
            failed.append(1)
            consumer.rewind(RuntimeError("on purpose"))
            continue
        for record in batch.records:
            again = "again" if (batch.tp.partition, record.offset) in seen else "first"
            seen.add((batch.tp.partition, record.offset))
            text = f"batched {record.offset} {again} {batch.tp.partition}"
            await results.send(key=record.key.decode(), value=text)
        if batch.current:
            batch.done()


assert isinstance(app, faust.App)
