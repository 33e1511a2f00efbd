"""An HTTP server on 127.0.0.1 that says what a test tells it to say.

::

    with LocalServer() as server:
        server.on("/feed", Answer(429, headers={"Retry-After": "60"}), Answer(body=b"<rss/>"))
        ...  # call the client library with server.url as its base address
        assert len(server.asked("/feed")) == 2

A provider's own server derives from it and overrides :meth:`LocalServer.answer`, or scripts routes.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

#: No thread of a test outlives this, whatever is forgotten; seconds.
LONGEST_HOLD = 30.0


@dataclass(frozen=True)
class Request:
    """What a client asked.

    Attributes:
        path: without the query.
        query: per name all its values, in order.
        headers: by lower-case name.
        at: seconds of ``time.monotonic``.
        port: the client's, which tells who asks.
        connection: its number, counted from 1.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    at: float
    port: int
    connection: int

    def value(self, name: str, default: str = "") -> str:
        """Return the first value that the query has under ``name``."""
        return self.query.get(name, [default])[0]

    def json(self) -> Any:
        """Return the body, which is JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """Return the body, which is a form, with the first value of each name."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    """What the server says.

    Attributes:
        hold: nothing is sent before :meth:`LocalServer.release`.
        delay: seconds before anything is sent; ended early by ``release``.
        cut: the connection breaks after so many bytes of the body, all of which were announced.
        drop: the connection breaks before anything is sent.
        times: how often the body is sent, one after the other.
        pause: seconds before each of them; ended early by ``release``.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: bool = False
    delay: float = 0.0
    cut: int | None = None
    drop: bool = False
    times: int = 1
    pause: float = 0.0

    def having(self, **changes: Any) -> Answer:
        """Return this answer with some attributes changed."""
        return replace(self, **changes)


def json_answer(value: object, status: int = 200, **headers: str) -> Answer:
    """Return ``value`` as JSON; underscores in the headers' names stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


#: An answer, or what makes one of the request.
Script = Answer | Callable[[Request], Answer]

HANG = Answer(hold=True)


class LocalServer:
    """Answers by script, one thread a connection, and remembers every request.

    Scripts of a path are used up one a request, and the last one stays. Safe to call from any
    thread. Close it, or use it as a context manager: that frees whoever still waits.

    Attributes:
        url: its address, without a slash at the end.
        requests: all that was asked, in order of arrival.
        sent: bytes of bodies that clients took, or that were on the way when they had enough.
        cut_off: how many answers clients did not take to their end.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.sent = 0
        self.cut_off = 0
        self._scripts: dict[str, list[Script]] = {}
        self._changed = threading.Condition()
        self._released = threading.Event()
        self._connections: set[socket.socket] = set()
        self._count = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        # A short poll, because shutting down takes as long as one.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), name="local provider", daemon=True
        )
        self._thread.start()

    def on(self, path: str, *scripts: Script) -> None:
        """Script what is said at ``path`` from now on; replaces what was scripted before."""
        if not scripts:
            raise ValueError(f"{path}: at least one answer")
        with self._changed:
            self._scripts[path] = list(scripts)

    def answer(self, request: Request) -> Answer:
        """Return what is said where nothing is scripted: 404, unless a provider knows better."""
        return Answer(404, b"not here", {"Content-Type": "text/plain"})

    def asked(self, path: str | None = None) -> list[Request]:
        """Return what was asked at ``path``, or anywhere."""
        with self._changed:
            return [r for r in self.requests if path is None or r.path == path]

    def wait_asked(self, path: str, count: int = 1, timeout: float = 10.0) -> list[Request]:
        """Wait, in a thread of its own, until ``path`` was asked ``count`` times."""
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: sum(r.path == path for r in self.requests) >= count, timeout
            )
        if not arrived:
            raise TimeoutError(f"{path}: asked {len(self.asked(path))} of {count} times")
        return self.asked(path)

    def release(self) -> None:
        """Let every held or delayed answer go, those to come as well."""
        self._released.set()

    def hold_again(self) -> None:
        """Undo :meth:`release` for answers to come."""
        self._released.clear()

    def close(self) -> None:
        """Stop, and break the connections that are left."""
        self.release()
        self._server.shutdown()
        self._thread.join()
        with self._changed:
            left = list(self._connections)
        for connection in left:
            _break(connection)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self, connection: socket.socket) -> int:
        with self._changed:
            self._connections.add(connection)
            self._count += 1
            return self._count

    def _closed(self, connection: socket.socket) -> None:
        with self._changed:
            self._connections.discard(connection)

    def _take(self, request: Request) -> Answer:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            scripts = self._scripts.get(request.path)
            script: Script = self.answer
            if scripts is not None:
                script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        answer = script if isinstance(script, Answer) else script(request)
        if answer.hold or answer.delay:
            self._released.wait(LONGEST_HOLD if answer.hold else answer.delay)
        return answer

    def _say(self, say: Callable[[bytes], object], answer: Answer) -> None:
        """Send a body as often as it says, and count it."""
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        for _ in range(answer.times):
            if answer.pause:
                self._released.wait(answer.pause)
            try:
                say(body)
            except OSError:
                with self._changed:
                    self.cut_off += 1
                raise
            with self._changed:
                self.sent += len(body)


def _handler(server: LocalServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Unbuffered heads and bodies in two segments would wait for each other's ACK.
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.number = server._opened(self.connection)

        def finish(self) -> None:
            server._closed(self.connection)
            try:
                super().finish()
            except OSError:
                self.close_connection = True

        def handle(self) -> None:
            # A client that gave up is what some tests are about, and no failure of the server's.
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            self._say(
                server._take(
                    Request(
                        self.command,
                        parts.path,
                        parse_qs(parts.query, keep_blank_values=True),
                        {name.lower(): value for name, value in self.headers.items()},
                        self.rfile.read(length),
                        time.monotonic(),
                        self.client_address[1],
                        self.number,
                    )
                )
            )

        def _say(self, answer: Answer) -> None:
            if answer.drop:
                self._hang_up()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status not in {204, 304}:
                self.send_header("Content-Length", str(len(answer.body) * answer.times))
            self.end_headers()
            if answer.status in {204, 304} or self.command == "HEAD":
                return
            server._say(self.wfile.write, answer)
            if answer.cut is not None:
                self._hang_up()

        def _hang_up(self) -> None:
            self.wfile.flush()
            self.close_connection = True
            _break(self.connection)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815

    return Handler


def _break(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already
