"""The pace of a replay, and its end."""

from __future__ import annotations

import pytest

from errors import SourceUnavailable
from sources import recorded
from sources.base import cursors
from sources.replay import ReplaySource
from tests.sources.conftest import ManualClock, collect, facts


async def test_history_is_two_thirds(clock: ManualClock) -> None:
    past = await ReplaySource(1, clock=clock).history(["AAPL", "FB"])
    assert {key: len(bars) for key, bars in past.items()} == {"AAPL": 2180, "FB": 130}
    assert facts(past["FB"]) == facts(recorded.bars("FB")[:130])


async def test_live_bars_follow_the_recording(clock: ManualClock) -> None:
    live = await collect(ReplaySource(2.5, clock=clock), ["FB"], clock, polls=5)
    # One at once, then 2.5 a second with the halves kept.
    assert facts(live["FB"]) == facts(recorded.bars("FB")[130:141])


async def test_each_fetch_brings_what_is_due(clock: ManualClock) -> None:
    source, since, counts = ReplaySource(1.5, clock=clock), dict[str, int](), []
    for _ in range(5):
        bars = await source.fetch(["FB"], since)
        since |= cursors(bars)
        counts.append(len(bars))
        clock.pass_(1)
    assert counts == [1, 1, 2, 1, 2]
    assert len(await source.fetch(["FB", "IBM"], since)) == 1 + 1


async def test_a_replay_ends(clock: ManualClock) -> None:
    source, last = ReplaySource(1_000, clock=clock), recorded.bars("FB")[-1].time
    assert not source.exhausted("FB", last)  # nothing read yet
    await source.fetch(["FB"], {})
    clock.pass_(1)
    bars = await source.fetch(["FB"], {})
    assert len(bars) == 196 - 130
    assert bars[-1].time == last
    assert not source.exhausted("FB", None)
    assert not source.exhausted("FB", bars[-2].time)
    assert source.exhausted("FB", last)
    assert not source.exhausted("IBM", last)
    clock.pass_(1)
    assert await source.fetch(["FB"], {"FB": last}) == []


async def test_received_when_handed_out(clock: ManualClock) -> None:
    source = ReplaySource(1, clock=clock, now=lambda: 1_700_000_000.5)
    assert [bar.ingested for bar in await source.fetch(["FB"], {})] == [1_700_000_000_500]


async def test_other_tickers_are_pointed_to_the_simulation(clock: ManualClock) -> None:
    with pytest.raises(SourceUnavailable, match=r"TSLA.*AAPL, FB, GOOG, IBM, MSFT.*simulated"):
        await ReplaySource(1, clock=clock).fetch(["TSLA"], {})
