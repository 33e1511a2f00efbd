"""The quick way to a bar: whatever it accepts the codec accepts as well, with the same fields."""

from __future__ import annotations

import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidRecord
from models import BAR
from models.quick import AnyBar, QuickBar, decode_bar
from models.rules import DAY_MS

GOOD = {
    "ticker": "AAPL",
    "interval": "1d",
    "time": 1_700_000_000_000,
    "open": 10.0,
    "high": 12,
    "low": 9.5,
    "close": 11.25,
    "volume": 1_000,
    "source": "yahoo",
    "ingested": 1_700_000_000_001,
    "adjusted_close": 11.0,
    "closed": True,
}

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(["AAPL", "1d", "1m", "0d", "^GSPC", "AAPL\n", "é", "", 0, -0.0, 1e15, 1.1e15]),
    st.lists(st.integers(), max_size=2),
)


def fields(bar: AnyBar) -> dict[str, Any]:
    return {name: getattr(bar, name) for name in BAR.fields}


def outcome(key: bytes | None, value: bytes | None, quick: bool) -> Any:
    """The fields with their types, or what is wrong."""
    latest = time.time() * 1000 + DAY_MS
    try:
        bar = decode_bar(key, value, latest) if quick else BAR.decode(key, value)
    except InvalidRecord as error:
        return str(error)
    return {name: (type(field), field) for name, field in fields(bar).items()}


def test_a_good_bar_comes_the_quick_way() -> None:
    bar = decode_bar(b"AAPL", orjson.dumps(GOOD), time.time() * 1000)
    assert isinstance(bar, QuickBar)
    assert fields(bar) == GOOD


@given(
    st.dictionaries(st.sampled_from([*GOOD, "unknown"]), odd, max_size=3),
    st.sets(st.sampled_from(list(GOOD)), max_size=2),
)
def test_both_ways_agree(changed: dict[str, Any], without: set[str]) -> None:
    data = {name: value for name, value in (GOOD | changed).items() if name not in without}
    key = str(data.get("ticker", "AAPL")).encode()
    value = json.dumps(data, ensure_ascii=False).encode()
    assert outcome(key, value, quick=True) == outcome(key, value, quick=False)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"ticker": "\xff"}',
        orjson.dumps(GOOD) + b" ",
        orjson.dumps(GOOD) + b"x",
        b"\xef\xbb\xbf" + orjson.dumps(GOOD),
        orjson.dumps(GOOD).replace(b"11.25", b"NaN"),
        orjson.dumps(GOOD).replace(b"11.25", b"Infinity"),
        orjson.dumps(GOOD).replace(b"11.25", b"1e999"),
        orjson.dumps(GOOD).replace(b"11.25", b"1e3"),
        orjson.dumps(GOOD).replace(b"11.25", b"11.250000000000000000000000001"),
        orjson.dumps(GOOD).replace(b"11.25", b"9" * 400),
        orjson.dumps(GOOD).replace(b"1700000000000,", b"1700000000000.0,"),
        orjson.dumps(GOOD).replace(b"1700000000000,", b"1.7e12,"),
        orjson.dumps(GOOD).replace(b'"close"', b'"close":9,"close"'),
        orjson.dumps(GOOD).replace(b"AAPL", b"AAPL\\u0000"),
        orjson.dumps(GOOD).replace(b"true", b"1"),
        orjson.dumps(GOOD | {"time": 99_999_999_999_999}),
        orjson.dumps(GOOD | {"low": 13}),
        None,
    ],
)
def test_what_is_odd_ends_alike(value: bytes | None) -> None:
    for key in (b"AAPL", b"MSFT", None, b"\xff"):
        assert outcome(key, value, quick=True) == outcome(key, value, quick=False)


def test_unknown_fields_are_counted() -> None:
    before = BAR.unknown_fields
    decode_bar(b"AAPL", orjson.dumps(GOOD | {"new": 1}), time.time() * 1000)
    assert BAR.unknown_fields == before + 1
