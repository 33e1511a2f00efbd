"""HTTP requests that no browser sends, over every address of the worker's web server."""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from aiohttp import web

from config import Settings
from fuzz.messages import SERIES, TICKERS
from fuzz.mutate import TEXTS, spoil_bytes
from web.server import mount

_METHODS = (
    *("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"),
    *("CONNECT", "get", "G\0T", "GE T", "A" * 3_000, "", "PROPFIND", "é"),
)
_PARAMETERS = (
    *("ticker", "tickers", "prefix", "interval", "limit", "cursor", "from", "to", "indicators"),
    *("format", "platform", "by", "series", "last_event_id", "next", "ticker[$ne]", "$where"),
)
_HEADERS = (
    *("Host", "Origin", "Accept", "Cookie", "Authorization", "Range", "Content-Length"),
    *("Transfer-Encoding", "Content-Type", "Expect", "Upgrade", "Connection", "Last-Event-ID"),
    *("If-None-Match", "Sec-Fetch-Site", "X-Forwarded-For", "Accept-Encoding", "Content-Encoding"),
)
_HEADER_VALUES = (
    *("", "*/*", "text/csv", "text/html", "application/json", "chunked", "100-continue", "close"),
    *("websocket", "-1", "0", "999999999999", "bytes=0-1,5-", "127.0.0.1", "evil.example", "null"),
    *("gzip, br", "\x01", "a" * 20_000, "é", "%FF", "Bearer ", "Bearer é", "Basic Og==", "x=y; x"),
    *("application/x-www-form-urlencoded; charset=nowhere", "multipart/form-data; boundary=b"),
    *("application/x-www-form-urlencoded", "financial_trends_session=99999999999999.\udcff"),
)
_ACCEPTED = ("*/*", "text/csv", "text/html", "application/json")
#: Faust's own addresses, which the worker serves as well.
_FAUSTS = ("/table/", "/table/indicators/", "/table/indicators/{key}/", "/router/", "/stats/")
#: So long after its beginning a request has no rest, in seconds.
_REST_S = 0.3
#: Longest wait for an answer; only a hang is longer.
_PATIENCE_S = 30.0
#: Addresses that requests come from, each with a budget of its own.
_SOURCES = 200


@dataclass
class Asked:
    """What the server said.

    Attributes:
        answers: how many, by status; "closed" where it hung up without one.
        findings: requests that it failed on.
    """

    answers: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def addresses(settings: Settings) -> list[str]:
    """Return every address that a worker serves, with its variables in braces."""
    application = web.Application()
    worker: Any = None
    mount(worker, SimpleNamespace(web_app=application), settings, {})
    found = {one.canonical for one in application.router.resources()}
    return sorted(found) + list(_FAUSTS)


class Requests:
    """Asks one worker's web server.

    Args:
        settings: of the worker: which addresses there are, and the token.
        port: where it listens.
        seed: of what is asked.
    """

    def __init__(self, settings: Settings, port: int, seed: int) -> None:
        self._chance = random.Random(f"requests {seed}")
        self._port = port
        self._addresses = addresses(settings)
        token = settings.web_token
        self._token = "" if token is None else token.get_secret_value()

    def ask(self, count: int) -> Asked:
        """Send so many requests, one connection each."""
        asked = Asked()
        for number in range(count):
            request = self._request()
            status = self._answer(request, number)
            asked.answers[status] += 1
            # 503 is for MongoDB that does not answer in time: it says so, and goes on.
            if status == "no answer" or (status.startswith("5") and status not in ("501", "505")):
                asked.findings.append(f"{status} to {request[:400]!r}")
        return asked

    def _request(self) -> bytes:
        chance = self._chance
        if chance.random() < 0.5:
            return self._asked_for()
        method = chance.choice(_METHODS)
        target = chance.choice(("", "", "", "", "http://evil.example", "//")) + self._path()
        if chance.random() < 0.7:
            target += "?" + "&".join(self._parameter() for _ in range(chance.randint(1, 3)))
        version = chance.choice(("HTTP/1.1",) * 9 + ("HTTP/1.0", "HTTP/2.0", "HTTP/1.1x", ""))
        headers = {"Host": f"127.0.0.1:{self._port}", "Authorization": f"Bearer {self._token}"}
        for _ in range(chance.choice((0, 0, 1, 2, 40))):
            headers[chance.choice(_HEADERS)] = chance.choice(_HEADER_VALUES)
        if "Expect" in headers:
            # One that is no UTF-8 gets aiohttp's own 500, before any code of ours.
            headers["Expect"] = headers["Expect"].encode("utf-8", "replace").decode()
        body = b""
        if chance.random() < 0.2:
            body = chance.randbytes(chance.choice((1, 100, 50_000)))
            headers.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {target} {version}", *(f"{n}: {v}" for n, v in headers.items())]
        head = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n"
        if chance.random() < 0.05 and "Expect" not in headers:
            head = spoil_bytes(chance, head)
        return head + body

    def _asked_for(self) -> bytes:
        """A request that is well-formed; what it asks for need not be."""
        chance = self._chance
        names = {chance.choice(_PARAMETERS) for _ in range(chance.choice((0, 0, 1, 2)))}
        given = {_escaped(name): self._value() for name in sorted(names)}
        query = "&".join(f"{name}={_escaped(value)}" for name, value in given.items())
        path = self._path()
        target = quote(path.encode("utf-8", "surrogatepass"), safe="/%")
        target += f"?{query}" if query else ""
        head = (
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {self._token}\r\nAccept: {chance.choice(_ACCEPTED)}\r\n\r\n"
        )
        return head.encode()

    def _value(self) -> str:
        usual = ("1", "0", "-1", "10000", "1e9", "1d", "json", "csv", "all", "hour", "2024-01-05")
        odd = (*TEXTS, json.dumps({"$gt": ""}), "['a']", "WzEsMl0")
        return self._chance.choice((*usual, *usual, *odd))[:3_000]

    def _path(self) -> str:
        path = self._chance.choice(self._addresses)
        while "{" in path:
            before, _, rest = path.partition("{")
            path = before + self._segment() + rest.partition("}")[2]
        return path

    def _segment(self) -> str:
        chance = self._chance
        if chance.random() < 0.5:
            return chance.choice((*TICKERS, *SERIES, "indicators", "trends", "macro", "news"))
        text = chance.choice(TEXTS)[:2_000]
        return chance.choice((_escaped(text), text.replace(" ", "%20")))

    def _parameter(self) -> str:
        chance = self._chance
        value = self._value()
        name = chance.choice((*_PARAMETERS, *TEXTS[:20]))
        return f"{_escaped(name)}={_escaped(value) if chance.random() < 0.8 else value}"

    def _answer(self, request: bytes, number: int) -> str:
        """Return the status of the answer, "closed" or "no answer"."""
        source = (f"127.0.1.{1 + number % _SOURCES}", 0)
        try:
            with socket.create_connection(
                ("127.0.0.1", self._port), _PATIENCE_S, source_address=source
            ) as connection:
                connection.sendall(request)
                said = self._read(connection)
        except TimeoutError:
            return "no answer"
        except ConnectionError:
            return "closed"
        head = said.split(b"\r\n", 1)[0].split(b" ")
        return head[1].decode("ascii", "replace") if len(head) > 1 else "closed"

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        """Return the beginning of the answer, empty if the server hangs up."""
        connection.settimeout(_REST_S)
        try:
            return connection.recv(65_536)
        except TimeoutError:
            # It may wait for the rest of what was announced, which does not come.
            connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_PATIENCE_S)
        return connection.recv(65_536)


def _escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
