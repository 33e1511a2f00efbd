"""Sends the stream by a plain Kafka producer, and keeps what the brokers acknowledged."""

from __future__ import annotations

import bisect
import functools
import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Delivered

from chaos.messages import PRICES, Message, Stream

ROUNDS_PER_S = 4.0

#: Longer than any outage: a message that is given up would leave a hole in the stream.
_PATIENCE_S = 600

#: Name of the header that holds a message's number.
HEADER = "chaos"

Place = tuple[str, int, int]


@dataclass(slots=True)
class Ledger:
    """What was sent, and what is known of it.

    Attributes:
        sent: every message handed to the producer, by its number.
        acknowledged: topic, partition and offset that the brokers gave, by number.
        refused: why the producer gave up, by number.
    """

    sent: dict[int, Message] = field(default_factory=dict)
    acknowledged: dict[int, Place] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


class Feed:
    """Sends a stream round by round, in a thread.

    Args:
        bootstrap_servers: the brokers.
        stream: what to send; goes on where it stopped last.
        ledger: takes note of it.
    """

    def __init__(self, bootstrap_servers: str, stream: Stream, ledger: Ledger) -> None:
        self.ledger = ledger
        self._stream = stream
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        #: Per ticker, the bars sent: of which time, and when by the monotonic clock.
        self._news: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.timeout.ms": _PATIENCE_S * 1000,
                "message.max.bytes": 1_000_000,
                "topic.metadata.refresh.interval.ms": 10_000,
                "log_level": 0,
            }
        )

    def start(self) -> None:
        """Send from now on, until :meth:`stop`."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and return once it is known what became of everything sent."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._producer.flush(_PATIENCE_S)

    def send(self, rounds: int) -> None:
        """Send so many rounds at once, and wait for their acknowledgements."""
        for _ in range(rounds):
            self._send_round()
        self._producer.flush(_PATIENCE_S)

    def waiting_s(self, ticker: str, stored_ms: int | None, now: float) -> float:
        """Return for how long the oldest bar of ``ticker`` that is not stored has waited.

        Args:
            ticker: whose bars.
            stored_ms: the time of the newest bar that is stored.
            now: the monotonic clock.
        """
        news = self._news[ticker]
        first = 0 if stored_ms is None else bisect.bisect(news, (stored_ms, float("inf")))
        return now - news[first][1] if first < len(news) else 0.0

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self._send_round()
            due = max(due + 1 / ROUNDS_PER_S, time.monotonic() - 1.0)
            while not self._stop.is_set() and (left := due - time.monotonic()) > 0:
                self._producer.poll(left)

    def _send_round(self) -> None:
        for message in self._stream.round():
            self.ledger.sent[message.number] = message
            self._remember(message)
            while True:
                try:
                    self._producer.produce(
                        message.topic,
                        message.value,
                        key=message.key,
                        headers={HEADER: str(message.number)},
                        on_delivery=functools.partial(self._note, message),
                    )
                except BufferError:
                    self._producer.poll(0.5)
                else:
                    break
        self._producer.poll(0)

    def _note(self, message: Message, error: KafkaError | None, delivered: Delivered) -> None:
        if error is not None:
            self.ledger.refused[message.number] = error.str()
            return
        place = (message.topic, delivered.partition(), delivered.offset())
        self.ledger.acknowledged[message.number] = place

    def _remember(self, message: Message) -> None:
        """Note when a bar was sent: from then on it is waited for, whoever delays it."""
        if message.topic == PRICES and message.reason is None and message.value is not None:
            bar = json.loads(message.value)
            news = self._news[bar["ticker"]]
            if not news or bar["time"] > news[-1][0]:
                news.append((bar["time"], time.monotonic()))
