"""A receiver of webhooks: a real server on this machine that can be told to fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import orjson


class Got(NamedTuple):
    """One request: path, headers in small letters, body, and what was answered."""

    path: str
    headers: dict[str, str]
    content: bytes
    answered: int

    @property
    def body(self) -> Any:
        """The body, as JSON."""
        return orjson.loads(self.content)


class Receiver:
    """What has been received, in order; ``answers`` are given first, then 200 for ever."""

    def __init__(self, port: int, answers: list[int]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.got: list[Got] = []
        self.answers = answers

    def taken(self) -> list[str]:
        """The ids of the alerts that were taken, repetitions included."""
        return [one.body["id"] for one in self.got if one.answered == 200]


@contextmanager
def receiving(*answers: int) -> Iterator[Receiver]:
    """Run a receiver that gives these answers first."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status = receiver.answers.pop(0) if receiver.answers else 200
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Got(self.path, headers, content, status))
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_address[1], list(answers))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
