"""Sending when the broker is dead, silent, full or dying."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

import config
import delivery
from config import Settings
from delivery import MAX_MESSAGE_BYTES, Sender
from errors import BrokerUnavailable, ConfigurationError, FinancialTrendsError, InvalidRecord

TOPIC = "stock-prices"
TEN = [(b"AAPL", b"%d" % number) for number in range(10)]


def options(address: str, timeout_s: float) -> Settings:
    return config.read_settings(kafka_bootstrap_servers=address, kafka_timeout_s=timeout_s)


@contextmanager
def mock_broker() -> Iterator[str]:
    """Yield the address of librdkafka's own stand-in for a broker, which dies on leaving."""
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (node,) = cluster.list_topics(timeout=20).brokers.values()
    address = f"{node.host}:{node.port}"
    cluster.produce(TOPIC, b"creates the topic")
    assert cluster.flush(20) == 0
    yield address
    del cluster


@contextmanager
def unused_address() -> Iterator[str]:
    """Yield an address where nothing listens, and nothing will while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def silent_address() -> Iterator[str]:
    """Yield an address where connections are accepted, and nothing is ever answered."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"127.0.0.1:{listening.getsockname()[1]}"


class StubClient:
    """What :class:`delivery.Sender` uses of librdkafka's producer, with a broker to our wishes.

    Args:
        acknowledges: how many messages the broker acknowledges in all.
        room: how many messages the queue takes.
        refuses: the error that ends every further message.
        interrupts: raise KeyboardInterrupt on the first wait.
    """

    def __init__(
        self,
        *,
        acknowledges: int,
        room: int = 1_000,
        refuses: int | None = None,
        interrupts: bool = False,
    ) -> None:
        self.left = acknowledges
        self.room = room
        self.refuses = refuses
        self.interrupts = interrupts
        self.queue: list[Callable[[KafkaError | None, Any], None]] = []
        self.purged = 0

    def list_topics(self, timeout: float) -> SimpleNamespace:
        return SimpleNamespace(topics={TOPIC: None})

    def produce(self, topic: str, *, key: bytes, value: bytes, on_delivery: Any) -> None:
        if len(self.queue) >= self.room:
            raise BufferError
        self.queue.append(on_delivery)

    def poll(self, timeout: float) -> int:
        if self.interrupts:
            self.interrupts = False
            raise KeyboardInterrupt
        while self.queue and self.left > 0:
            self.left -= 1
            self.queue.pop(0)(None, None)
        while self.queue and self.refuses is not None:
            self.queue.pop(0)(KafkaError(self.refuses), None)
        return len(self.queue)

    flush = poll

    def purge(self) -> None:
        self.purged += len(self.queue)
        for report in self.queue:
            report(KafkaError(KafkaError._PURGE_QUEUE), None)
        self.queue.clear()


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Callable[[StubClient], int]:
    """What sends ten messages through a stub, with a patience of 0.2 s."""

    def send_ten(client: StubClient) -> int:
        monkeypatch.setattr(delivery, "Producer", lambda _: client)
        return Sender(options("kafka.example:9092", 0.2)).send(TOPIC, TEN)

    return send_ten


def test_all_are_acknowledged(send: Callable[[StubClient], int]) -> None:
    assert send(StubClient(acknowledges=10)) == 10


def test_a_full_queue_is_waited_for(send: Callable[[StubClient], int]) -> None:
    client = StubClient(acknowledges=10, room=3)
    assert send(client) == 10
    assert client.purged == 0


@pytest.mark.parametrize("room", [3, 1_000])
def test_an_error_says_how_many_were_acknowledged(
    send: Callable[[StubClient], int], room: int
) -> None:
    client = StubClient(acknowledges=3, room=room)
    with pytest.raises(BrokerUnavailable, match=r"3 of 10 messages acknowledged within 0\.2 s"):
        send(client)
    assert not client.queue
    assert client.purged == min(room, 7)


def test_an_interrupted_call_leaves_nothing_behind(send: Callable[[StubClient], int]) -> None:
    client = StubClient(acknowledges=0, interrupts=True)
    with pytest.raises(KeyboardInterrupt):
        send(client)
    assert not client.queue


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (KafkaError.UNKNOWN_TOPIC_OR_PART, ConfigurationError, "create_topics"),
        (KafkaError._UNKNOWN_TOPIC, ConfigurationError, "create_topics"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, ConfigurationError, "not allowed to write"),
        (KafkaError.MSG_SIZE_TOO_LARGE, InvalidRecord, "max.message.bytes"),
        (KafkaError._MSG_TIMED_OUT, BrokerUnavailable, "timed out"),
        (KafkaError._FATAL, BrokerUnavailable, "Fatal"),
    ],
)
def test_what_the_broker_refuses(
    send: Callable[[StubClient], int], code: int, kind: type[FinancialTrendsError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        send(StubClient(acknowledges=4, refuses=code))
    assert words in str(caught.value)
    assert "4 of 10 messages acknowledged" in str(caught.value)


def test_a_client_that_cannot_go_on_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fatal(StubClient):
        def produce(self, *_: Any, **__: Any) -> None:
            raise KafkaException(KafkaError(KafkaError._FATAL))

    clients = iter([Fatal(acknowledges=0), StubClient(acknowledges=10)])
    monkeypatch.setattr(delivery, "Producer", lambda _: next(clients))
    sender = Sender(options("kafka.example:9092", 0.2))
    with pytest.raises(BrokerUnavailable, match="0 of 10"):
        sender.send(TOPIC, TEN)
    assert sender.send(TOPIC, TEN) == 10


def test_a_message_that_no_broker_takes_sends_nothing(send: Callable[[StubClient], int]) -> None:
    sender = Sender(options("127.0.0.1:1", 20))
    large = (b"AAPL", b"x" * (MAX_MESSAGE_BYTES - 3))
    with pytest.raises(InvalidRecord, match=f"row 1: message='{MAX_MESSAGE_BYTES + 1} bytes'"):
        sender.send(TOPIC, [TEN[0], large])


@pytest.mark.parametrize("address_of", [unused_address, silent_address])
def test_a_dead_address_fails_in_time(
    address_of: Callable[[], AbstractContextManager[str]],
) -> None:
    with address_of() as address:
        sender = Sender(options(address, 1))
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="0 of 10 messages") as caught:
            sender.send(TOPIC, TEN)
        assert time.monotonic() - started < 15
    assert caught.value.address == address
    assert address in str(caught.value)


def test_what_was_given_up_is_not_sent_when_the_broker_comes_back() -> None:
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        sender = Sender(options(f"127.0.0.1:{port.getsockname()[1]}", 1))
        with pytest.raises(BrokerUnavailable):
            sender.send(TOPIC, TEN)
        port.listen()
        port.settimeout(2)  # a client that had not given up would try again within this time
        with pytest.raises(TimeoutError):
            port.accept()


def test_why_an_address_is_dead_is_told() -> None:
    with unused_address() as address, pytest.raises(BrokerUnavailable, match="refused"):
        Sender(options(address, 1)).send(TOPIC, TEN)


def test_a_broker_that_dies_between_two_calls() -> None:
    with mock_broker() as address:
        sender = Sender(options(address, 2))
        assert sender.send(TOPIC, TEN) == 10
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match="0 of 10 messages acknowledged within 2 s"):
            sender.send(TOPIC, TEN)
    assert time.monotonic() - started < 25
