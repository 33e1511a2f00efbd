"""What nobody has foreseen of a provider must not end the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from faust import Record

from sources.schedule import Schedule
from topics import FINANCIAL_NEWS


class Odd:
    """A source that fails in a way of its own, twice; then it has nothing."""

    name, interval, topic = "odd", 0.001, FINANCIAL_NEWS

    def __init__(self) -> None:
        self.asked = 0
        self.closed = False

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Record]:
        self.asked += 1
        if self.asked <= 2:
            raise ZeroDivisionError
        return []

    async def close(self) -> None:
        self.closed = True


class Alone:
    """The worker, until the source was asked three times, and what it keeps cursors in."""

    rebalancing = in_recovery = False

    def __init__(self, source: Odd) -> None:
        self._source = source
        self.consumer = self

    @property
    def should_stop(self) -> bool:
        return self._source.asked >= 3

    def assignment(self) -> set[Any]:
        from faust.types import TP

        return {TP(FINANCIAL_NEWS.name, 0)}

    async def sleep(self, _: float) -> None:
        """Time does not matter here."""

    def load(self, *_: Any) -> dict[str, int]:
        return {}

    def save(self, *_: Any) -> None:
        """Nothing was fetched."""

    def close(self) -> None:
        """Nothing is open."""


async def test_a_source_that_fails_in_its_own_way_is_asked_again() -> None:
    source = Odd()
    alone: Any = Alone(source)
    await Schedule(alone, source, lambda: ["AAPL"], lambda _: 0, alone).run()
    assert source.asked == 3
    assert source.closed
