"""aiokafka's reading of headers, mended for names that are no UTF-8.

To brokers the name of a header is bytes. Where they are no UTF-8, aiokafka fails at every fetch of
the partition, which ends the worker, and the next one: a message that anybody may send.
"""

from __future__ import annotations

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


class _Name(bytearray):
    """A piece of a message that always has a text."""

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _Buffer(bytearray):
    """The bytes of a batch."""

    def __getitem__(self, place: Any) -> Any:
        found: Any = super().__getitem__(place)
        return _Name(found) if isinstance(place, slice) else found


class _Batch(_DefaultRecordBatchPy):
    """A batch in which the bytes of a name that are no UTF-8 are escaped."""

    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if not isinstance(self._buffer, _Buffer):
            self._buffer = _Buffer(self._buffer)


class _Lenient(_MemoryRecordsPy):
    """What was fetched, read more slowly, and whatever the names of headers are."""

    def pass_by(self, offset: int) -> None:
        """Go to the batch that has the record at ``offset``, or the first one behind it."""
        while (piece := self._next_slice) is not None:
            batch: Any = MemoryRecords(bytes(piece)).next_batch()
            if batch.next_offset > offset:
                return
            self._cache_next()

    def next_batch(self, *_: Any) -> Any:
        piece = self._next_slice
        batch = super().next_batch()
        return _Batch(piece) if isinstance(batch, DefaultRecordBatch) else batch


class Fetched:
    """The records of a fetch, as aiokafka reads them, and their bytes."""

    __slots__ = ("data", "has_next", "next_batch", "size_in_bytes")

    def __init__(self, data: bytes) -> None:
        records = MemoryRecords(data)
        self.data = data
        self.has_next = records.has_next
        self.next_batch = records.next_batch
        self.size_in_bytes = records.size_in_bytes


class PatientRecords(fetcher.PartitionRecords):
    """The records of one partition; they are read anew where a name makes that fail."""

    def __init__(self, tp: Any, records: Fetched, aborted: Any, *options: Any) -> None:
        super().__init__(tp, records, aborted, *options)
        self._data = records.data

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            # In the batch that failed, what was handed over already is passed by as well.
            self._records = _Lenient(self._data)
            self._records.pass_by(self.next_fetch_offset)
            self._records_iterator = self._unpack_records()
            return super().__next__()


def install() -> None:
    """Let aiokafka read so; its fetcher looks both up by these names."""
    fetcher.MemoryRecords = Fetched
    fetcher.PartitionRecords = PatientRecords
