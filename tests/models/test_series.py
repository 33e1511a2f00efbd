"""Series of bars: what the codec refuses, by row; the quick way; and how bars become messages."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidRecord
from models import BAR, BAR_SERIES, Bar
from models.quick_series import AnySeries, QuickSeries, bars_of, decode_series, messages
from models.rules import DAY_MS
from models.series import MOST_BARS
from tests.deployment import bar
from tests.models.samples import FIELDS

GOOD = FIELDS["BarSeries"]
MINUTE = 60_000

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "5", 0, -0.0, 1e15, 1.1e15]),
    st.lists(st.integers(), max_size=3),
)
columns = st.one_of(odd, st.lists(st.one_of(odd, st.floats(0, 1e15)), max_size=3))


def latest() -> float:
    return time.time() * 1000 + DAY_MS


def fields(series: AnySeries) -> dict[str, Any]:
    return {name: getattr(series, name) for name in BAR_SERIES.fields}


def outcome(key: bytes | None, value: bytes | None, quick: bool) -> str:
    """The fields with their types, or what is wrong."""
    try:
        series = decode_series(key, value, latest()) if quick else BAR_SERIES.decode(key, value)
    except InvalidRecord as error:
        return str(error)
    return repr(fields(series))


def refused(changes: dict[str, Any]) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        BAR_SERIES.decode(b"AAPL", json.dumps(GOOD | changes).encode())
    return caught.value


@pytest.mark.parametrize(
    ("changes", "field", "row", "reason"),
    [
        ({"close": [1.0, True]}, "close", 1, "must be a number"),
        ({"close": [1.0, "2"]}, "close", 1, "must be a number"),
        ({"close": [float("nan"), 1.0]}, "close", 0, "must be a finite number"),
        ({"open": [1.0, -1.0]}, "open", 1, "greater than or equal to 0"),
        ({"time": [1, 1.5]}, "time", 1, "must be a whole number"),
        ({"time": [5, 5]}, "time", 1, "does not come after 5: sort the bars"),
        ({"time": [5, 4]}, "time", 1, "does not come after 5: sort the bars"),
        ({"time": [5, 10**14]}, "time", 1, "more than a day in the future"),
        ({"low": [1.0, 200.0]}, "high", 1, "is below low (200.0)"),
        ({"adjusted_close": [None, -1]}, "adjusted_close", 1, "greater than or equal to 0"),
        ({"low": [1.0]}, "low", None, "has 1 values for 2 bars: give one for each time"),
        ({"adjusted_close": []}, "adjusted_close", None, "at least 1 item"),
        ({"time": []}, "time", None, "at least 1 item"),
        ({"time": list(range(MOST_BARS + 1))}, "time", None, f"at most {MOST_BARS} items"),
        ({"volume": 5.0}, "volume", None, "must be a list"),
    ],
)
def test_what_is_refused_names_the_field_the_row_and_the_rule(
    changes: dict[str, Any], field: str, row: int | None, reason: str
) -> None:
    error = refused(changes)
    assert (error.field, error.row) == (field, row)
    assert reason in error.reason
    assert str(error).startswith(f"{field}=" if row is None else f"row {row}: {field}=")


def test_a_good_series_comes_the_quick_way() -> None:
    series = decode_series(b"AAPL", orjson.dumps(GOOD), latest())
    assert isinstance(series, QuickSeries)
    assert fields(series) == GOOD


@given(
    st.dictionaries(st.sampled_from([*GOOD, "unknown"]), columns, max_size=3),
    st.sets(st.sampled_from(list(GOOD)), max_size=2),
)
def test_both_ways_agree(changed: dict[str, Any], without: set[str]) -> None:
    data = {name: value for name, value in (GOOD | changed).items() if name not in without}
    key = str(data.get("ticker", "AAPL")).encode()
    value = json.dumps(data).encode()
    assert outcome(key, value, quick=True) == outcome(key, value, quick=False)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b"\xff",
        orjson.dumps(GOOD) + b"x",
        orjson.dumps(GOOD).replace(b"184.25", b"NaN"),
        orjson.dumps(GOOD).replace(b"184.25", b"1e999"),
        orjson.dumps(GOOD).replace(b"184.25", b"9" * 400),
        orjson.dumps(GOOD | {"time": [GOOD["time"][0], 99_999_999_999_999]}),
        orjson.dumps(GOOD | {"time": GOOD["time"][::-1]}),
        orjson.dumps(GOOD | {"low": [1.0, 999.0]}),
        orjson.dumps(GOOD | {"adjusted_close": [None]}),
    ],
)
def test_what_is_odd_ends_alike(value: bytes | None) -> None:
    for key in (b"AAPL", b"MSFT", None, b"\xff"):
        assert outcome(key, value, quick=True) == outcome(key, value, quick=False)


def decoded(bars: Sequence[Bar]) -> list[AnySeries]:
    return [decode_series(key, value, latest()) for key, value in messages(bars, latest())]


def shown(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in BAR.fields}


def test_bars_come_back_as_they_were() -> None:
    bars = [
        bar("AAPL", MINUTE * number, 10.0 + number, adjusted_close=None if number % 3 else 9.0)
        for number in range(2 * MOST_BARS + 7)
    ]
    for one in bars:
        one.ingested = bars[0].ingested
    series = decoded(bars)
    assert [len(one.time) for one in series] == [MOST_BARS, MOST_BARS, 7]
    again = [shown(one) for some in series for one in bars_of(some)]
    assert again == [shown(one) for one in bars]
    assert list(bars_of(series[0], 2, 5)) == list(bars_of(series[0]))[2:5]


def test_only_what_is_alike_travels_together() -> None:
    alike = {"ingested": 7}
    bars = [
        bar("AAPL", 3 * MINUTE, **alike),
        bar("MSFT", 1 * MINUTE, **alike),
        bar("AAPL", 1 * MINUTE, **alike),
        bar("AAPL", 2 * MINUTE, interval="5m", **alike),
        bar("AAPL", 2 * MINUTE, ingested=8),
        bar("AAPL", 4 * MINUTE, source="other", **alike),
    ]
    found = [(one.ticker, one.interval, one.source, one.time) for one in decoded(bars)]
    assert found == [
        ("AAPL", "1m", "test", [1 * MINUTE, 3 * MINUTE]),
        ("MSFT", "1m", "test", [1 * MINUTE]),
        ("AAPL", "5m", "test", [2 * MINUTE]),
        ("AAPL", "1m", "test", [2 * MINUTE]),
        ("AAPL", "1m", "other", [4 * MINUTE]),
    ]
    assert decoded([]) == []


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda one: one.derive(close=-1.0), "row 3: close=-1.0"),
        (lambda one: one.derive(close=float("nan")), "row 3: close=nan: must be a finite number"),
        (lambda one: one.derive(volume=True), "row 3: volume=True: must be a number"),
        (lambda one: one.derive(time="now"), "row 3: time='now': must be a whole number"),
        (lambda one: one.derive(ticker=["A"]), "row 3: ticker=['A']: must be a text"),
        (lambda one: one.derive(high=0.0), "row 3: high=0.0: is below low"),
        (lambda one: one.derive(closed=False), "row 3: closed=False: history is of closed bars"),
        (lambda one: one.derive(time=2 * MINUTE), "does not come after"),
        (lambda _: "bar", "row 3: message='bar': is no Bar"),
    ],
)
def test_a_bad_bar_is_named_by_its_row(spoil: Any, text: str) -> None:
    bars = [bar("AAPL", MINUTE * number, ingested=7) for number in range(5)]
    bars[3] = spoil(bars[3])
    with pytest.raises(InvalidRecord, match="row 3") as caught:
        messages(bars, latest())
    assert text in str(caught.value)
