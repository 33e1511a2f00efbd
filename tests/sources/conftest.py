"""Sources under a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from models import BAR, Bar
from sources import recorded
from sources.base import PriceSource, cursors
from sources.replay import ReplaySource
from sources.simulated import SimulatedSource


@dataclass
class ManualClock:
    """Seconds that pass only when told to."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Case:
    """One source and what the contract needs to know of it."""

    make: type[ReplaySource] | type[SimulatedSource]
    keys: tuple[str, ...]
    unknown: str
    many: tuple[str, ...]

    def source(self, clock: ManualClock, speed: float = 4.0) -> PriceSource:
        return self.make(speed, clock=clock)


_MANY = tuple(f"T{i}" for i in range(20))

CASES = [
    pytest.param(Case(ReplaySource, ("AAPL", "FB"), "TSLA", recorded.TICKERS), id="replay"),
    pytest.param(Case(SimulatedSource, ("AAPL", "ANY-1"), "no ticker", _MANY), id="simulated"),
]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def facts(bars: Iterable[Bar]) -> list[dict[str, Any]]:
    """Return what the bars say, without when we got them."""
    return [{name: getattr(bar, name) for name in BAR.fields if name != "ingested"} for bar in bars]


async def collect(
    source: PriceSource, keys: Iterable[str], clock: ManualClock, polls: int, step: float = 1.0
) -> dict[str, list[Bar]]:
    """Poll as a schedule does and return the closed bars per key."""
    since: dict[str, int] = {}
    found: dict[str, list[Bar]] = {key: [] for key in keys}
    for _ in range(polls):
        for bar in await source.fetch(list(found), since):
            if bar.closed:
                found[bar.ticker].append(bar)
                since |= cursors([bar])
        clock.pass_(step)
    return found
