"""The limit of any consumer on librdkafka: fetch all messages, do nothing with them."""

from __future__ import annotations

from importlib.metadata import version
from time import perf_counter

from confluent_kafka import Consumer

from benchmarks.protocol import Task, say_ready, say_seconds, say_settings

AT_ONCE = 1_000


def main() -> None:
    """Fetch the topic once, then stop."""
    task = Task.given()
    say_settings({"confluent-kafka": version("confluent-kafka"), "consume": AT_ONCE})
    consumer = Consumer(
        {
            "bootstrap.servers": task.kafka,
            "group.id": task.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([task.topic])
    received, start = 0, 0.0
    while received < task.bars:
        messages = consumer.consume(AT_ONCE, timeout=1.0)
        good = sum(one.error() is None for one in messages)
        if received == 0 and good:
            # The first bulk is in hand: it does not count.
            start = perf_counter()
            first = good
            say_ready()
        received += good
    seconds = perf_counter() - start
    consumer.commit(asynchronous=False)
    consumer.close()
    say_seconds(seconds * task.bars / (task.bars - first))


if __name__ == "__main__":
    main()
