"""Simulated bars: seeded, reachable at any index, provisional until closed, never in the future."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest

from errors import ConfigurationError
from models import Bar
from sources.random_walk import SEGMENT_BARS
from sources.simulated import FIRST_BAR_MS, HISTORY_BARS, MAX_BARS_PER_FETCH, SimulatedSource
from tests.sources.conftest import ManualClock, collect, facts

MINUTE_MS = 60_000


async def _path(seed: int, ticker: str, bars: int = 40) -> list[float]:
    past = await SimulatedSource(1, seed).history([ticker])
    return [bar.close for bar in past[ticker][:bars]]


async def _closed_after(index: int, count: int, ticker: str = "A") -> list[Bar]:
    """Return ``count`` closed bars from ``index`` on, of a source that has made none before."""
    clock = ManualClock()
    source = SimulatedSource(count, clock=clock)
    since = {ticker: FIRST_BAR_MS + (index - 1) * MINUTE_MS}
    await source.fetch([ticker], {})
    clock.pass_(1)
    bars = await source.fetch([ticker], since)
    return [bar for bar in bars if bar.closed][:count]


async def test_seed_and_ticker_make_the_path() -> None:
    assert await _path(1, "A") == await _path(1, "A")
    assert await _path(1, "A") != await _path(2, "A")
    assert await _path(1, "A") != await _path(1, "B")


async def test_the_path_is_the_same_in_every_release() -> None:
    # Stored bars must go on where they stopped, so a change here breaks whoever has some.
    assert await _path(1, "AAPL", 3) == [87.7168, 87.6466, 87.8027]


async def test_any_index_is_reached_without_the_ones_before() -> None:
    far = 10_000_000
    whole = await _closed_after(far, 300)
    piece = await _closed_after(far + 137, 100)
    assert facts(piece) == facts(whole[137:237])
    assert whole[0].time == FIRST_BAR_MS + far * MINUTE_MS


async def test_a_bar_opens_where_the_last_one_closed() -> None:
    bars = await _closed_after(HISTORY_BARS, 5 * SEGMENT_BARS)
    assert all(a.close == b.open for a, b in pairwise(bars))
    assert all(b.time - a.time == MINUTE_MS for a, b in pairwise(bars))


async def test_prices_walk_and_stay_in_bounds() -> None:
    bars = await _closed_after(0, 15_000)
    closes = [bar.close for bar in bars]
    moves = [math.log(b / a) for a, b in pairwise(closes)]
    assert 0.003 < statistics.stdev(moves) < 0.005
    assert max(closes) / min(closes) < 5
    assert max(closes) / min(closes) > 1.2
    assert all(bar.low > 0 and bar.volume > 0 for bar in bars)
    assert len({bar.volume for bar in bars}) > 1_000


async def test_the_forming_bar_grows_until_it_is_closed(clock: ManualClock) -> None:
    source = SimulatedSource(1, clock=clock)
    closed, forming = await source.fetch(["A"], {})
    seen = [forming]
    for _ in range(3):
        clock.pass_(0.25)
        (bar,) = await source.fetch(["A"], {"A": closed.time})
        seen.append(bar)
    clock.pass_(0.25)
    final, following = await source.fetch(["A"], {"A": closed.time})
    assert final.closed
    assert not following.closed
    assert not any(bar.closed for bar in seen)
    assert {bar.time for bar in seen} == {final.time} == {following.time - MINUTE_MS}
    for earlier, later in zip(seen, [*seen[1:], final], strict=True):
        assert earlier.open == later.open
        assert earlier.high <= later.high
        assert earlier.low >= later.low
        assert earlier.volume < later.volume


async def test_the_pace_is_the_speed(clock: ManualClock) -> None:
    live = await collect(SimulatedSource(3, clock=clock), ["A", "B"], clock, polls=11)
    assert {key: len(bars) for key, bars in live.items()} == {"A": 31, "B": 31}
    assert live["A"][0].time == FIRST_BAR_MS + HISTORY_BARS * MINUTE_MS


async def test_one_fetch_is_bounded_and_the_rest_comes_later(clock: ManualClock) -> None:
    keys = [f"T{i}" for i in range(100)]
    share = MAX_BARS_PER_FETCH // len(keys)
    source = SimulatedSource(share + 50, clock=clock)
    await source.fetch(keys, {})
    clock.pass_(1)
    bars = await source.fetch(keys, {})
    assert sum(bar.closed for bar in bars) == MAX_BARS_PER_FETCH
    late = await source.fetch(keys, {})
    assert sum(bar.closed for bar in late) == 50 * len(keys)


async def test_the_present_is_not_overtaken(clock: ManualClock) -> None:
    now = ManualClock(FIRST_BAR_MS / 1000 + (HISTORY_BARS + 3) * 60 + 30)
    source = SimulatedSource(100, clock=clock, now=now)
    await source.fetch(["A"], {})
    clock.pass_(1)
    bars = await source.fetch(["A"], {})
    assert [bar.closed for bar in bars] == [True, True, True, False]
    assert bars[-1].time == (now() - 30) * 1000
    now.pass_(30)
    clock.pass_(30)
    after = await source.fetch(["A"], {"A": bars[2].time})
    assert [(bar.time, bar.closed) for bar in after] == [
        (bars[3].time, True),
        (bars[3].time + MINUTE_MS, False),
    ]
    assert await source.fetch(["A"], {"A": bars[3].time + 9 * MINUTE_MS}) == []


async def test_it_never_ends(clock: ManualClock) -> None:
    assert not SimulatedSource(1, clock=clock).exhausted("A", 2**42)


@pytest.mark.parametrize(
    ("interval", "milliseconds"),
    [("1s", 1_000), ("5m", 300_000), ("1h", 3_600_000), ("1d", 86_400_000), ("1wk", 604_800_000)],
)
async def test_bars_have_the_length_asked_for(interval: str, milliseconds: int) -> None:
    bars = (await SimulatedSource(1, bar_interval=interval).history(["A"]))["A"]
    assert bars[1].time - bars[0].time == milliseconds
    assert bars[0].interval == interval


@pytest.mark.parametrize("interval", ["1mo", "0m", "m", "1 m"])
def test_other_lengths_are_refused(interval: str) -> None:
    with pytest.raises(ConfigurationError, match=interval):
        SimulatedSource(1, bar_interval=interval)
