"""What the tests of Yahoo share: its server, a source on it, and clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from sources.token_bucket import TokenBucket
from sources.yahoo import YahooSource
from tests.sources.conftest import ManualClock
from tests.sources.providers.yahoo import NOON, Chart, Make, YahooServer, daily, seconds


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture
def server() -> Iterator[YahooServer]:
    with YahooServer() as server:
        yield server


@pytest.fixture
def bucket(clock: ManualClock) -> TokenBucket:
    return TokenBucket(1_000, clock=clock, jitter=lambda: 0.5)


@pytest.fixture
def now() -> ManualClock:
    return ManualClock(float(seconds(NOON)))


@pytest.fixture
async def make(
    server: YahooServer, bucket: TokenBucket, now: ManualClock, cache_dir: Path
) -> AsyncIterator[Make]:
    made: list[YahooSource] = []

    def source(bar_interval: str = "1d", **given: Any) -> YahooSource:
        options: Any = {"bucket": bucket, "base_url": server.url} | given
        made.append(YahooSource(60.0, bar_interval, cache_dir=cache_dir, now=now, **options))
        return made[-1]

    yield source
    for each in made:
        await each.close()


@pytest.fixture
def charts(server: YahooServer) -> dict[str, Chart]:
    server.charts |= {name: daily("2024-02-01", 27) for name in ("AAPL", "MSFT")}
    return server.charts
