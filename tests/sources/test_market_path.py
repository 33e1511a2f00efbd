"""Paths agree with the sources whose prices they know ahead."""

from __future__ import annotations

import math

import pytest

from sources import recorded
from sources.market_path import HORIZON_BARS, MarketPath, RecordedPath, SimulatedPath, now_on
from sources.random_walk import SEGMENT_BARS, RandomWalk
from sources.replay import ReplaySource
from sources.simulated import FIRST_BAR_MS, HISTORY_BARS, SimulatedSource
from tests.sources.conftest import ManualClock

PATHS = [
    pytest.param(RecordedPath(), ReplaySource, id="recorded"),
    pytest.param(SimulatedPath(1, "1m"), SimulatedSource, id="simulated"),
]


@pytest.mark.parametrize(("path", "source"), PATHS)
async def test_a_path_is_what_the_source_brings(
    path: MarketPath, source: type[ReplaySource | SimulatedSource], clock: ManualClock
) -> None:
    bars = (await source(1, clock=clock).history(["AAPL"]))["AAPL"]
    assert path.name == source.name
    assert path.live("AAPL") == len(bars)
    for index in (0, 1, 63, 64, 100, len(bars) - 1):
        assert path.opened("AAPL", index) == bars[index].time
        assert path.close("AAPL", index) == bars[index].close
        assert path.index("AAPL", bars[index].time) == index
        assert path.index("AAPL", bars[index].time + 1) == index
        assert path.index("AAPL", bars[index].time - 1) == index - 1
    assert path.opened("AAPL", -1) is None
    first = await source(1, clock=clock).fetch(["AAPL"], {})
    assert first[0].time == path.opened("AAPL", path.live("AAPL"))


@pytest.mark.parametrize(("path", "source"), PATHS)
def test_time_goes_on_with_the_bar_that_is_forming(path: MarketPath, source: object) -> None:
    live = path.live("IBM")
    assert now_on(path, "IBM", None) == live
    assert now_on(path, "IBM", path.opened("IBM", live)) == live + 1


@pytest.mark.parametrize(("path", "source"), PATHS)
def test_an_outlook_is_the_return_to_come(path: MarketPath, source: object) -> None:
    outlooks = [path.outlook("IBM", index) for index in range(200, 1200)]
    moves = [
        math.log(path.close("IBM", index + HORIZON_BARS) / path.close("IBM", index))
        for index in range(200, 1200)
    ]
    unit = max(moves) / max(outlooks)
    assert outlooks == pytest.approx([move / unit for move in moves])
    # In standard deviations, about.
    assert 0.5 < math.sqrt(sum(o * o for o in outlooks) / len(outlooks)) < 2.0


def test_a_recording_ends() -> None:
    path, bars = RecordedPath(), recorded.bars("FB")
    last = len(bars) - 1
    assert path.opened("FB", last) == bars[-1].time
    assert path.opened("FB", last + 1) is None
    assert path.outlook("FB", last) == 0.0
    assert path.outlook("FB", last - 1) != 0.0
    assert path.index("FB", bars[-1].time * 2) == last


def test_who_is_known() -> None:
    assert RecordedPath().knows("FB")
    assert not RecordedPath().knows("TSLA")
    assert SimulatedPath(1, "1m").knows("TSLA")
    assert not SimulatedPath(1, "1m").knows("no ticker")


def test_before_the_first_simulated_bar_there_is_none() -> None:
    path = SimulatedPath(1, "1h")
    assert path.index("A", FIRST_BAR_MS - 10**10) == -1
    assert path.index("A", FIRST_BAR_MS) == 0
    assert path.live("A") == HISTORY_BARS


def test_a_walk_remembers_as_much_as_it_has_tickers() -> None:
    """Whatever the time that passes, or an hour of simulation would fill the memory."""
    walk = RandomWalk(1)
    expected = [walk.close("A", bar) for bar in range(0, 100 * SEGMENT_BARS, 7)]
    assert len(walk._kept) == 2
    walk.forget()
    assert [walk.close("A", bar) for bar in range(0, 100 * SEGMENT_BARS, 7)] == expected
    assert [RandomWalk(1).close("A", bar) for bar in (700, 0, 1400)] == [
        expected[bar // 7] for bar in (700, 0, 1400)
    ]
