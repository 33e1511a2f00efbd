"""What every source promises, whatever it brings and wherever from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faust import Record

from errors import SourceUnavailable
from models import Codec
from sources.base import Source, UnknownKeys, cursors
from tests.sources.conftest import ManualClock
from tests.sources.providers.heartbeat import least_gap_during
from tests.sources.worlds import WORLDS, World


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[World]:
    """Each source's world in turn."""
    with WORLDS[request.param](clock, tmp_path) as opened:
        yield opened


def codec(source: Source) -> Codec[Any]:
    """The codec of what a source brings."""
    found = source.topic.codec
    assert found is not None
    return found


def facts(source: Source, records: Iterable[Record]) -> list[dict[str, Any]]:
    """What records say, without when we got them."""
    names = [name for name in codec(source).fields if name != "ingested"]
    return [{name: getattr(record, name) for name in names} for record in records]


def by_key(source: Source, records: Iterable[Record]) -> dict[str, list[Any]]:
    """The records of each key, in the order in which they came."""
    found: dict[str, list[Any]] = {}
    for record in records:
        found.setdefault(getattr(record, codec(source).key), []).append(record)
    return found


async def test_says_what_it_is(world: World) -> None:
    source = world.make()
    assert source.topic is world.topic
    assert source.interval > 0
    assert source.name.partition("-")[0] in WORLDS
    await source.close()


async def test_records_obey_the_rules_and_name_their_source(world: World) -> None:
    source = world.make()
    records = await source.fetch(world.keys, {})
    assert set(by_key(source, records)) == set(world.keys)
    for record in records:
        message = codec(source).encode_key(record), codec(source).encode(record)
        assert facts(source, [codec(source).decode(*message)]) == facts(source, [record])
        assert record.source == world.label
    await source.close()


async def test_times_rise_per_key_and_none_lies_before_since(world: World) -> None:
    source = world.make()
    first = by_key(source, await source.fetch(world.keys, {}))
    since = {}
    for key, records in first.items():
        times = [record.time for record in records]
        assert times == sorted(times)
        since[key] = times[len(times) // 2]
    for key, records in by_key(source, await source.fetch(world.keys, since)).items():
        times = [record.time for record in records]
        assert times == sorted(times)
        # At ``since`` itself only a bar that is still forming, or a revision.
        assert times[0] >= since[key]
    await source.close()


async def test_nothing_is_new_after_the_last(world: World) -> None:
    """So that a poll of a quiet source sends nothing again and again."""
    source = world.make()
    records = await source.fetch(world.keys, {})
    again = await source.fetch(world.keys, cursors(records, codec(source).key))
    assert [record for record in again if getattr(record, "closed", True)] == []
    await source.close()


async def test_nothing_for_no_keys(world: World) -> None:
    source = world.make()
    assert await source.fetch([], {}) == []
    await source.close()


async def test_an_unknown_key_is_named_and_costs_the_others_nothing(world: World) -> None:
    if world.unknown is None:
        return
    source = world.make()
    with pytest.raises(UnknownKeys, match=world.unknown) as caught:
        await source.fetch([*world.keys, world.unknown], {})
    assert caught.value.keys == (world.unknown,)
    assert isinstance(caught.value, SourceUnavailable)
    assert set(by_key(source, await source.fetch(world.keys, {}))) == set(world.keys)
    await source.close()


async def test_the_same_since_brings_the_same_again(world: World, clock: ManualClock) -> None:
    source, another = world.make(), world.make()
    expected = by_key(another, await another.fetch(world.keys, {}))
    for _ in range(2):
        found = by_key(source, await source.fetch(world.keys, {}))
        for key, records in expected.items():
            closed = [record for record in records if getattr(record, "closed", True)]
            assert facts(source, found[key])[: len(closed)] == facts(source, closed)
        # What keeps a pace has as much to bring again, and more.
        clock.pass_(1)
    await source.close()
    await another.close()


async def test_a_cancelled_fetch_changes_nothing(world: World) -> None:
    source, undisturbed = world.make(), world.make()
    expected = await undisturbed.fetch(world.keys, {})
    task = asyncio.create_task(source.fetch(world.keys, {}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert facts(source, await source.fetch(world.keys, {})) == facts(undisturbed, expected)
    await source.close()
    await undisturbed.close()


async def test_fetching_does_not_hold_up_the_loop(world: World) -> None:
    source = world.make()
    gap, records = await least_gap_during(lambda: source.fetch(world.keys, {}), enough=0.05)
    assert gap < 0.05
    assert records is not None
    await source.close()


async def test_close_may_be_called_again(world: World) -> None:
    source = world.make()
    await source.close()
    await source.fetch(world.keys, {})
    await source.close()
    await source.close()
