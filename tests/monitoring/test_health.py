"""Whether a worker lives and can work, as those who start and stop workers ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from faust.types import TP

from config import Settings, read_settings
from embedded.locate import Servers
from monitoring.kafka import Kafka
from monitoring.readiness import Readiness
from tests.deployment import Deployment, free_port
from tests.eventually import eventually
from tests.web.conftest import Client
from web.health import Health
from web.store import Store

pytestmark = pytest.mark.integration


def health(deployment: Deployment, which: str) -> httpx.Response:
    """Ask without the token, as a probe does."""
    port = deployment.workers[0].port
    return httpx.get(f"http://127.0.0.1:{port}/health/{which}", timeout=20)


def test_a_worker_that_works_is_live_and_ready(deployment: Deployment) -> None:
    assert health(deployment, "live").json() == {"status": "live"}
    eventually(lambda: health(deployment, "ready").status_code == 200, "ready")
    ready = health(deployment, "ready")
    assert ready.json() == {
        "status": "ready",
        "checks": dict.fromkeys(("partitions", "recovery", "mongodb", "kafka"), "ok"),
    }


class Worker:
    """What readiness looks at in an app; a test changes it."""

    def __init__(self) -> None:
        self.rebalancing = False
        self.in_recovery = False
        self.offsets = {TP("stock-prices", 0): 7}
        self.consumer = SimpleNamespace(saved=lambda: self.offsets)
        self.recovered = asyncio.Event()
        self.recovered.set()
        recovery = SimpleNamespace(completed=self.recovered)
        self.tables = SimpleNamespace(recovery=recovery)


Serve = Callable[[Worker, Settings], Awaitable[Client]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve the health of a worker over the servers of the settings."""
    closing: list[Callable[[], Awaitable[object]]] = []

    async def start(worker: Worker, settings: Settings) -> Client:
        store, kafka = Store(settings), Kafka(settings)
        found = Health(Readiness(worker, kafka, store.ping))
        application = web.Application()
        application.add_routes([web.get("/live", found.live), web.get("/ready", found.ready)])
        client = TestClient(TestServer(application))
        await client.start_server()
        closing.extend((client.close, store.close, kafka.close))
        return client

    yield start
    for close in closing:
        await close()


@pytest.fixture
def settings(servers: Servers) -> Settings:
    return read_settings(
        _env_file=None, kafka_bootstrap_servers=servers.kafka, mongodb_uri=servers.mongodb
    )


async def wrong(client: Client) -> dict[str, str]:
    """What is not well, by its name."""
    answer = await client.get("/ready")
    content = await answer.json()
    found = {name: said for name, said in content["checks"].items() if said != "ok"}
    assert (answer.status, content["status"]) == ((503, "not ready") if found else (200, "ready"))
    return found


async def test_what_the_worker_lacks_is_said(serve: Serve, settings: Settings) -> None:
    worker = Worker()
    client = await serve(worker, settings)
    assert await wrong(client) == {}
    worker.offsets = {}
    assert await wrong(client) == {"partitions": "this worker has no partitions"}
    worker.rebalancing = True
    assert await wrong(client) == {"partitions": "the workers are sharing the partitions out"}
    worker = Worker()
    client = await serve(worker, settings)
    worker.recovered.clear()
    assert await wrong(client) == {"recovery": "the tables are being read from their changelogs"}
    worker.recovered.set()
    worker.in_recovery = True
    assert await wrong(client) == {"recovery": "the tables are being read from their changelogs"}


async def test_a_server_that_is_away_is_said_without_its_address(serve: Serve) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    away = read_settings(
        _env_file=None,
        kafka_bootstrap_servers=nowhere,
        mongodb_uri=f"mongodb://me:s3cret@{nowhere}",
    )
    client = await serve(Worker(), away)
    assert (await client.get("/live")).status == 200
    # As many probes as there are: one look serves them all.
    answers = await asyncio.gather(*(wrong(client) for _ in range(5)))
    assert answers == 5 * [
        {
            "mongodb": "MongoDB does not answer within 3 s",
            "kafka": "Kafka does not answer within 3 s",
        }
    ]
