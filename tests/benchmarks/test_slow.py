"""The slow network: everything arrives, and not sooner than it may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks.slow import SlowNetwork


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends everything back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while chunk := connection.recv(65_536):
                connection.sendall(chunk)

    serving = threading.Thread(target=serve)
    serving.start()
    yield listener.getsockname()[1]
    serving.join()
    listener.close()


@pytest.mark.parametrize("bytes_per_s", [None, 200_000.0])
def test_everything_arrives_and_not_sooner_than_it_may(
    echo: int, bytes_per_s: float | None
) -> None:
    sent = bytes(range(256)) * 400
    with SlowNetwork("127.0.0.1", echo) as network:
        network.bytes_per_s = bytes_per_s
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", network.port)) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            found = b""
            while chunk := client.recv(65_536):
                found += chunk
        took_s = time.monotonic() - start
    assert found == sent
    if bytes_per_s is not None:
        assert took_s >= len(sent) / bytes_per_s * 0.99
