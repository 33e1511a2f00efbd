"""Merging writes: what is left says the same as all of them, one after the other."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks import MemorySink, Mode, Origin, Write, coalesce
from sinks.base import FORWARDS, Document

C = "things"
PROVISIONAL: Document = {"close": 1.0, "closed": False, "indicators": {"rsi": 1.0}}
CLOSED: Document = {"close": 2.0, "closed": True, "indicators": {"rsi": 2.0}}
THEIRS: Document = {"indicators": {"theirs": 7.0}}


def origin(offset: int) -> Origin:
    return Origin("t", 0, offset, b"k", b"v")


#: Two writes to one document, and the one write that is left.
MERGED: dict[str, tuple[tuple[Document, Mode], tuple[Document, Mode], tuple[Document, Mode]]] = {
    "the last closed bar wins": (
        (CLOSED, Mode.UPSERT),
        (CLOSED | {"close": 3.0}, Mode.UPSERT),
        (CLOSED | {"close": 3.0}, Mode.UPSERT),
    ),
    "the last provisional bar wins": (
        (PROVISIONAL, Mode.UNLESS_CLOSED),
        (PROVISIONAL | {"close": 3.0}, Mode.UNLESS_CLOSED),
        (PROVISIONAL | {"close": 3.0}, Mode.UNLESS_CLOSED),
    ),
    "closed after provisional": (
        (PROVISIONAL, Mode.UNLESS_CLOSED),
        (CLOSED, Mode.UPSERT),
        (CLOSED, Mode.UPSERT),
    ),
    "provisional after closed": (
        (CLOSED, Mode.UPSERT),
        (PROVISIONAL, Mode.UNLESS_CLOSED),
        (CLOSED, Mode.UPSERT),
    ),
    "a redelivered bar comes without indicators": (
        (CLOSED, Mode.UPSERT),
        ({"close": 2.0, "closed": True}, Mode.UPSERT),
        (CLOSED, Mode.UPSERT),
    ),
    "indicators of others after the bar": (
        (CLOSED, Mode.UPSERT),
        (THEIRS, Mode.UPSERT),
        (CLOSED | {"indicators": {"rsi": 2.0, "theirs": 7.0}}, Mode.UPSERT),
    ),
    "indicators of others before the bar": (
        (THEIRS, Mode.UPSERT),
        (CLOSED, Mode.UPSERT),
        (CLOSED | {"indicators": {"rsi": 2.0, "theirs": 7.0}}, Mode.UPSERT),
    ),
    "a recompute right after the bar": (
        (CLOSED, Mode.UPSERT),
        ({"indicators": {"rsi": 9.0}}, Mode.UPDATE_ONLY),
        (CLOSED | {"indicators": {"rsi": 9.0}}, Mode.UPSERT),
    ),
    "two recomputes": (
        ({"indicators": {"rsi": 9.0}}, Mode.UPDATE_ONLY),
        ({"indicators": {"sma": 9.0}}, Mode.UPDATE_ONLY),
        ({"indicators": {"rsi": 9.0, "sma": 9.0}}, Mode.UPDATE_ONLY),
    ),
    "a trend that moves forward": (
        ({"time": 1, "version": 9, "x": 1}, Mode.FORWARD),
        ({"time": 2, "version": 3}, Mode.FORWARD),
        ({"time": 2, "version": 3}, Mode.FORWARD),
    ),
    "an old trend after a new one": (
        ({"time": 2, "version": 3}, Mode.FORWARD),
        ({"time": 2, "version": 2, "x": 1}, Mode.FORWARD),
        ({"time": 2, "version": 3}, Mode.FORWARD),
    ),
    "a dead letter twice": (
        ({"x": 1}, Mode.INSERT_ONLY),
        ({"x": 2}, Mode.INSERT_ONLY),
        ({"x": 1}, Mode.INSERT_ONLY),
    ),
}


@pytest.mark.parametrize(("earlier", "later", "left"), MERGED.values(), ids=MERGED.keys())
def test_two_writes_become_one(
    earlier: tuple[Document, Mode], later: tuple[Document, Mode], left: tuple[Document, Mode]
) -> None:
    before = copy.deepcopy((earlier[0], later[0]))
    writes = [
        Write(C, "a", earlier[0], earlier[1], (origin(1),)),
        Write(C, "a", later[0], later[1], (origin(2),)),
    ]
    assert coalesce(writes) == [[Write(C, "a", *left, (origin(1), origin(2)))]]
    assert (earlier[0], later[0]) == before


#: Pairs of which the first counts even where a closed bar is stored, or nothing is.
APART: dict[str, tuple[tuple[Document, Mode], tuple[Document, Mode]]] = {
    "a provisional bar after a recompute": (
        ({"indicators": {"rsi": 9.0}}, Mode.UPDATE_ONLY),
        (PROVISIONAL, Mode.UNLESS_CLOSED),
    ),
    "a provisional bar after indicators of others": (
        (THEIRS, Mode.UPSERT),
        (PROVISIONAL, Mode.UNLESS_CLOSED),
    ),
    "indicators of others after a provisional bar": (
        (PROVISIONAL, Mode.UNLESS_CLOSED),
        (THEIRS, Mode.UPSERT),
    ),
    "an insert after an update": (
        ({"x": 1}, Mode.UPDATE_ONLY),
        ({"x": 2}, Mode.INSERT_ONLY),
    ),
    "a trend after something else": (
        ({"x": 1}, Mode.UPSERT),
        ({"time": 2, "version": 2}, Mode.FORWARD),
    ),
    "something else after a trend": (
        ({"time": 2, "version": 2}, Mode.FORWARD),
        ({"x": 1}, Mode.UPSERT),
    ),
    "an update after an insert": (
        ({"x": 1}, Mode.INSERT_ONLY),
        ({"y": 2}, Mode.UPSERT),
    ),
}


@pytest.mark.parametrize(("earlier", "later"), APART.values(), ids=APART.keys())
def test_what_no_single_write_can_say_takes_a_second_round(
    earlier: tuple[Document, Mode], later: tuple[Document, Mode]
) -> None:
    first, second = Write(C, "a", *earlier), Write(C, "a", *later)
    other = Write(C, "b", CLOSED)
    assert coalesce([first, other, second]) == [[first, other], [second]]


def test_documents_keep_their_places_and_collections() -> None:
    writes = [Write("one", "b", {}), Write("two", "b", {}), Write("one", "a", {})]
    assert coalesce(writes) == [writes]


def test_nothing_takes_no_round() -> None:
    assert coalesce([]) == []


def documents() -> st.SearchStrategy[Document]:
    """Few fields and few values, so that writes meet."""
    number = st.integers(0, 3)
    fields: dict[str, Any] = {
        "close": number,
        "other": number,
        "closed": st.booleans(),
        "indicators": st.dictionaries(st.sampled_from(["rsi", "sma"]), number, min_size=1),
    }
    return st.fixed_dictionaries({}, optional=fields)


def forward_documents() -> st.SearchStrategy[Document]:
    """Those of a write that only moves forward say how far they are."""
    number = st.integers(0, 2)
    fields = {"time": number, "version": number}
    return st.fixed_dictionaries(fields, optional={"close": number, "closed": st.booleans()})


def lists_of_writes() -> st.SearchStrategy[list[Write]]:
    places = st.just(C), st.sampled_from("ab")
    others = st.sampled_from([mode for mode in Mode if mode not in FORWARDS])
    one = st.builds(Write, *places, documents(), others) | st.builds(
        Write, *places, forward_documents(), st.sampled_from(FORWARDS)
    )
    return st.lists(one, max_size=8)


@settings(max_examples=300)
@given(
    stored=st.dictionaries(st.sampled_from("ab"), documents() | forward_documents()),
    writes=lists_of_writes(),
)
def test_coalesced_writes_say_the_same_as_one_after_the_other(
    stored: dict[str, Document], writes: list[Write]
) -> None:
    one_by_one, coalesced = MemorySink(), MemorySink()
    for sink in (one_by_one, coalesced):
        sink.write([Write(C, id_, document) for id_, document in stored.items()])
    for write in writes:
        one_by_one.write([write])
    for one_round in coalesce(writes):
        ids = [write.id for write in one_round]
        assert len(ids) == len(set(ids))
        coalesced.write(one_round)
    assert coalesced.collections == one_by_one.collections


@given(lists_of_writes())
def test_every_message_keeps_a_write_to_answer_for_it(writes: list[Write]) -> None:
    for offset, write in enumerate(writes):
        write.origins = (origin(offset),)
    left = itertools.chain.from_iterable(coalesce(writes))
    assert sorted(o.offset for write in left for o in write.origins) == list(range(len(writes)))
