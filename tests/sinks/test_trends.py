"""The documents of a trend, byte for byte as the BSON encoder makes them."""

from __future__ import annotations

from typing import Any

import bson
import pytest

from sinks import MemorySink, Mode, Write, coalesce
from sinks.base import PackedWrite
from sinks.documents import TREND_HISTORY, TRENDS, as_date
from sinks.trends import trend_writes

TREND: dict[str, Any] = {
    "ticker": "BRK-Ä",
    "time": 1_704_412_800_000,
    "version": 17,
    "direction": "up",
    "strength": 40,
    "confidence": 0.4,
    "components": {"price": 0.6},
    "weights": {"price": 0.4},
    "reasons": ["ADX 26 says a trend"],
}


def packed(write: Write) -> bytes:
    assert isinstance(write, PackedWrite)
    return write.packed


def test_both_documents_are_what_the_encoder_makes_of_them() -> None:
    latest, entry = trend_writes(TREND, first=True, changed=True)
    dated = TREND | {"time": as_date(TREND["time"])}
    assert packed(latest) == bson.encode({"_id": "BRK-Ä", **dated})
    assert packed(entry) == bson.encode({"_id": "BRK-Ä|1704412800000", **dated})
    assert (latest.collection, entry.collection) == (TRENDS, TREND_HISTORY)
    assert latest.document == entry.document == dated


@pytest.mark.parametrize(("first", "mode"), [(True, Mode.FORWARD), (False, Mode.LATEST)])
def test_one_that_is_stored_probably_is_replaced_first(first: bool, mode: Mode) -> None:
    (latest,) = trend_writes(TREND, first=first, changed=False)
    assert latest.mode is mode


def test_of_two_the_further_one_is_stored() -> None:
    sink = MemorySink()
    further = TREND | {"version": 18, "direction": "down"}
    both = trend_writes(further, first=True, changed=True)
    both += trend_writes(TREND, first=False, changed=True)
    (writes,) = coalesce(both)
    sink.write(writes)
    assert {one["direction"] for one in sink.collections[TRENDS].values()} == {"down"}
    assert {one["direction"] for one in sink.collections[TREND_HISTORY].values()} == {"down"}
