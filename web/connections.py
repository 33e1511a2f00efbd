"""How many connections there may be, and how long each may take to say what it wants.

All of it holds before anybody has shown a token: who opens connections and says nothing, or says it
byte by byte, must not use up the descriptors that the worker needs for Kafka and MongoDB.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.hdrs import EXPECT
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict, CIMultiDictProxy

log = logging.getLogger(__name__)

#: Connections of one worker at once, at most; with few descriptors, one for so many of them.
MOST_CONNECTIONS = 1_000
DESCRIPTORS_EACH = 4
#: From the opening of a connection, or the end of an answer, to the end of the next request's head,
#: in seconds. aiohttp closes what is idle for so long, and half a head counts as idle.
HEAD_TIMEOUT_S = 15.0
#: From the end of a request's head to the end of its body, in seconds.
BODY_TIMEOUT_S = 15.0
#: How long what nobody reads of a body is taken in behind the answer, in seconds.
UNREAD_TIMEOUT_S = 2.0
#: How long a client may take nothing of an answer, in seconds.
TAKE_TIMEOUT_S = 30.0
#: Between two lines about connections that were refused, in seconds.
_SAID_EVERY_S = 60.0
#: All that a client may expect of HTTP.
_CONTINUE = "100-continue"


class Runner(web.AppRunner):
    """Runs an application for so many connections, each of which has so much time."""

    def __init__(self, app: web.Application) -> None:
        self._options: dict[str, Any] = {
            "access_log": None,
            "keepalive_timeout": HEAD_TIMEOUT_S,
            "lingering_time": UNREAD_TIMEOUT_S,
        }
        super().__init__(app, **self._options)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made, self._options)


class _Server(web.Server):
    """Makes the connections of another one in its place, and counts them."""

    def __init__(self, server: web.Server, options: dict[str, Any]) -> None:
        super().__init__(server.request_handler, request_factory=self._expecting, **options)
        self._request = server.request_factory
        self._most = most_connections()
        self._said_at: float | None = None

    def __call__(self) -> RequestHandler:
        """Return what a new connection is spoken to by: nobody where there are too many.

        Of many that come in one moment, all may be taken: that moment's are counted after it.
        """
        if len(self.connections) < self._most:
            return super().__call__()
        self._say()
        return _Nobody()  # type: ignore[return-value] # all that the loop asks for is a protocol

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Note a connection."""
        super().connection_made(handler, transport)
        if sys.platform == "linux":
            # The system does it, as nothing here hears what was taken of an answer.
            milliseconds = int(TAKE_TIMEOUT_S * 1000)
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    def _expecting(self, message: RawRequestMessage, *rest: Any) -> web.BaseRequest:
        """Make a request of a message, without an ``Expect`` that means nothing.

        HTTP lets us pass it over; aiohttp refuses it before our guard, and fails on odd bytes.
        """
        if message.headers.get(EXPECT, _CONTINUE).lower() != _CONTINUE:
            headers = CIMultiDict(message.headers)
            headers.popall(EXPECT)
            message = message._replace(headers=CIMultiDictProxy(headers))
        return self._request(message, *rest)

    def _say(self) -> None:
        now = time.monotonic()
        if self._said_at is None or now - self._said_at >= _SAID_EVERY_S:
            self._said_at = now
            log.warning("%d connections are open: further ones are closed at once", self._most)


class _Nobody(asyncio.Protocol):
    """Hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Do so at once."""
        transport.close()


def most_connections() -> int:
    """Return how many connections there may be: few enough to leave descriptors to the rest."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, descriptors // DESCRIPTORS_EACH)


@web.middleware
async def body_in_time(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Close a connection whose request's body is not there in time, whatever is done with it."""
    if request.content.is_eof():
        return await handler(request)
    clock = asyncio.get_running_loop().call_later(BODY_TIMEOUT_S, _end, request)
    try:
        return await handler(request)
    finally:
        # What the handler left unread is aiohttp's to take in.
        clock.cancel()


def _end(request: web.Request) -> None:
    if request.transport is not None and not request.content.is_eof():
        request.transport.close()
