"""A network on the way to a server that lets only so many bytes a second through."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK = 16 * 1024


class SlowNetwork:
    """Passes connections on to a server; what clients send is held back.

    Args:
        host: of the server.
        port: of the server.

    Attributes:
        bytes_per_s: what all clients together may send; None lets everything through.
        port: where it listens, on loopback.
    """

    def __init__(self, host: str, port: int) -> None:
        self.bytes_per_s: float | None = None
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._turn = threading.Lock()
        self._due = 0.0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            up = self._start(self._pass_on, client, server, True)
            self._pass_on(server, client, False)
            up.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, slow: bool) -> None:
        with suppress(OSError):  # where one end is gone, the other learns it below
            while chunk := source.recv(_CHUNK):
                if slow:
                    self._wait(len(chunk))
                target.sendall(chunk)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _wait(self, size: int) -> None:
        rate = self.bytes_per_s
        if rate is None:
            return
        with self._turn:
            now = time.monotonic()
            self._due = max(now, self._due) + size / rate
            due = self._due
        time.sleep(due - now)

    @staticmethod
    def _start(target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        return thread
