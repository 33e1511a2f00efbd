"""A client of the stream, as a browser is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson
from aiohttp import ClientResponse

from tests.web.conftest import Client


class Event(NamedTuple):
    """One event: its name, its data, its id."""

    name: str
    data: Any
    id: str | None


class Listener:
    """Reads events one by one."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer
        self.heard: list[Event] = []

    async def next(self, *names: str, timeout_s: float = 20.0) -> Event:
        """Return the next event of these names, any without; others are skipped."""
        async with asyncio.timeout(timeout_s):
            while True:
                event = await self._read()
                self.heard.append(event)
                if not names or event.name in names:
                    return event

    async def many(self, count: int, *names: str) -> list[Event]:
        """Return the next so many events of these names."""
        return [await self.next(*names) for _ in range(count)]

    async def end(self, timeout_s: float = 20.0) -> list[Event]:
        """Return everything up to the end of the stream."""
        found = []
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    found.append(await self._read())
                except EOFError:
                    return found

    async def _read(self) -> Event:
        fields: dict[str, str] = {}
        while True:
            line = (await self.answer.content.readline()).decode()
            if not line:
                raise EOFError
            if line == "\n" and "event" in fields:
                data = orjson.loads(fields["data"])
                return Event(fields["event"], data, fields.get("id"))
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value


@asynccontextmanager
async def listening(
    client: Client, *, after: str | None = None, **parameters: str
) -> AsyncIterator[Listener]:
    """Listen, from the place ``after`` on if it is given; the stream has begun."""
    headers = {} if after is None else {"Last-Event-ID": after}
    async with client.get("/api/stream", params=parameters, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield Listener(answer)
