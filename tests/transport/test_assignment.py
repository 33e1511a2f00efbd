"""Partitions are not worked on without the state that belongs to them."""

from __future__ import annotations

import pytest
from faust.types import TP

from indicators import parse
from tables.indicators import IndicatorTable
from transport import BatchingApp

CHANGELOG = "test-indicators-changelog"


@pytest.fixture
def app() -> BatchingApp:
    """An app with a table over a batched topic, never started."""
    made = BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://")
    made.batched_topic("stock-prices")
    IndicatorTable(made, parse("sma 2"))
    return made


def test_changelogs_that_are_missing_are_named(app: BatchingApp) -> None:
    prices = {TP("stock-prices", 1), TP("stock-prices", 3)}
    assert app.without_state(prices | {TP(CHANGELOG, 1)}) == {TP(CHANGELOG, 3)}
    assert app.without_state(prices | {TP(CHANGELOG, 1), TP(CHANGELOG, 3)}) == set()


def test_topics_that_are_not_batched_need_none(app: BatchingApp) -> None:
    assert app.without_state({TP("something-else", 1)}) == set()
    assert app.without_state(set()) == set()


async def test_such_an_assignment_is_not_taken(app: BatchingApp) -> None:
    """Nothing is begun: the app does not even know of it, and the next one comes afresh."""
    await app._on_partitions_assigned({TP("stock-prices", 1)}, generation_id=1)
    assert app._assignment is None
    assert app.rebalancing_count == 0
