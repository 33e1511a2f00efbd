"""The API on a real MongoDB, in this process: aiohttp's own server, our routes, no Kafka."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from playwright.sync_api import Browser
from pymongo.database import Database

from config import Settings, read_settings
from embedded.locate import Servers
from sinks.base import Document
from sinks.indexes import ensure_indexes
from sinks.mongo import connect, database
from tests.web.browser import browsing
from web.server import mount

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that a worker has: it ends connections in an order of its own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def settings(servers: Servers) -> Settings:
    """Settings for a database of the tests of this folder."""
    return read_settings(
        _env_file=None,
        kafka_bootstrap_servers=servers.kafka,
        mongodb_uri=servers.mongodb,
        mongodb_database=f"test_{uuid.uuid4().hex[:12]}",
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file."""
    with browsing() as found:
        yield found


@pytest.fixture
def store(settings: Settings) -> Iterator[Database[Document]]:
    """The database, with its indexes, empty; dropped afterwards."""
    with connect(settings) as client:
        found = database(client, settings)
        ensure_indexes(found, settings)
        yield found
        client.drop_database(settings.mongodb_database)


@pytest.fixture
async def serve(settings: Settings) -> AsyncIterator[Serve]:
    """Serve the API with other settings where given; ended after the test."""
    made: list[Client] = []

    async def start(**changes: Any) -> Client:
        changed = read_settings(_env_file=None, **_given(settings) | changes)
        application = web.Application()
        # The tables need a worker; their tests start some.
        worker: Any = None
        driver = SimpleNamespace(web_app=application)
        mount(worker, driver, changed, {})
        client = TestClient(_Server(driver))
        await client.start_server()
        made.append(client)
        return client

    yield start
    for client in made:
        await client.close()


@pytest.fixture
async def client(serve: Serve, store: Database[Document]) -> Client:
    """The API over an empty database."""
    return await serve()


@pytest.fixture
async def bare(serve: Serve) -> Client:
    """The API for requests that never get as far as the database."""
    return await serve()


class _Server(TestServer):
    """A server that runs as Faust runs its own."""

    def __init__(self, driver: SimpleNamespace) -> None:
        super().__init__(driver.web_app)
        self._driver = driver

    async def _make_runner(self, **_: Any) -> web.AppRunner:
        runner: web.AppRunner = self._driver._runner
        return runner


def _given(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.model_fields_set}
