"""A Faust table whose changelog is written by checkpoints, and recovered by source offset.

A row is the JSON of a state; it begins ``{"offset":N``, where N is the offset (in the topic that
the table follows) of the last message applied to it, and goes on ``,"history":M`` where the table
follows a second topic and M is the offset there.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import faust
import orjson
from faust.types import TP, AppT, EventT

from topics import TopicSpec
from transport.checkpoint import Rows
from transport.outbox import send_batches

_OFFSET = re.compile(rb'\{"offset":(-?\d+)(?:,"history":(\d+))?')

#: A worker that was stopped for hours may wake and write one stale row. Until compaction, recovery
#: sees it beside the right one and takes the right one; so compaction must not come first.
_COMPACTED_LATE = {"min.compaction.lag.ms": "86400000"}


#: Rows on their way to one partition of the changelog.
ROWS_AT_ONCE = 250


def row_offset(row: bytes) -> int:
    """Return how far a row is: the source offset that it begins with; -1 where it has none.

    Where it has two, as many messages more as were applied of the second topic: of two rows that
    one worker after the other wrote, the later one is further in at least one topic.
    """
    found = _OFFSET.match(row)
    if found is None:
        return -1
    return int(found[1]) + (0 if found[2] is None else int(found[2]) + 1)


def to_row(content: object) -> bytes:
    """Return JSON to keep: a copy, as orjson leaves room for as much again behind what it wrote."""
    return bytes(memoryview(orjson.dumps(content)))


class Row:
    """One row as the table holds it: its bytes, and JSON for Faust's web endpoints."""

    __slots__ = ("partition", "raw")

    def __init__(self, raw: bytes, partition: int) -> None:
        self.raw = raw
        self.partition = partition

    def whole(self) -> bytes:
        """Return the row as it is in the changelog; ``raw`` need not be more than its beginning."""
        return self.raw

    def __json__(self) -> Any:
        return orjson.loads(self.raw)


class CheckpointedTable(faust.Table[str, Row]):
    """The rows that checkpoints have saved: key -> :class:`Row`.

    Never assign to it: rows come from :meth:`keep`, after the changelog acknowledged them, and from
    the changelog. Keys are raw UTF-8, as the source topic's, so both are partitioned alike.
    """

    #: How a row is held and shown; a table may show its rows in its own way.
    row_type: type[Row] = Row

    def __init__(self, app: AppT, *, name: str, help: str) -> None:  # noqa: A002 - Faust's name
        super().__init__(
            app,
            name=name,
            help=help,
            key_type=str,
            value_type=bytes,
            store="memory://",
            extra_topic_configs=_COMPACTED_LATE,
        )
        self.key_serializer = "raw"
        #: By partition, what the last :meth:`send` wrote: first offset, and number of rows.
        self._written: dict[int, tuple[int, int]] = {}
        app.tables.add(self)

    def changelog(self) -> TopicSpec:
        """Return the changelog as it must exist before Faust looks for it.

        Faust would create it as well; but a worker that joins its group before the brokers know of
        the topic is not assigned it, and goes on without.
        """
        name = self.changelog_topic.get_topic_name()
        return TopicSpec(name, None, {"cleanup.policy": "compact"} | _COMPACTED_LATE)

    def row(self, key: str) -> bytes | None:
        """Return the saved row of ``key``, or None."""
        # Not the store's own `get`, which looks by an exception: most keys of most tables are not
        # there, and trends ask all tables for each ticker.
        rows: Any = self.data
        row: Row | None = rows.data.get(key)
        return None if row is None else row.whole()

    async def send(self, rows: Rows) -> None:
        """Return once the changelog has acknowledged ``rows`` (see transport.checkpoint.State)."""
        self._written.clear()
        topic = self.changelog_topic.get_topic_name()
        waiting: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        sent: dict[int, list[Any]] = defaultdict(list)
        count: Counter[int] = Counter()
        for key, (partition, raw) in rows.items():
            part = waiting[partition]
            part.append((key.encode(), raw))
            count[partition] += 1
            if len(part) == ROWS_AT_ONCE:
                # All at once is much memory: the part before this one must have arrived.
                await asyncio.gather(*sent[partition])
                sent[partition] += await send_batches(self.app, topic, partition, part)
                waiting[partition] = []
        for partition, part in waiting.items():
            if part:
                sent[partition] += await send_batches(self.app, topic, partition, part)
        await asyncio.gather(*(one for batches in sent.values() for one in batches))
        for partition, batches in sent.items():
            if len(batches) == 1:
                written = await batches[0]
                self._written[partition] = (written.offset, count[partition])

    def keep(self, rows: Rows) -> None:
        """Put ``rows`` into the table; their changelog is written."""
        if rows:  # otherwise what was written last may be of an epoch that was void before this
            self._note_own_writes()
        for key, row in self.held(rows).items():
            self.data[key] = row

    def held(self, rows: Rows) -> Mapping[str, Row]:
        """Return rows as the table holds them."""
        return {key: self.row_type(raw, partition) for key, (partition, raw) in rows.items()}

    def _note_own_writes(self) -> None:
        """Let the next recovery begin behind what this worker wrote itself.

        Only where nobody else has written in between: the rows of another owner, from a time when
        this worker stood still, must be read.
        """
        topic = self.changelog_topic.get_topic_name()
        read: Any = self.app.tables.recovery.active_offsets  # type: ignore[attr-defined]
        for partition, (first, count) in self._written.items():
            place = TP(topic, partition)
            if read.get(place) == first - 1:
                read[place] = first + count - 1
        self._written.clear()

    @staticmethod
    def newest_rows(records: Sequence[Any]) -> Sequence[Any]:
        """Return those of a partition's changelog records that recovery has to look at.

        Of each key the one that counts, and the last record, by which recovery knows how far it is.
        Faust takes 200 us for each, and most rows are written again every second.
        """
        newest: dict[bytes, Any] = {}
        for record in records:
            held = newest.get(record.key)
            if record.value is None:
                return records
            if held is None or row_offset(record.value) >= row_offset(held.value):
                newest[record.key] = record
        chosen = sorted(newest.values(), key=lambda record: int(record.offset))
        return chosen if chosen[-1] is records[-1] else [*chosen, records[-1]]

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Recover rows: for each key the one with the highest source offset, then the latest."""
        data: Any = self.data
        topic = self.changelog_topic.get_topic_name()
        for event in batch:
            message: Any = event.message
            if message.topic != topic:
                # Faust hands what was under way for partitions that have gone to any table.
                continue
            key = message.key.decode()
            if message.value is None:
                data.pop(key, None)
                continue
            held = data.get(key)
            if held is None or row_offset(message.value) >= row_offset(held.raw):
                data[key] = self.row_type(message.value, message.partition)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Drop the rows of partitions that now belong to other workers."""
        await super().on_recovery_completed(active_tps, standby_tps)
        owned = {tp.partition for tp in active_tps}
        data: Any = self.data
        for key in [key for key, row in data.items() if row.partition not in owned]:
            del data[key]
