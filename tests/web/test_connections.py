"""Connections: how many there may be, and how long they may say nothing."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest
from pymongo.database import Database

from sinks.base import Document
from tests.web.conftest import Client, Serve
from tests.web.listening import listening
from tests.web.rows import put_bars
from web import connections

TOKEN = "a-token-of-24-characters"  # noqa: S105 - of nobody
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
#: What no limit of these tests comes near to, in seconds.
LONG_S = 3600.0


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """All limits of time are short."""
    for name in ("HEAD_TIMEOUT_S", "BODY_TIMEOUT_S", "UNREAD_TIMEOUT_S", "TAKE_TIMEOUT_S"):
        monkeypatch.setattr(connections, name, 0.3)


async def ended(client: Client, *, first: bytes, drop: bytes = b"") -> bytes:
    """Send something, and then drop by drop; return what came until the server hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(first)

    async def dribble() -> None:
        while True:
            writer.write(drop)
            await asyncio.sleep(0.05)

    dribbling = asyncio.create_task(dribble())
    came = b""
    # What was sent and not read makes a connection end by a reset.
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(60):
            while part := await reader.read(65_536):
                came += part
    dribbling.cancel()
    await close(writer)
    return came


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection; it may be closed already."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (b"GET / HT", b""),
        (b"GET /", b"x"),
        (b"GET / HTTP/1.1\r\nHost: loc", b"x"),
        (b"GET / HTTP/1.1\r\n", b"A: b\r\n"),
    ],
    ids=repr,
)
async def test_half_a_head_is_not_waited_for(first: bytes, drop: bytes, serve: Serve) -> None:
    assert await ended(await serve(), first=first, drop=drop) == b""


@pytest.mark.usefixtures("soon")
async def test_nor_is_half_of_a_second_one(serve: Serve) -> None:
    request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = await ended(await serve(), first=request + b"GET /", drop=b"x")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("drop", [b"", b"x"], ids=["silent", "dribbling"])
async def test_half_a_body_is_not_waited_for(
    drop: bytes, serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", LONG_S)
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n" + FORM + b"\r\n"
    client = await serve(web_token=TOKEN)
    assert await ended(client, first=head + b"token=", drop=drop) == b""
    assert [one for one in caplog.records if one.exc_info] == []


@pytest.mark.usefixtures("soon")
async def test_nor_is_a_body_that_nobody_reads(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", LONG_S)
    head = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n"
    answer = await ended(await serve(), first=head, drop=b"x")
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("soon")
async def test_a_stream_lives_on(client: Client, store: Database[Document]) -> None:
    """All its limits have passed when those of a later connection have."""
    async with listening(client) as listener:
        await listener.next("hello")
        for _ in range(3):
            assert await ended(client, first=b"GET / HT") == b""
        put_bars(store, "AAPL", [3.0])
        event = await listener.next("bar")
    assert event.data["close"] == 3.0


@pytest.mark.usefixtures("soon")
async def test_an_answer_that_nobody_takes_is_given_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of it than the system holds for somebody who does not read."""
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", LONG_S)
    client = await serve()
    server = client.server.runner.server  # type: ignore[union-attr]
    assert server is not None
    request = b"GET /static/charts.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        lazy.connect(("127.0.0.1", client.port))
        lazy.sendall(request * 100)
        while server.requests_count == 0:  # noqa: ASYNC110 - aiohttp has no event for it
            await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            while server.connections:  # noqa: ASYNC110 - nor for its end
                await asyncio.sleep(0.05)


async def test_too_many_connections_are_closed_at_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that are there stay, their places are given on, and the log has one line."""
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", LONG_S)
    client = await serve()
    server = client.server.runner.server  # type: ignore[union-attr]
    assert server is not None
    held = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(3)]
    for _ in range(5):
        assert await ended(client, first=b"GET / HT") == b""
    assert len([one for one in caplog.records if "connections are open" in one.message]) == 1
    assert [one for one in caplog.records if one.exc_info] == []
    await close(held[0][1])
    async with asyncio.timeout(60):
        while len(server.connections) == 3:  # noqa: ASYNC110 - aiohttp has no event for it
            await asyncio.sleep(0.01)
    assert (await client.get("/health/live")).status == 200
    for _, writer in held:
        await close(writer)


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [(b"/", b"localhost", 200), (b"/none", b"localhost", 404), (b"/", b"evil.example", 421)],
)
async def test_what_nobody_can_expect_is_passed_over(
    path: bytes, host: bytes, status: int, bare: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for expected in (b"\xff", b"100-continu\xc3\xa9", b"tea", b""):
        headers = b"Host: %b\r\nExpect: %b\r\nConnection: close" % (host, expected)
        answer = await ended(bare, first=b"GET %b HTTP/1.1\r\n%b\r\n\r\n" % (path, headers))
        assert answer.startswith(b"HTTP/1.1 %d" % status)
        assert b"Content-Security-Policy" in answer
    assert [one for one in caplog.records if one.exc_info] == []


async def test_who_expects_to_be_told_to_go_on_is(serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    data = f"token={TOKEN}".encode()
    answer = await client.post(
        "/login", data=data, headers=form, expect100=True, allow_redirects=False
    )
    assert answer.status == 303


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    """This process may have so many descriptors for a while."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    yield 1024
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_most_descriptors_are_left_to_the_rest(few_descriptors: int) -> None:
    assert connections.most_connections() == few_descriptors // 4
