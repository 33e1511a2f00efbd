"""Packed bars: byte for byte what the encoder makes of the same document."""

from __future__ import annotations

import math
from typing import Any

import bson
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import DEFAULT_SPEC, parse
from models.quick import QuickBar
from sinks import Mode, Origin, coalesce
from sinks.base import POSITIONS, positions
from sinks.documents import bar_write
from sinks.packed import BarWrite, Indicators, head, pack_bar, place

OUTPUTS = parse(DEFAULT_SPEC).outputs
IDS = {"stock-prices": "kq3hT9xw"}

numbers = st.floats(0, 1e15)
times = st.integers(-11_676_096_000_000, 253_402_300_799_999)
value_rows = st.lists(
    st.one_of(st.just(math.nan), st.floats(allow_nan=False)),
    min_size=len(OUTPUTS),
    max_size=len(OUTPUTS),
)


@st.composite
def bars(draw: st.DrawFn) -> QuickBar:
    return QuickBar(
        draw(st.sampled_from(["A", "AAPL", "^GSPC", "X" * 32])),
        draw(st.sampled_from(["1d", "5m", "999mo"])),
        draw(times),
        draw(numbers),
        draw(numbers),
        draw(numbers),
        draw(numbers),
        draw(numbers),
        source=draw(st.text(max_size=20)),
        ingested=draw(times),
        adjusted_close=draw(st.none() | numbers),
        closed=draw(st.booleans()),
    )


def origin(offset: int = 7, topic: str = "stock-prices") -> Origin:
    return Origin(topic, 3, offset, b"key", b"value")


def packed(bar: QuickBar, values: list[list[float]], at: Origin, ids: Any) -> BarWrite:
    write = BarWrite(bar, at)
    (indicators,) = Indicators(OUTPUTS).pack(np.array(values))
    where = place(at.topic, at.partition, ids)
    pack_bar(write, bar, head(bar.ticker, bar.interval), indicators, where)
    return write


def named(row: list[float]) -> dict[str, float | None]:
    return {
        name: None if math.isnan(value) else value for name, value in zip(OUTPUTS, row, strict=True)
    }


@pytest.mark.parametrize("ids", [IDS, {}])
@given(bars(), value_rows, st.integers(0, 10**15 - 1))
def test_the_bytes_are_the_encoder_s(
    ids: dict[str, str], bar: QuickBar, row: list[float], offset: int
) -> None:
    at = origin(offset)
    plain = bar_write(bar, at, named(row))
    document = {"_id": plain.id, **plain.document}
    if ids:
        document[POSITIONS] = positions([at], ids)
    write = packed(bar, [row], at, ids)
    assert write.packed == bson.encode(document)
    assert (write.id, write.mode, write.collection) == (plain.id, plain.mode, plain.collection)
    assert (write.document, write.origins) == (plain.document, plain.origins)


def test_a_batch_is_packed_bar_by_bar() -> None:
    whole = np.arange(3.0 * len(OUTPUTS)).reshape(3, len(OUTPUTS))
    whole[1, 4] = math.nan
    together = Indicators(OUTPUTS).pack(whole)
    assert together == [part for row in whole for part in Indicators(OUTPUTS).pack(row[None])]


def test_a_packed_write_merges_like_any_other() -> None:
    bar = QuickBar("AAPL", "1d", 1, 1.0, 2.0, 1.0, 2.0, 5.0, "s", 2)
    row = [1.0] * len(OUTPUTS)
    first, last = packed(bar, [row], origin(7), IDS), bar_write(bar, origin(8))
    ((merged,),) = coalesce([first, last])
    assert merged.document["indicators"] == named(row)
    assert [one.offset for one in merged.origins] == [7, 8]
    assert merged.mode is Mode.UPSERT
