"""How a trend looks in MongoDB: the latest of each ticker, and each that differs from the last."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import bson

from sinks.base import Document, Mode, PackedWrite, Write
from sinks.documents import TREND_HISTORY, TRENDS, as_date

_length = struct.Struct("<i").pack
_ID = b"\x02_id\0"


class TrendWrite(PackedWrite):
    """The write of a trend, which knows how far it is."""

    __slots__ = ("_how_far",)

    def __init__(self, collection: str, id_: str, mode: Mode, document: Document) -> None:
        super().__init__(collection, id_, mode)
        self._how_far = document["time"], document["version"]

    def how_far(self) -> tuple[Any, Any]:
        """See :class:`sinks.base.Write`."""
        return self._how_far


def trend_writes(trend: Mapping[str, Any], *, first: bool, changed: bool) -> list[Write]:
    """Return the writes of a ticker's trend, which only moves forward.

    Args:
        trend: its fields.
        first: whether none was published before, so that probably none is stored.
        changed: whether it goes into the history, too; of several at one time the last one stays.
    """
    ticker, time = trend["ticker"], trend["time"]
    document = {**trend, "time": as_date(time)}
    # Both documents are the same but for the id, which comes first.
    fields = bson.encode(document)[4:]
    latest = TrendWrite(TRENDS, ticker, Mode.FORWARD if first else Mode.LATEST, document)
    writes = [latest]
    if changed:
        writes.append(TrendWrite(TREND_HISTORY, f"{ticker}|{time}", Mode.FORWARD, document))
    for write in writes:
        raw_id = write.id.encode()
        head = _ID + _length(len(raw_id) + 1) + raw_id + b"\0"
        write.packed = _length(4 + len(head) + len(fields)) + head + fields
    return [*writes]
