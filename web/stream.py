"""``/api/stream``: changes as server-sent events, as they happen."""

from __future__ import annotations

import asyncio
import contextlib
import time

from aiohttp import web
from pydantic import ValidationError

from web.asked import REMEDIES, StreamAsked, read
from web.changes import Changes, Lost, Subscription
from web.events import frame
from web.problems import Problem, of_validation

#: Clients of one worker at once.
MOST_CLIENTS = 100
#: Silence after which a client hears that all is well, in seconds.
HEARTBEAT_S = 10.0
#: When a browser comes back after the connection broke, in milliseconds.
RETRY_MS = 1_000
#: How long a client may take nothing at all before it is let go, in seconds.
SEND_TIMEOUT_S = 10.0

_TOO_SLOW = {"reason": "events came faster than they were read", "remedy": "connect again"}


class Stream:
    """Answers with a stream that does not end.

    Args:
        changes: where the events come from.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """``GET /api/stream``: events of some tickers, after ``Last-Event-ID`` if it is given."""
        asked = _read(request)
        if len(self._changes.subscriptions) >= MOST_CLIENTS:
            reason = f"{MOST_CLIENTS} clients listen already"
            raise Problem(
                503,
                "request",
                request.path,
                reason,
                "ask another worker, or later",
                retry_after_s=5,
            )
        subscription, token = await self._changes.join(asked.tickers)
        try:
            begin = await self._begin(asked.last_event_id, token, subscription)
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
            )
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                await self._send(response, begin)
                await self._serve(request, response, subscription)
            return response
        finally:
            self._changes.leave(subscription)

    async def _begin(self, last: str | None, token: str, subscription: Subscription) -> bytes:
        """Return what a client hears first."""
        missed: list[bytes] = []
        reset = b""
        if last is not None and last.upper() < token:
            try:
                missed = await self._changes.missed(last.upper(), token, subscription)
            except Lost as lost:
                reset = frame("reset", {"reason": str(lost)})
        hello = frame("hello", {"time": _now(), "resumed": last is not None and not reset}, token)
        return b"retry: %d\n\n" % RETRY_MS + reset + b"".join(missed) + hello

    async def _serve(
        self, request: web.Request, response: web.StreamResponse, subscription: Subscription
    ) -> None:
        while not subscription.closed:
            taken = await subscription.take(HEARTBEAT_S)
            if subscription.overrun:
                await self._drop(request, response)
                return
            if not taken and not subscription.closed:
                # With the place in it, so that a quiet client comes back to where all is known.
                taken = frame("heartbeat", {"time": _now()}, self._changes.passed)
            await self._send(response, taken)

    async def _send(self, response: web.StreamResponse, data: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await response.write(data)
        except TimeoutError:
            raise ConnectionResetError("takes nothing") from None

    async def _drop(self, request: web.Request, response: web.StreamResponse) -> None:
        """Tell a slow client that it is let go, if it takes even that, and let go of it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await response.write(frame("dropped", _TOO_SLOW))
                await response.write_eof()
        if request.transport is not None:
            request.transport.close()


def _read(request: web.Request) -> StreamAsked:
    asked = read(StreamAsked, request)
    header = request.headers.get("Last-Event-ID")
    if header is None or asked.last_event_id is not None:
        return asked
    try:
        given = {"tickers": asked.tickers, "last_event_id": header}
        return StreamAsked.model_validate(given)
    except ValidationError as error:
        raise of_validation(error, REMEDIES) from None


def _now() -> int:
    return int(time.time() * 1000)
