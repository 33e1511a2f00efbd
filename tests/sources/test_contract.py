"""What every source promises: those of prices that need no network, then the live ones.

A live one is at its local provider, through its real library (`tests/sources/live.py`).
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from errors import SourceUnavailable
from models import BAR, Bar
from sources.base import UnknownKeys, cursors
from tests.sources.conftest import Case, ManualClock, collect, facts
from tests.sources.live import KEYS, MAKERS, Live, live
from tests.sources.live import facts as told
from tests.sources.providers.heartbeat import least_gap_during
from tests.sources.providers.server import HANG, Answer, LocalServer, Request
from topics import STOCK_PRICES


def test_says_what_it_is(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    assert source.name in {"replay", "simulated"}
    assert source.topic is STOCK_PRICES
    assert source.interval == 1.0


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


async def test_nothing_for_no_keys(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    assert await source.fetch([], {}) == []
    assert await source.history([]) == {}


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


async def test_the_same_since_brings_the_same_again(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    first = await source.fetch(case.keys, {})
    clock.pass_(1)
    second = await source.fetch(case.keys, {})
    closed = [bar for bar in first if bar.closed]
    again = [bar for bar in second if bar.closed]
    for key in case.keys:
        assert facts(b for b in again if b.ticker == key)[:1] == facts(
            b for b in closed if b.ticker == key
        )


async def test_hands_out_copies(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    past = await source.history(case.keys[:1])
    expected = facts(past[case.keys[0]])
    past[case.keys[0]][0].close = -1.0
    assert facts((await source.history(case.keys[:1]))[case.keys[0]]) == expected


async def test_fetching_does_not_hold_up_the_loop(
    case: Case, clock: ManualClock, no_garbage_collection: None
) -> None:
    # The best of three: what a busy machine does to one of them says nothing.
    gaps = []
    for _ in range(3):
        source = case.source(clock, speed=5_000)
        gaps.append(await _longest_gap_during(source.history(case.many)))
        await source.fetch(case.many, {})
        clock.pass_(1)
        gaps.append(await _longest_gap_during(source.fetch(case.many, {})))
    assert min(gaps[::2]) < 0.05
    assert min(gaps[1::2]) < 0.05


async def test_a_cancelled_fetch_changes_nothing(case: Case, clock: ManualClock) -> None:
    source, undisturbed = case.source(clock), case.source(clock)
    for _ in range(3):
        expected = await undisturbed.fetch(case.keys, {})
        task = asyncio.create_task(source.fetch(case.keys, {}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert facts(await source.fetch(case.keys, {})) == facts(expected)
        clock.pass_(0.75)


async def test_close_may_be_called_again(case: Case, clock: ManualClock) -> None:
    source = case.source(clock)
    await source.close()
    await source.fetch(case.keys, {})
    await source.close()
    await source.close()


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Keep the collector out: a full pass over all that pytest has loaded takes 40 ms and more."""
    gc.disable()
    yield
    gc.enable()


async def _longest_gap_during(work: Coroutine[Any, Any, object]) -> float:
    """Return the longest time that the loop did not turn, in seconds."""
    longest = 0.0
    task = asyncio.create_task(work)
    while not task.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - before)
    await task
    return longest


# -- live sources


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture(params=MAKERS)
async def at_provider(request: pytest.FixtureRequest, cache: Path) -> AsyncIterator[Live]:
    async with AsyncExitStack() as stack:
        yield await live(request.param, stack, cache)


async def test_live_brings_what_is_there_in_order(at_provider: Live) -> None:
    case = at_provider
    records = await case.fetch()
    codec = case.source.topic.codec
    assert codec is not None
    assert codec.key == case.key
    for key in KEYS:
        times = [one.time for one in records if getattr(one, case.key) == key]
        assert len(times) == 3
        assert times == sorted(times)
    for one in records:
        assert told([codec.decode(codec.encode_key(one), codec.encode(one))]) == told([one])
        assert one.source == case.source.name


async def test_live_only_what_is_after_since_comes(at_provider: Live) -> None:
    case = at_provider
    known = {**case.since, **cursors(await case.fetch(), case.key)}
    assert known.keys() == set(KEYS)
    assert [one for one in await case.source.fetch(KEYS, known) if _final(one)] == []
    case.publish(3)
    new = await case.source.fetch(KEYS, known)
    assert {getattr(one, case.key) for one in new} == set(KEYS)
    assert all(one.time > known[getattr(one, case.key)] for one in new)
    # Each key has its own.
    known[KEYS[0]] = max(one.time for one in new) + 1
    rest = await case.source.fetch(KEYS, known)
    assert {getattr(one, case.key) for one in rest} == {KEYS[1]}


async def test_live_the_same_since_brings_the_same_again(at_provider: Live) -> None:
    case = at_provider
    first = told(await case.fetch())
    assert len(first) == 6
    assert told(await case.fetch()) == first


async def test_live_no_keys_ask_for_nothing(at_provider: Live) -> None:
    case = at_provider
    assert await case.source.fetch([], {}) == []
    assert case.server.asked() == []


async def test_live_an_error_is_said_and_passes(at_provider: Live) -> None:
    case = at_provider
    expected = told(await case.fetch())
    case.server.on(case.path, Answer(500, b"oops"))
    with pytest.raises(SourceUnavailable):
        await case.fetch(KEYS[:1])
    case.server.on(case.path, case.server.answer)
    assert told(await case.fetch()) == expected


@pytest.mark.parametrize("name", MAKERS)
async def test_live_a_hang_ends_in_time_and_passes(name: str, cache: Path) -> None:
    async with AsyncExitStack() as stack:
        case = await live(name, stack, cache, request_s=0.5, whole_s=1.0)
        # Whatever a library loads or a server starts at first is not what is timed.
        expected = told(await case.fetch())
        case.server.on(case.path, HANG)
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            await case.fetch(KEYS[:1])
        assert time.monotonic() - began < 5
        case.server.release()
        case.server.on(case.path, case.server.answer)
        assert told(await case.fetch()) == expected


async def test_live_a_cancelled_fetch_ends_at_once_and_changes_nothing(at_provider: Live) -> None:
    case = at_provider
    expected = told(await case.fetch())
    asked = len(case.server.asked(case.path))
    case.server.on(case.path, HANG)
    task = asyncio.create_task(case.fetch())
    await asyncio.to_thread(case.server.wait_asked, case.path, asked + 1)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1
    case.server.on(case.path, case.server.answer)
    case.server.release()
    assert told(await case.fetch()) == expected


async def test_live_close_may_be_called_again_and_a_fetch_opens_anew(at_provider: Live) -> None:
    case = at_provider
    await case.source.close()
    expected = told(await case.fetch())
    await case.source.close()
    await case.source.close()
    assert told(await case.fetch()) == expected


async def test_live_hangs_of_five_seconds_delay_nothing_else(
    cache: Path,
) -> None:
    async with AsyncExitStack() as stack:
        cases = [await live(name, stack, cache, request_s=20.0) for name in MAKERS]
        expected = [told(await case.fetch()) for case in cases]
        for case in cases:
            case.server.on(case.path, partial(_late, case.server))

        async def all_at_once() -> list[list[Any]]:
            began = time.monotonic()
            found = await asyncio.gather(*(case.fetch(KEYS[:1]) for case in cases))
            assert time.monotonic() - began >= 5
            return found

        gap, found = await least_gap_during(all_at_once, 0.05)
        assert gap < 0.05
        for case, one, before in zip(cases, found, expected, strict=True):
            assert told(one) == [fact for fact in before if fact[case.key] == KEYS[0]]


def _late(server: LocalServer, request: Request) -> Answer:
    return server.answer(request).having(delay=5.0)


def _final(record: Any) -> bool:
    return getattr(record, "closed", True)
