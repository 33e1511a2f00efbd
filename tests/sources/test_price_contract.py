"""What every source of prices promises."""

from __future__ import annotations

import time

import pytest

from errors import SourceUnavailable
from models import BAR, Bar
from sources.base import PriceSource, UnknownKeys, cursors
from tests.sources.conftest import Case, ManualClock, collect, facts
from tests.sources.providers.heartbeat import least_gap_during


async def test_bars_obey_the_rules_and_name_their_source(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    await source.fetch(case.keys, {})
    clock.pass_(5)
    bars = await source.fetch(case.keys, {})
    assert {bar.ticker for bar in bars} == set(case.keys)
    for bar in bars:
        again = BAR.decode(BAR.encode_key(bar), BAR.encode(bar))
        assert facts([again]) == facts([bar])
        assert bar.source == source.name
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert abs(bar.ingested - time.time() * 1000) < 60_000
        assert bar.time < bar.ingested


async def test_times_rise_per_key_and_lie_after_since(case: Case, clock: ManualClock) -> None:
    source = case.source(clock, speed=20)
    start = cursors(await source.fetch(case.keys, {}))
    assert set(start) == set(case.keys)
    clock.pass_(1)
    bars = await source.fetch(case.keys, start)
    for key in case.keys:
        times = [bar.time for bar in bars if bar.ticker == key]
        assert len(times) >= 20
        assert times == sorted(set(times))
        assert times[0] > start[key]


async def test_history_meets_the_live_part(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    past = await source.history(case.keys)
    assert set(past) == set(case.keys)
    first = await source.fetch(case.keys, {})
    joined = await case.source(clock).fetch(case.keys, {k: past[k][-1].time for k in case.keys})
    assert facts(joined) == facts(first)
    for bars in past.values():
        times = [bar.time for bar in bars]
        assert len(times) > 100
        assert times == sorted(set(times))
        assert all(bar.closed for bar in bars)


async def test_unknown_key_is_named_and_costs_the_others_nothing(
    case: Case, clock: ManualClock
) -> None:
    source = case.source(clock)
    keys = [*case.keys, case.unknown]
    with pytest.raises(UnknownKeys, match=case.unknown) as caught:
        await source.fetch(keys, {})
    assert caught.value.keys == (case.unknown,)
    with pytest.raises(SourceUnavailable, match=case.unknown):
        await source.history(keys)
    expected = await case.source(clock).fetch(case.keys, {})
    assert facts(await source.fetch(case.keys, {})) == facts(expected)


async def test_a_restart_continues_the_same_path(case: Case, clock: ManualClock) -> None:
    whole = await collect(case.source(clock), case.keys, clock, polls=12)
    source, since = case.source(clock), dict[str, int]()
    pieces: dict[str, list[Bar]] = {key: [] for key in case.keys}
    for poll in range(60):
        if poll % 3 == 2:
            source = case.source(clock)
        for bar in await source.fetch(case.keys, since):
            if bar.closed:
                pieces[bar.ticker].append(bar)
                since |= cursors([bar])
        clock.pass_(0.25)
    for key in case.keys:
        count = len(whole[key])
        assert count == 45
        assert facts(pieces[key])[:count] == facts(whole[key])


async def test_hands_out_copies(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    past = await source.history(case.keys[:1])
    expected = facts(past[case.keys[0]])
    past[case.keys[0]][0].close = -1.0
    assert facts((await source.history(case.keys[:1]))[case.keys[0]]) == expected


async def test_fetching_does_not_hold_up_the_loop(case: Case, clock: ManualClock) -> None:
    async def two_polls(source: PriceSource) -> None:
        await source.fetch(case.many, {})
        clock.pass_(1)
        await source.fetch(case.many, {})

    def fresh() -> PriceSource:
        return case.source(clock, speed=5_000)

    gap, _ = await least_gap_during(lambda: fresh().history(case.many), 0.05)
    assert gap < 0.05
    gap, _ = await least_gap_during(lambda: two_polls(fresh()), 0.05)
    assert gap < 0.05
