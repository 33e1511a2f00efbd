"""Packed series: byte for byte what bar by bar makes of the same bars."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import DEFAULT_SPEC, parse
from models.quick_series import QuickSeries, bars_of
from sinks import Mode, Origin
from sinks.packed import BarWrite, Indicators, head, pack_bar, place
from sinks.packed_series import LONG, SeriesPacker

OUTPUTS = parse(DEFAULT_SPEC).outputs
ORIGIN = Origin("price-history", 3, 17, b"key", b"value")

numbers = st.floats(0, 1e15)
#: Around the times at which they get one digit more or less.
starts = st.sampled_from([1_704_412_800_000, 999_999_990_000, -30_000, -10_000_040_000])


@st.composite
def series(draw: st.DrawFn) -> QuickSeries:
    count = draw(st.integers(1, 4 * LONG))
    first = draw(starts)
    adjusted = draw(st.none() | st.lists(st.none() | numbers, min_size=count, max_size=count))
    if adjusted is not None and draw(st.booleans()):
        adjusted = [1.0 + (one or 0.0) for one in adjusted]
    prices = [draw(numbers) + number for number in range(count)]
    return QuickSeries(
        ticker=draw(st.sampled_from(["A", "^GSPC", "X" * 32])),
        interval=draw(st.sampled_from(["1d", "999mo"])),
        source=draw(st.text(max_size=10)),
        ingested=first,
        time=[first + 1_000 * number for number in range(count)],
        open=prices,
        high=[one + 1.0 for one in prices],
        low=[one / 2 for one in prices],
        close=prices[::-1],
        volume=[draw(numbers)] * count,
        adjusted_close=adjusted,
    )


@pytest.mark.parametrize("ids", [{"price-history": "kq3hT9xw"}, {}])
@given(series(), st.integers(0, 60), st.data())
def test_the_bytes_are_those_of_the_bars(
    ids: dict[str, str], one: QuickSeries, start: int, data: Any
) -> None:
    start = min(start, len(one.time) - 1)
    count = len(one.time) - start
    values = np.arange(float(count * len(OUTPUTS))).reshape(count, len(OUTPUTS))
    # Indicators get warm one after another; and now and then one has no value.
    for output in range(len(OUTPUTS)):
        values[: data.draw(st.integers(0, 3)) * output // 7, output] = math.nan
    values[data.draw(st.integers(0, count - 1)), 4] = math.nan
    indicators = Indicators(OUTPUTS)
    first = head(one.ticker, one.interval)
    where = place(ORIGIN.topic, ORIGIN.partition, ids)
    packed = SeriesPacker(indicators).pack(
        one, start, values, first=first, place=where, origin=ORIGIN
    )
    expected = []
    for bar, part in zip(bars_of(one, start), indicators.pack(values), strict=True):
        write = BarWrite(bar, ORIGIN)
        pack_bar(write, bar, first, part, where)
        expected.append(write)
    assert [write.packed for write in packed] == [write.packed for write in expected]
    assert [write.id for write in packed] == [write.id for write in expected]
    assert [write.document for write in packed] == [write.document for write in expected]
    assert {write.mode for write in packed} == {Mode.UPSERT}
    assert {write.origins for write in packed} == {(ORIGIN,)}
