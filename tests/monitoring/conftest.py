"""One worker for all tests of this folder: it follows simulated prices, and asks for a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from embedded.locate import Servers
from tests.deployment import Deployment
from tests.verify import random_bars

TOKEN = "a-token-of-24-characters"  # noqa: S105 - of nobody
#: In the worker's settings, and in nothing that it prints.
SECRET = "5ecret-of-a-provider"  # noqa: S105 - of nobody

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="package")
def deployment(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A worker that has stored bars, and one message that cannot be used."""
    made = Deployment(servers, tmp_path_factory.mktemp("monitoring"), checkpoint_interval_s=0.1)
    try:
        worker = made.start_worker(
            WEB_TOKEN=TOKEN,
            PRICE_SOURCE="simulated",
            TICKERS="AAPL,MSFT",
            TWITTER_BEARER_TOKEN=SECRET,
            SKIP_TWITTER="true",
            LOG_FORMAT="json",
        )
        worker.wait_ready()
        made.send_bars(random_bars(["IBM", "NVDA"], 20))
        made.drained()
        yield made
    finally:
        made.close()


@pytest.fixture
def ask(deployment: Deployment) -> Ask:
    """Ask the worker, as a program that has the token."""

    def asked(path: str, **headers: str) -> httpx.Response:
        known = {"Authorization": f"Bearer {TOKEN}"}
        address = f"http://127.0.0.1:{deployment.workers[0].port}{path}"
        return httpx.get(address, headers=known | headers, timeout=20)

    return asked
