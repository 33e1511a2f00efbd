"""Rows by source offset: recovery, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from tables.checkpointed import CheckpointedTable, Row, row_offset
from tables.indicators import IndicatorTable
from tests.tables.conftest import SPECIFICATION, changelog
from transport import BatchingApp

offsets = st.integers(-1, 2**63 - 1)


def row(offset: int, mark: str = "") -> bytes:
    """A row as states write it."""
    return orjson.dumps({"offset": offset, "intervals": {}, "mark": mark})


@given(offsets, st.text(max_size=5))
def test_a_row_tells_its_offset(offset: int, mark: str) -> None:
    assert row_offset(row(offset, mark)) == offset


def with_history(offset: int, history: int) -> bytes:
    """A row of a table that follows a second topic."""
    return orjson.dumps({"offset": offset, "history": history, "intervals": {}})


def test_a_second_offset_makes_a_row_further() -> None:
    """Where one worker wrote after another, in whichever topic it went on."""
    steps = [row(-1), with_history(-1, 0), with_history(-1, 7), with_history(3, 7), row(12)]
    told = list(map(row_offset, steps))
    assert told == [-1, 0, 7, 11, 12]
    # Only a key of this place counts.
    assert row_offset(b'{"offset":3,"x":{"history":9}}') == 3


@given(st.binary(max_size=40))
def test_any_bytes_have_an_offset_or_none(raw: bytes) -> None:
    assert row_offset(raw) >= -1 or raw.startswith(b'{"offset":-')


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"{}", b'{"offset":', b'{"offset":null}', b'{"x":1,"offset":5}', b"\xff"]
)
def test_what_does_not_begin_with_an_offset_has_none(raw: bytes) -> None:
    assert row_offset(raw) == -1


def test_recovery_takes_each_row(table: IndicatorTable) -> None:
    table.apply_changelog_batch(changelog(table, ("AAPL", row(3)), ("MSFT", row(5))))
    assert (table.row("AAPL"), table.row("MSFT"), table.row("IBM")) == (row(3), row(5), None)


@pytest.mark.parametrize("batches", [1, 3], ids=["in one batch", "in batches of one"])
@pytest.mark.parametrize(
    ("rows", "winner"),
    [
        ((row(1), row(2), row(3)), 2),
        # A worker that was stopped wakes, and writes what it had.
        ((row(5), row(3), row(4)), 0),
        ((row(3), row(9), row(4)), 1),
        # A recompute changes the state and leaves the offset.
        ((row(5, "old"), row(4, "stale"), row(5, "new")), 2),
        ((row(-1, "old"), row(-1, "new"), b"no offset"), 2),
        ((row(7), b"no offset", row(6)), 0),
        # Digits are numbers, not text.
        ((row(9), row(10), row(2)), 1),
    ],
)
def test_the_highest_offset_wins_then_the_latest(
    table: IndicatorTable, rows: tuple[bytes, ...], winner: int, batches: int
) -> None:
    events = changelog(table, *(("AAPL", one) for one in rows))
    step = len(events) // batches
    for start in range(0, len(events), step):
        table.apply_changelog_batch(events[start : start + step])
    assert table.row("AAPL") == rows[winner]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4)), max_size=20))
def test_recovery_of_any_changelog(rows: list[tuple[str, int]]) -> None:
    table = IndicatorTable(
        BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://"), SPECIFICATION
    )
    table.apply_changelog_batch(
        changelog(table, *((key, row(offset, str(n))) for n, (key, offset) in enumerate(rows)))
    )
    for key in "ab":
        mine = [(offset, n) for n, (other, offset) in enumerate(rows) if other == key]
        expected = row(max(mine)[0], str(max(mine)[1])) if mine else None
        assert table.row(key) == expected


def test_a_tombstone_removes_a_row(table: IndicatorTable) -> None:
    table.apply_changelog_batch(changelog(table, ("AAPL", row(3)), ("AAPL", None)))
    assert table.row("AAPL") is None
    table.apply_changelog_batch(changelog(table, ("MSFT", None), ("AAPL", row(4))))
    assert table.row("AAPL") == row(4)


def test_keys_are_the_texts_that_tickers_are(table: IndicatorTable) -> None:
    table.apply_changelog_batch(changelog(table, ("^GSPC", row(1)), ("BRK-B", row(2))))
    assert sorted(table.keys()) == ["BRK-B", "^GSPC"]


async def test_rows_of_partitions_given_up_are_dropped(table: IndicatorTable) -> None:
    topic = table.changelog_topic.get_topic_name()
    table.apply_changelog_batch(changelog(table, ("A", row(1)), partition=0))
    table.apply_changelog_batch(changelog(table, ("B", row(1)), ("C", row(1)), partition=1))
    table.keep({"C": (2, row(2)), "D": (1, row(1))})
    await table.on_recovery_completed({TP(topic, 1), TP(topic, 3)}, set())
    assert sorted(table.keys()) == ["B", "D"]
    await table.on_recovery_completed(set(), set())
    assert sorted(table.keys()) == []


def test_a_row_recovered_later_knows_its_partition(table: IndicatorTable) -> None:
    table.apply_changelog_batch(changelog(table, ("A", row(1)), partition=4))
    assert table["A"].partition == 4


def test_a_plain_row_is_shown_as_it_is() -> None:
    assert Row(b'{"offset":3,"x":null}', 0).__json__() == {"offset": 3, "x": None}


def test_the_changelog_is_compacted_late(table: IndicatorTable) -> None:
    topic = table.changelog_topic
    assert topic.compacting
    assert topic.deleting is None
    assert topic.retention is None
    assert topic.config == {"min.compaction.lag.ms": "86400000"}
    spec = table.changelog()
    assert spec.name == topic.get_topic_name() == "test-indicators-changelog"
    assert spec.config == {"cleanup.policy": "compact", "min.compaction.lag.ms": "86400000"}


# -- reading less


@dataclass(frozen=True)
class Record:
    """A changelog record, as the consumer fetches it."""

    key: bytes
    value: bytes | None
    offset: int


def records(*rows: tuple[str, bytes | None]) -> list[Record]:
    """The records of one fetch."""
    return [Record(key.encode(), value, offset) for offset, (key, value) in enumerate(rows)]


def test_only_rows_that_count_are_looked_at() -> None:
    fetched = records(("A", row(1)), ("B", row(1)), ("A", row(2)), ("A", row(3)), ("B", row(2)))
    assert CheckpointedTable.newest_rows(fetched) == fetched[3:]


def test_the_last_record_is_always_there() -> None:
    """Even where a worker that had stood still wrote it, and it does not count."""
    fetched = records(("A", row(1)), ("A", row(9)), ("B", row(4)), ("A", row(2)))
    assert CheckpointedTable.newest_rows(fetched) == fetched[1:]


def test_removed_rows_are_left_to_recovery() -> None:
    fetched = records(("A", row(9)), ("A", None), ("A", row(2)))
    assert CheckpointedTable.newest_rows(fetched) == fetched


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), min_size=1, max_size=30))
def test_thinned_or_not_the_same_is_recovered(rows: list[tuple[str, int]]) -> None:
    whole, thinned = (
        IndicatorTable(
            BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://"), SPECIFICATION
        )
        for _ in range(2)
    )
    fetched = records(*((key, row(offset, str(n))) for n, (key, offset) in enumerate(rows)))
    whole.apply_changelog_batch(changelog(whole, *((r.key.decode(), r.value) for r in fetched)))
    few = CheckpointedTable.newest_rows(fetched)
    thinned.apply_changelog_batch(changelog(thinned, *((r.key.decode(), r.value) for r in few)))
    assert few[-1].offset == fetched[-1].offset
    assert {key: whole.row(key) for key in "abc"} == {key: thinned.row(key) for key in "abc"}


def test_what_belongs_to_another_table_is_not_taken(table: IndicatorTable) -> None:
    (event,) = changelog(table, ("AAPL", row(3)))
    event.message.topic = "test-trends-changelog"
    table.apply_changelog_batch([event])
    assert table.row("AAPL") is None


@pytest.mark.parametrize(
    ("written", "read"),
    [((5, 3), 7), ((6, 3), 4), ((4, 3), 4)],
    ids=["directly behind", "another one wrote between", "no sense"],
)
def test_own_writes_are_not_read_again(
    table: IndicatorTable, written: tuple[int, int], read: int
) -> None:
    place = TP(table.changelog_topic.get_topic_name(), 2)
    offsets = table.app.tables.recovery.active_offsets  # type: ignore[attr-defined]
    offsets[place] = 4
    table._written = {2: written}
    table.keep({"AAPL": (2, row(1))})
    assert offsets[place] == read
    assert table._written == {}


def test_rows_that_were_sent_and_not_kept_are_read(table: IndicatorTable) -> None:
    """Their epoch ended in between; the next checkpoint has nothing to save."""
    place = TP(table.changelog_topic.get_topic_name(), 2)
    offsets = table.app.tables.recovery.active_offsets  # type: ignore[attr-defined]
    offsets[place] = 4
    table._written = {2: (5, 3)}
    table.keep({})
    assert offsets[place] == 4
