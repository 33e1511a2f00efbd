"""Headers whose names are no UTF-8 are read, and what is beside them is as it was sent."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

import transport
from transport.headers import Fetched


class _Bytes(str):
    """A name that is no UTF-8 on the wire."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff" + super().encode()


def batch(first: int, names: list[str], compression: int) -> bytes:
    """A batch as a broker sends it: a record for each name of a header."""
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1_000_000,
    )
    for number, name in enumerate(names):
        key = b"K%d" % (first + number)
        builder.append(number, 1_000 + number, key, b"value", [(name, b"\xfe"), ("none", None)])
    made = bytearray(builder.build())
    made[:8] = first.to_bytes(8, "big")  # brokers write the offset, which no checksum covers
    return bytes(made)


@pytest.mark.parametrize("compression", range(5), ids=["none", "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("start", [10, 11, 13])
def test_names_that_are_no_text(compression: int, start: int) -> None:
    """Also in the middle of a fetch, and where it begins in the middle of a batch."""
    assert transport.BatchingApp is not None
    names: list[list[str]] = [["a", "b"], ["c", _Bytes("d"), "e"], [_Bytes("é")], ["f"]]
    wire, offset, wanted = b"", 10, []
    for some in names:
        # Brokers send whole batches, from the one on that has what is asked for.
        wire += batch(offset, some, compression) if offset + len(some) > start else b""
        for name in some:
            shown = "\\xff" + name if isinstance(name, _Bytes) else name
            wanted.append((offset, b"K%d" % offset, b"value", ((shown, b"\xfe"), ("none", None))))
            offset += 1
    records = fetcher.PartitionRecords(
        TopicPartition("t", 0), Fetched(wire), None, start, None, None, True, 1
    )
    found = [(one.offset, one.key, one.value, tuple(one.headers)) for one in records]
    assert found == [one for one in wanted if one[0] >= start]
    assert records.next_fetch_offset == offset
