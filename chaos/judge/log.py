"""Reads what Kafka holds, with a plain consumer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from chaos.feed import HEADER

_TIMEOUT_S = 30.0

Places = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it stands on Kafka; ``number`` is that of its header, None without one."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    number: int | None


def _consumer(bootstrap_servers: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )


def _partitions(consumer: Consumer, topics: Iterable[str]) -> list[TopicPartition]:
    known = consumer.list_topics(timeout=_TIMEOUT_S).topics
    return [TopicPartition(name, part) for name in topics for part in known[name].partitions]


def end_offsets(bootstrap_servers: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Return the end offset of every partition of ``topics``."""
    consumer = _consumer(bootstrap_servers, "chaos-judge")
    try:
        return {
            (place.topic, place.partition): consumer.get_watermark_offsets(place, _TIMEOUT_S)[1]
            for place in _partitions(consumer, topics)
        }
    finally:
        consumer.close()


def committed(
    bootstrap_servers: str, group: str, topics: Iterable[str]
) -> dict[tuple[str, int], int]:
    """Return what ``group`` has committed, -1 for a partition where it has not."""
    consumer = _consumer(bootstrap_servers, group)
    try:
        found = consumer.committed(_partitions(consumer, topics), timeout=_TIMEOUT_S)
        return {(place.topic, place.partition): max(place.offset, -1) for place in found}
    finally:
        consumer.close()


def unfinished(bootstrap_servers: str, group: str, topics: Iterable[str]) -> dict[str, int]:
    """Return how far each partition's committed offset is from its end, where it is not there."""
    names = list(topics)
    done = committed(bootstrap_servers, group, names)
    return {
        f"{topic}/{part}": end - max(0, done[topic, part])
        for (topic, part), end in end_offsets(bootstrap_servers, names).items()
        if end > 0 and done[topic, part] != end
    }


def read(bootstrap_servers: str, topics: Iterable[str], starts: Places) -> list[Entry]:
    """Return every message of ``topics``, those of a partition in the order of offsets.

    Args:
        bootstrap_servers: the brokers.
        topics: what to read.
        starts: where to begin, if not with the first message.

    Raises:
        KafkaException: the brokers do not give it all.
    """
    consumer = _consumer(bootstrap_servers, "chaos-judge")
    try:
        ends = {}
        for place in _partitions(consumer, topics):
            low, high = consumer.get_watermark_offsets(place, _TIMEOUT_S)
            first = max(low, starts.get((place.topic, place.partition), low))
            if first < high:
                ends[place.topic, place.partition] = (first, high)
        consumer.assign([TopicPartition(*place, first) for place, (first, _) in ends.items()])
        left = {place: high for place, (_, high) in ends.items()}
        found: list[Entry] = []
        deadline = time.monotonic() + _TIMEOUT_S
        while left:
            # Returns early only with as many as asked for.
            messages = consumer.consume(5_000, timeout=0.2)
            if messages:
                deadline = time.monotonic() + _TIMEOUT_S
            elif time.monotonic() > deadline:
                raise KafkaException(f"nothing more comes, and missing is the end of {left}")
            for message in messages:
                if message.error() is not None:
                    raise KafkaException(message.error())
                place = (message.topic(), message.partition())
                headers = dict(message.headers() or [])
                number = int(headers[HEADER]) if HEADER in headers else None
                found.append(
                    Entry(*place, message.offset(), message.key(), message.value(), number)
                )
                if message.offset() + 1 >= left.get(place, 0):
                    left.pop(place, None)
        return found
    finally:
        consumer.close()
