"""Sending messages to Kafka, and not returning before it is known what became of them.

Everything here blocks; call it from an executor in async code.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from broker import client_config
from config import Settings
from errors import BrokerUnavailable, ConfigurationError, FinancialTrendsError, InvalidRecord
from kafka_security import Trouble, metadata

#: Longest key and value together, in bytes. Kafka's own default is a little more.
MAX_MESSAGE_BYTES = 1_000_000
#: Small enough for brokers that take no more than 100 kB at once; what is larger travels alone.
_BATCH_BYTES = 100_000
#: Messages between two looks at the acknowledgements.
_POLL_EVERY = 1_000
#: How long a topic may take to become known on every broker after it was created, in seconds.
_TOPIC_PATIENCE_S = 3.0

_NO_TOPIC = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
)
_FORBIDDEN = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)

#: Key and value of one message.
KeyValue = tuple[bytes, bytes]


class Sender:
    """Sends messages to Kafka, acknowledged by all replicas in sync, in order, without duplicates.

    One call runs at a time: calls from several threads wait for each other.

    Args:
        settings: where Kafka is, and how long to wait for an acknowledgement.

    Raises:
        ConfigurationError: librdkafka does not take these settings together.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout_s = settings.kafka_timeout_s
        self._lock = threading.Lock()
        self._closed = False
        self._topics: set[str] = set()
        self._trouble = Trouble(settings)
        self._client: Producer | None = self._connect()

    def close(self) -> None:
        """Give up the connections; nothing can be waiting to be sent."""
        with self._lock:
            self._closed = True
            self._client = None

    def send(self, topic: str, messages: Sequence[KeyValue]) -> int:
        """Send the messages; return how many the broker acknowledged, which is all of them.

        Raises:
            InvalidRecord: a message is larger than :data:`MAX_MESSAGE_BYTES` (then nothing was
                sent), or than the topic takes.
            BrokerUnavailable: no acknowledgement for ``kafka_timeout_s``. What was acknowledged
                before stays, nothing else will be sent. BrokerRefused where a broker does not take
                this client.
            ConfigurationError: the topic does not exist, or may not be written to.
        """
        for row, (key, value) in enumerate(messages):
            if len(key) + len(value) > MAX_MESSAGE_BYTES:
                raise _too_large(row, len(key) + len(value), f"{MAX_MESSAGE_BYTES} bytes")
        with self._lock:
            if self._closed:
                raise RuntimeError("this producer is closed: make a new one")
            return self._deliver(topic, messages) if messages else 0

    def _connect(self) -> Producer:
        """Return a librdkafka producer; it connects by itself, when there is something to do."""
        options = client_config(self._settings) | {
            "acks": "all",
            "enable.idempotence": True,
            # librdkafka's own default would put a ticker on another partition than Faust does.
            "partitioner": "murmur2_random",
            "linger.ms": 10,
            "batch.size": _BATCH_BYTES,
            "message.max.bytes": MAX_MESSAGE_BYTES,
            "message.timeout.ms": int(self._timeout_s * 1000),
            "queue.buffering.max.messages": 10_000,
            "topic.metadata.propagation.max.ms": int(_TOPIC_PATIENCE_S * 1000),
            "error_cb": self._trouble.note,
        }
        try:
            return Producer(options)
        except KafkaException as error:
            raise ConfigurationError(f"Kafka settings: {error.args[0].str()}") from error

    def _deliver(self, topic: str, messages: Sequence[KeyValue]) -> int:
        """Send the messages, and wait until all are acknowledged or one cannot be."""
        client = self._client = self._connect() if self._client is None else self._client
        self._trouble.forget()
        delivery = _Delivery(len(messages), self._timeout_s)
        try:
            self._require_topic(client, topic, delivery)
            for row, (key, value) in enumerate(messages):
                delivery.enqueue(client, topic, row, key, value)
                if row % _POLL_EVERY == 0:
                    client.poll(0)
            while delivery.waiting:
                # Unlike `poll`, this does not let the last batch linger.
                client.flush(0.1)
        except BaseException:
            self._abandon(client, topic)
            raise
        if delivery.acknowledged < len(messages):
            self._abandon(client, topic)
            raise self._explained(topic, messages, delivery)
        return delivery.acknowledged

    def _require_topic(self, client: Producer, topic: str, delivery: _Delivery) -> None:
        """Make sure that the topic exists: sending to it might create it, in the wrong shape."""
        patience = time.monotonic() + _TOPIC_PATIENCE_S
        while topic not in self._topics:
            try:
                # All topics: asking for one by its name may create it, too.
                found = metadata(client, self._trouble, delivery.remaining_s).topics
            except KafkaException as error:
                raise self._unavailable(delivery, error.args[0].str()) from error
            self._topics.update(found)
            if topic not in found:
                if time.monotonic() > patience or not delivery.waiting:
                    raise _missing(topic, delivery)
                client.poll(0.2)

    def _abandon(self, client: Producer, topic: str) -> None:
        """Take back what is queued, and the client with it: its state is of no more use."""
        client.purge()
        client.flush(1.0)
        self._client = None
        self._topics.discard(topic)

    def _explained(
        self, topic: str, messages: Sequence[KeyValue], delivery: _Delivery
    ) -> FinancialTrendsError:
        """Return the error of a delivery that failed, or came to no end."""
        if not delivery.failures:
            return self._unavailable(delivery, "no answer")
        error = delivery.failures[0][1]
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            # The broker refuses whole batches: the largest message is the one that was too much.
            rows = [row for row, other in delivery.failures if other.code() == error.code()]
            row = max(rows, key=lambda row: len(messages[row][1]))
            limit = f"max.message.bytes of topic {topic!r}; {delivery}"
            return _too_large(row, sum(map(len, messages[row])), limit)
        if error.code() in _NO_TOPIC:
            return _missing(topic, delivery)
        if error.code() in _FORBIDDEN:
            return ConfigurationError(
                f"not allowed to write to topic {topic!r} ({error.str()}; {delivery}): check "
                "KAFKA_SASL_USERNAME and its rights"
            )
        return self._unavailable(delivery, error.str())

    def _unavailable(self, delivery: _Delivery, reason: str) -> BrokerUnavailable:
        return self._trouble.explained(f"{delivery} within {self._timeout_s:g} s", reason)


class _Delivery:
    """What became of the messages of one call; as text, how many were acknowledged.

    The time limit counts from the last acknowledgement: much data may take its time, as long as
    it moves.
    """

    def __init__(self, total: int, timeout_s: float) -> None:
        self.acknowledged = 0
        self.failures: list[tuple[int, KafkaError]] = []
        self._total = total
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s

    def __str__(self) -> str:
        return f"{self.acknowledged} of {self._total} messages acknowledged"

    @property
    def remaining_s(self) -> float:
        """Seconds until this takes too long."""
        return self._deadline - time.monotonic()

    @property
    def waiting(self) -> bool:
        """Whether acknowledgements are still missing and may still come."""
        return self.acknowledged < self._total and not self.failures and self.remaining_s > 0

    def enqueue(self, client: Producer, topic: str, row: int, key: bytes, value: bytes) -> None:
        """Hand a message to the client, as soon as its queue has room; not once one has failed."""
        report = functools.partial(self._report, row)
        while self.waiting:
            try:
                client.produce(topic, key=key, value=value, on_delivery=report)
            except BufferError:
                client.poll(0.1)
            except KafkaException as error:
                self.failures.append((row, error.args[0]))
            else:
                return

    def _report(self, row: int, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.acknowledged += 1
            self._deadline = time.monotonic() + self._timeout_s
        else:
            self.failures.append((row, error))


def _missing(topic: str, delivery: _Delivery) -> ConfigurationError:
    return ConfigurationError(
        f"topic {topic!r} does not exist ({delivery}): create the topics with "
        "KafkaIntegrationManager().create_topics(), or start a worker, which does"
    )


def _too_large(row: int, size: int, limit: str) -> InvalidRecord:
    return InvalidRecord("message", f"{size} bytes", f"is larger than {limit}", row)
