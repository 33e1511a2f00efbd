"""The last messages of a partition, read beside every group: nothing is committed."""

from __future__ import annotations

import base64
import time
from collections import deque
from typing import Any

import orjson
from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from broker import Broker
from errors import BrokerUnavailable
from monitoring.kafka import PATIENCE_S
from topics import DEAD_LETTERS

#: The most messages of one look.
MOST_MESSAGES = 50
#: Of a longer value so much is shown, in bytes; of a key a 16th.
SHOWN_BYTES = 4 * 1024
#: JSON that is nested deeper is shown as text: who shows it goes down into it.
DEEPEST = 32

_OPTIONS = {
    # Says when the end is reached: offsets have gaps where a topic is compacted.
    "enable.partition.eof": True,
    # What is fetched ahead, in kB: the last messages, and not all memory.
    "queued.max.messages.kbytes": 2 * 1024,
}


def peek(broker: Broker, group: str, topic: str, partition: int, last: int) -> dict[str, Any]:
    """Return where a partition begins and ends, and its ``last`` messages, oldest first.

    Args:
        broker: where Kafka is.
        group: named to the broker because rights may hang on it; it is not joined, and its offsets
            stay as they are.
        topic: must exist, and the partition with it.
        partition: its number.
        last: how many messages at most.

    Raises:
        BrokerUnavailable: Kafka does not answer in time.
    """
    consumer = broker.consumer(group, **_OPTIONS)
    place = TopicPartition(topic, partition)
    try:
        begin, end = consumer.get_watermark_offsets(place, timeout=PATIENCE_S)
        place.offset = max(begin, end - last)
        consumer.assign([place])
        found = _read(consumer, end, last) if place.offset < end else []
    except KafkaException as error:
        raise BrokerUnavailable(broker.address, error.args[0].str()) from error
    finally:
        consumer.close()
    return {"begin": begin, "end": end, "messages": [_shown(topic, one) for one in found]}


def _read(consumer: Any, end: int, last: int) -> list[Message]:
    """Return the last messages before ``end``, or those that come in time."""
    found: deque[Message] = deque(maxlen=last)
    deadline = time.monotonic() + PATIENCE_S
    while (left := deadline - time.monotonic()) > 0:
        message = consumer.poll(left)
        if message is None:
            break
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                break
            raise KafkaException(error)
        if message.offset() < end:
            found.append(message)
        if message.offset() >= end - 1:
            break
    return list(found)


def _shown(topic: str, message: Message) -> dict[str, Any]:
    value, key = message.value(), message.key()
    kind, sent = message.timestamp()
    return {
        "offset": message.offset(),
        "time": sent if kind != TIMESTAMP_NOT_AVAILABLE else None,
        "key": None if key is None else _text(key[: SHOWN_BYTES // 16]),
        "size": 0 if value is None else len(value),
        "truncated": value is not None and len(value) > SHOWN_BYTES,
        "value": None if value is None else _decoded(topic, value),
    }


def _decoded(topic: str, value: bytes) -> Any:
    """Return what a value says: JSON as it is meant, anything else as text."""
    if len(value) > SHOWN_BYTES or _nesting(value) > DEEPEST:
        return _text(value[:SHOWN_BYTES])
    try:
        content = orjson.loads(value)
    except orjson.JSONDecodeError:
        return _text(value)
    if topic == DEAD_LETTERS.name and isinstance(content, dict):
        content["value"] = _original(content.get("value"))
    return content


def _nesting(value: bytes) -> int:
    """Return how deep JSON is nested, or more: brackets in texts count as well."""
    depth = deepest = 0
    for byte in value:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _original(packed: object) -> object:
    """Return the message that a dead letter has packed."""
    try:
        return _text(base64.b64decode(packed)) if isinstance(packed, str) else packed
    except ValueError:
        return packed


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
