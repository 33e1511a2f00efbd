"""The limit of any consumer on aiokafka, on which Faust stands: fetch, do nothing."""

from __future__ import annotations

from importlib.metadata import version
from time import perf_counter

import uvloop
from aiokafka import AIOKafkaConsumer

from benchmarks.protocol import Task, say_ready, say_seconds, say_settings


async def fetch_all(task: Task) -> float:
    """Fetch the topic once; seconds that it took, scaled to all messages."""
    consumer = AIOKafkaConsumer(
        task.topic,
        bootstrap_servers=task.kafka,
        group_id=task.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    received = first = 0
    start = 0.0
    while received < task.bars:
        batches = await consumer.getmany(timeout_ms=1_000)
        count = sum(map(len, batches.values()))
        if received == 0 and count:
            # The first fetch is in hand: it does not count.
            start, first = perf_counter(), count
            say_ready()
        received += count
    seconds = perf_counter() - start
    await consumer.commit()
    await consumer.stop()
    return seconds * task.bars / (task.bars - first)


def main() -> None:
    """Fetch the topic once, then stop."""
    task = Task.given()
    say_settings({"aiokafka": version("aiokafka"), "loop": "uvloop"})
    say_seconds(uvloop.run(fetch_all(task)))


if __name__ == "__main__":
    main()
