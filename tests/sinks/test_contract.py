"""The contract of every sink: one suite, over all of them."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sinks import Mode, Origin, Write
from sinks.base import FORWARDS, Document
from tests.sinks.stores import MemoryStore, Store

C = "things"
WHEN = datetime(2024, 1, 5, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.integration)])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store of each kind."""
    if request.param == "memory":
        return MemoryStore()
    found: Store = request.getfixturevalue("mongo_store")
    return found


def put(store: Store, document: Document, mode: Mode = Mode.UPSERT, id_: str = "a") -> None:
    """Store one document, which must not be refused."""
    assert store.sink.write([Write(C, id_, document, mode)]) == []


def test_an_empty_call_stores_nothing(store: Store) -> None:
    assert store.sink.write([]) == []
    assert store.documents(C) == {}


def test_values_come_back_as_they_were(store: Store) -> None:
    document = {
        "text": "Überraschung 📈",
        "number": 0.1,
        "whole": 2**62,
        "flag": False,
        "none": None,
        "bytes": b"\x00\xff",
        "when": WHEN,
        "list": ["a", 1],
        "indicators": {"rsi": 41.5, "sma": None},
    }
    put(store, document)
    assert store.documents(C) == {"a": document}


@pytest.mark.parametrize("mode", [one for one in Mode if one is not Mode.UPDATE_ONLY])
def test_what_is_missing_is_inserted(store: Store, mode: Mode) -> None:
    document = {"time": WHEN, "version": 1}
    put(store, document, mode)
    assert store.documents(C) == {"a": document}


def test_update_only_inserts_nothing(store: Store) -> None:
    put(store, {"x": 1}, Mode.UPDATE_ONLY)
    assert store.documents(C) == {}


@pytest.mark.parametrize("mode", [Mode.UPSERT, Mode.UNLESS_CLOSED, Mode.UPDATE_ONLY])
def test_fields_of_what_exists_are_set_and_others_survive(store: Store, mode: Mode) -> None:
    put(store, {"x": 1, "y": 1})
    put(store, {"y": 2, "z": 2}, mode)
    assert store.documents(C) == {"a": {"x": 1, "y": 2, "z": 2}}


def test_insert_only_leaves_what_exists_alone(store: Store) -> None:
    put(store, {"x": 1})
    put(store, {"x": 2, "y": 2}, Mode.INSERT_ONLY)
    assert store.documents(C) == {"a": {"x": 1}}


@pytest.mark.parametrize("mode", [Mode.UPSERT, Mode.UNLESS_CLOSED, Mode.UPDATE_ONLY])
def test_indicators_are_set_one_by_one(store: Store, mode: Mode) -> None:
    put(store, {"close": 1.0, "indicators": {"theirs": 7.0, "rsi": 50.0}})
    put(store, {"indicators": {"rsi": 60.0, "sma": None}}, mode)
    assert store.documents(C) == {
        "a": {"close": 1.0, "indicators": {"theirs": 7.0, "rsi": 60.0, "sma": None}}
    }


def test_indicators_can_come_before_and_after_their_bar(store: Store) -> None:
    put(store, {"indicators": {"theirs": 7.0}})
    put(store, {"close": 1.0, "closed": True, "indicators": {"rsi": 50.0}})
    put(store, {"indicators": {"theirs": 8.0}})
    assert store.documents(C) == {
        "a": {"close": 1.0, "closed": True, "indicators": {"theirs": 8.0, "rsi": 50.0}}
    }


def test_other_fields_that_hold_fields_are_replaced_whole(store: Store) -> None:
    put(store, {"components": {"news": 1.0, "macro": 1.0}})
    put(store, {"components": {"news": 2.0}})
    assert store.documents(C) == {"a": {"components": {"news": 2.0}}}


def test_a_provisional_write_replaces_a_provisional_bar(store: Store) -> None:
    put(store, {"close": 1.0, "closed": False}, Mode.UNLESS_CLOSED)
    put(store, {"close": 2.0, "closed": False}, Mode.UNLESS_CLOSED)
    assert store.documents(C) == {"a": {"close": 2.0, "closed": False}}


def test_a_provisional_write_completes_a_bar_that_only_has_indicators(store: Store) -> None:
    put(store, {"indicators": {"theirs": 7.0}})
    put(store, {"close": 2.0, "closed": False}, Mode.UNLESS_CLOSED)
    assert store.documents(C) == {
        "a": {"close": 2.0, "closed": False, "indicators": {"theirs": 7.0}}
    }


def test_a_closed_bar_replaces_a_provisional_one(store: Store) -> None:
    put(store, {"close": 1.0, "closed": False}, Mode.UNLESS_CLOSED)
    put(store, {"close": 2.0, "closed": True})
    assert store.documents(C) == {"a": {"close": 2.0, "closed": True}}


def test_a_provisional_write_never_replaces_a_closed_bar(store: Store) -> None:
    closed = {"close": 2.0, "closed": True, "indicators": {"rsi": 50.0}}
    put(store, closed)
    put(
        store,
        {"close": 3.0, "closed": False, "indicators": {"rsi": 1.0, "sma": 1.0}},
        Mode.UNLESS_CLOSED,
    )
    assert store.documents(C) == {"a": closed}


def test_a_closed_bar_can_be_corrected(store: Store) -> None:
    put(store, {"close": 2.0, "closed": True})
    put(store, {"close": 2.5, "closed": True})
    assert store.documents(C) == {"a": {"close": 2.5, "closed": True}}


FAR = {"time": WHEN, "version": 5, "strength": 63, "components": {"news": 1.0}}


@pytest.mark.parametrize(
    ("time", "version", "replaced"),
    [
        (WHEN + MINUTE, 0, True),
        (WHEN, 6, True),
        (WHEN, 5, True),
        (WHEN, 4, False),
        (WHEN - MINUTE, 9, False),
    ],
)
@pytest.mark.parametrize("mode", FORWARDS)
def test_what_only_moves_forward(
    store: Store, time: datetime, version: int, replaced: bool, mode: Mode
) -> None:
    put(store, FAR, mode)
    other = {"time": time, "version": version, "strength": 7}
    put(store, other, mode)
    # Replaced whole: nothing of an older trend shines through.
    assert store.documents(C) == {"a": other if replaced else FAR}


@pytest.mark.parametrize("mode", FORWARDS)
def test_what_tells_no_time_is_not_replaced(store: Store, mode: Mode) -> None:
    put(store, {"x": 1})
    put(store, FAR, mode)
    assert store.documents(C) == {"a": {"x": 1}}


@pytest.mark.parametrize("mode", FORWARDS)
def test_many_that_move_forward_and_some_that_do_not(store: Store, mode: Mode) -> None:
    stored = [{"time": WHEN, "version": n % 3} for n in range(300)]
    store.sink.write([Write(C, str(n), one, mode) for n, one in enumerate(stored)])
    new = [{"time": WHEN, "version": 1, "new": True} for _ in stored]
    assert store.sink.write([Write(C, str(n), one, mode) for n, one in enumerate(new)]) == []
    assert store.documents(C) == {
        str(n): one if one["version"] == 2 else new[n] for n, one in enumerate(stored)
    }


def mixed() -> list[Write]:
    """Writes of every mode to several collections, as one call brings them."""
    return [
        Write("one", "a", {"x": 1}),
        Write("two", "a", {"x": 2}, Mode.INSERT_ONLY),
        Write("one", "b", {"x": 3, "closed": False}, Mode.UNLESS_CLOSED),
        Write("two", "b", {"indicators": {"rsi": 1.0}}, Mode.UPDATE_ONLY),
        Write("one", "c", {"x": 4, "indicators": {"rsi": 2.0}}),
        Write("three", "a", {"x": 5}),
        Write("three", "b", {"time": WHEN, "version": 2, "x": 6}, Mode.FORWARD),
        Write("three", "c", {"time": WHEN, "version": 2, "x": 7}, Mode.LATEST),
    ]


def test_one_call_reaches_several_collections(store: Store) -> None:
    store.sink.write([Write("two", "b", {"x": 0}), Write("one", "c", {"y": 0})])
    assert store.sink.write(mixed()) == []
    assert store.documents("one") == {
        "a": {"x": 1},
        "b": {"x": 3, "closed": False},
        "c": {"x": 4, "y": 0, "indicators": {"rsi": 2.0}},
    }
    assert store.documents("two") == {"a": {"x": 2}, "b": {"x": 0, "indicators": {"rsi": 1.0}}}
    assert store.documents("three") == {
        "a": {"x": 5},
        "b": {"time": WHEN, "version": 2, "x": 6},
        "c": {"time": WHEN, "version": 2, "x": 7},
    }


def test_the_same_call_twice_leaves_the_same_documents(store: Store) -> None:
    store.sink.write(mixed())
    first = {name: copy.deepcopy(store.documents(name)) for name in ("one", "two", "three")}
    assert store.sink.write(mixed()) == []
    assert {name: store.documents(name) for name in first} == first


def test_what_was_written_stays_the_callers(store: Store) -> None:
    document = {"x": 1, "indicators": {"rsi": 1.0}}
    put(store, document)
    put(store, {"x": 2, "indicators": {"sma": 2.0}})
    assert document == {"x": 1, "indicators": {"rsi": 1.0}}


def test_many_writes_of_which_some_exist(store: Store) -> None:
    assert store.sink.write([Write(C, str(n), {"n": n}) for n in range(0, 2_000, 3)]) == []
    assert store.sink.write([Write(C, str(n), {"n": -n}) for n in range(2_000)]) == []
    assert store.documents(C) == {str(n): {"n": -n} for n in range(2_000)}


# -- which message a document comes from


def sent(store: Store, offset: int, partition: int = 0, topic: str = "t", **fields: Any) -> None:
    """Store a document that comes from the message at this offset."""
    origin = Origin(topic, partition, offset, b"k", b"v")
    assert store.sink.write([Write(C, "a", fields, Mode.UPSERT, (origin,))]) == []


def stored(store: Store) -> Document:
    """The document, without its positions."""
    return {k: v for k, v in store.documents(C)["a"].items() if k != "positions"}


def test_an_older_message_changes_nothing(store: Store) -> None:
    """A worker that stood still for long has it in its hands when it wakes up."""
    sent(store, 99, x=1)
    sent(store, 100, x=2)
    sent(store, 99, x=1)
    assert stored(store) == {"x": 2}
    assert store.documents(C)["a"]["positions"] == {"t": "first-id|0|000000000000100"}


def test_the_same_message_counts_again(store: Store) -> None:
    """It is delivered a second time, perhaps after indicators were computed at it."""
    sent(store, 100, x=1)
    sent(store, 100, x=1, indicators={"rsi": 50.0})
    assert stored(store) == {"x": 1, "indicators": {"rsi": 50.0}}


def test_an_older_message_of_another_partition_or_topic_counts(store: Store) -> None:
    """There, offsets say nothing about what came first."""
    sent(store, 100, x=1)
    sent(store, 7, partition=1, x=2)
    assert stored(store) == {"x": 2}
    sent(store, 3, topic="u", y=1)
    assert stored(store) == {"x": 2, "y": 1}
    sent(store, 6, partition=1, x=3)
    assert stored(store) == {"x": 2, "y": 1}


def test_a_topic_that_was_made_anew_begins_at_0(store: Store) -> None:
    """So it is after moving to another cluster."""
    sent(store, 100, x=1)
    store.ids["t"] = "other-id"
    sent(store, 0, x=2)
    assert stored(store) == {"x": 2}


def test_what_comes_from_no_message_always_counts(store: Store) -> None:
    """As a recompute's values do, and topics whose id is not known."""
    sent(store, 100, x=1)
    put(store, {"x": 2}, Mode.UPDATE_ONLY)
    assert stored(store) == {"x": 2}
    sent(store, 1, topic="unknown", x=3)
    assert stored(store) == {"x": 3}


def test_a_bar_still_forming_keeps_both_rules(store: Store) -> None:
    """Neither an older state of it nor any state after its end."""

    def forming(offset: int, close: float) -> None:
        origin = Origin("t", 0, offset, b"k", b"v")
        document: Document = {"close": close, "closed": False}
        store.sink.write([Write(C, "a", document, Mode.UNLESS_CLOSED, (origin,))])

    forming(5, 1.0)
    forming(6, 2.0)
    forming(5, 1.0)
    assert stored(store) == {"close": 2.0, "closed": False}
    sent(store, 7, close=3.0, closed=True)
    forming(8, 4.0)
    assert stored(store) == {"close": 3.0, "closed": True}
