"""What agents share."""

from __future__ import annotations

from typing import Any

import pytest

from agents.services import Services, partition_of
from config import read_settings
from sinks import Origin
from transport import BatchingApp


@pytest.fixture
def services() -> Services:
    """Services of an app that is not started."""
    settings = read_settings(_env_file=None)
    return Services(BatchingApp("test", store="memory://"), settings)


def test_dead_letters_do_not_fill_the_cache_of_keys(services: Services) -> None:
    """Each has a key of its own: a flood of them would drive out the tickers, and take memory."""
    added: list[tuple[Any, ...]] = []
    services.outbox.add = lambda *what: added.append(what)  # type: ignore[method-assign]
    assert services.partition_of("AAPL") == partition_of("AAPL", 8)
    before = partition_of.cache_info().currsize
    for offset in range(100):
        services.dead(Origin("stock-prices", 3, offset, b"AAPL", b"{"), "no JSON", "prices")
    assert partition_of.cache_info().currsize == before
    # Still by murmur2, as whoever looks for a letter by its key expects.
    for _, partition, key, _ in added:
        assert partition == partition_of(key.decode(), 8)
