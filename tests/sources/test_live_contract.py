"""What every live source promises, at its local provider and through its real library.

Beside what `test_contract.py` checks of every source: errors, hangs, cancellation, reconnecting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from errors import SourceUnavailable
from sources.base import cursors
from tests.sources.live import KEYS, MAKERS, Live, facts, live
from tests.sources.providers.heartbeat import least_gap_during
from tests.sources.providers.server import HANG, Answer, LocalServer, Request


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture(params=MAKERS)
async def at_provider(request: pytest.FixtureRequest, cache: Path) -> AsyncIterator[Live]:
    async with AsyncExitStack() as stack:
        yield await live(request.param, stack, cache)


async def test_brings_what_is_there_in_order(at_provider: Live) -> None:
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
        assert facts([codec.decode(codec.encode_key(one), codec.encode(one))]) == facts([one])
        assert one.source == case.source.name


async def test_only_what_is_after_since_comes(at_provider: Live) -> None:
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


async def test_the_same_since_brings_the_same_again(at_provider: Live) -> None:
    case = at_provider
    first = facts(await case.fetch())
    assert len(first) == 6
    assert facts(await case.fetch()) == first


async def test_no_keys_ask_for_nothing(at_provider: Live) -> None:
    case = at_provider
    assert await case.source.fetch([], {}) == []
    assert case.server.asked() == []


async def test_an_error_is_said_and_passes(at_provider: Live) -> None:
    case = at_provider
    expected = facts(await case.fetch())
    case.server.on(case.path, Answer(500, b"oops"))
    with pytest.raises(SourceUnavailable):
        await case.fetch(KEYS[:1])
    case.server.on(case.path, case.server.answer)
    assert facts(await case.fetch()) == expected


@pytest.mark.parametrize("name", MAKERS)
async def test_a_hang_ends_in_time_and_passes(name: str, cache: Path) -> None:
    async with AsyncExitStack() as stack:
        case = await live(name, stack, cache, request_s=0.5, whole_s=1.0)
        # Whatever a library loads or a server starts at first is not what is timed.
        expected = facts(await case.fetch())
        case.server.on(case.path, HANG)
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            await case.fetch(KEYS[:1])
        assert time.monotonic() - began < 15
        case.server.release()
        case.server.on(case.path, case.server.answer)
        assert facts(await case.fetch()) == expected


async def test_a_cancelled_fetch_ends_at_once_and_changes_nothing(at_provider: Live) -> None:
    case = at_provider
    expected = facts(await case.fetch())
    asked = len(case.server.asked(case.path))
    case.server.on(case.path, HANG)
    task = asyncio.create_task(case.fetch())
    await asyncio.to_thread(case.server.wait_asked, case.path, asked + 1)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 4
    case.server.on(case.path, case.server.answer)
    case.server.release()
    assert facts(await case.fetch()) == expected


async def test_close_may_be_called_again_and_a_fetch_opens_anew(at_provider: Live) -> None:
    case = at_provider
    await case.source.close()
    expected = facts(await case.fetch())
    await case.source.close()
    await case.source.close()
    assert facts(await case.fetch()) == expected


async def test_hangs_of_five_seconds_delay_nothing_else(
    cache: Path,
) -> None:
    async with AsyncExitStack() as stack:
        cases = [await live(name, stack, cache, request_s=20.0) for name in MAKERS]
        expected = [facts(await case.fetch()) for case in cases]
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
            assert facts(one) == [fact for fact in before if fact[case.key] == KEYS[0]]


def _late(server: LocalServer, request: Request) -> Answer:
    return server.answer(request).having(delay=5.0)


def _final(record: Any) -> bool:
    return getattr(record, "closed", True)
