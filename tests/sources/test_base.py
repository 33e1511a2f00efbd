"""Cursors and pace."""

from __future__ import annotations

import pytest

from sources.base import Pace, cursors
from sources.replay import ReplaySource
from sources.simulated import SimulatedSource
from tests.sources.conftest import ManualClock


async def test_a_forming_bar_moves_no_cursor(clock: ManualClock) -> None:
    bars = await SimulatedSource(1, clock=clock).fetch(["A", "B"], {})
    assert [bar.closed for bar in bars] == [True, False] * 2
    assert cursors(bars) == {"A": bars[0].time, "B": bars[2].time}
    assert cursors(bars[1:2]) == {}


async def test_cursors_are_the_latest_in_any_order(clock: ManualClock) -> None:
    source = ReplaySource(10, clock=clock)
    await source.fetch(["IBM"], {})
    clock.pass_(1)
    bars = await source.fetch(["IBM"], {})
    assert cursors(reversed(bars)) == {"IBM": bars[-1].time}


def test_pace_keeps_fractions_and_what_was_not_taken(clock: ManualClock) -> None:
    pace = Pace(0.5, clock)
    assert pace.owed("A") == 1
    pace.take("A", 1)
    clock.pass_(1)
    assert pace.owed("A") == 0.5
    clock.pass_(2)
    assert pace.owed("A") == 1.5
    assert pace.owed("A") == 1.5
    pace.take("A", 1)
    assert pace.owed("A") == 0.5
    assert pace.owed("B") == 1


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_pace_needs_a_speed(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Pace(speed)
