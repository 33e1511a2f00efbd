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


#: What may stand in a field that nobody knows, and what may not.
UNKNOWN = {
    "text": b'"a text"',
    "beyond ASCII": '"é €"'.encode(),
    "not UTF-8": b'"a\xff"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "a lone surrogate": b'"\\ud800"',
    "a pair of surrogates": b'"\\ud83d\\ude00"',
    "no escape": b'"\\q"',
    "a control character": b'"a\x01b"',
    "a large number": b"9" * 4_300,
    "too large a number": b"9" * 4_301,
    "the same behind a minus": b"-" + b"9" * 4_301,
    "the same in a text": b'"' + b"9" * 9_000 + b'"',
    "many digits behind the point": b"1." + b"9" * 9_000,
    "beyond floats": b"1e999",
    "a leading zero": b"01",
    "NaN": b"NaN",
    "Infinity in a list": b"[-Infinity]",
    "a comma too many": b"[1,]",
    "a name that is not UTF-8": b'{"\xff": 1}',
    "lists in lists": b"[" * 150 + b"]" * 150,
    "as deep as may be": b"[" * 199 + b"]" * 199,
    "too deep": b"[" * 200 + b"]" * 200,
    "objects too deep": b'{"a":' * 200 + b"1" + b"}" * 200,
    "as deep as memory": b"[" * 100_000 + b"]" * 100_000,
    "wide": b"[" + b"{}," * 400 + b"0]",
    "brackets in a text": b'"' + b"[" * 400 + b'"',
}


@pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_fields_obey_the_rules_of_the_codec(unknown: bytes) -> None:
    """Before the fields that are known, between them and behind them; and are counted alike."""
    first, last = orjson.dumps(GOOD).split(b",", maxsplit=1)
    for value in (
        b'{"new":' + unknown + b"," + first[1:] + b"," + last,
        first + b',"new":' + unknown + b"," + last,
        first + b"," + last[:-1] + b',"new":' + unknown + b"}",
    ):
        for key in (b"AAPL", b"MSFT"):
            counted = []
            found = []
            for quick in (True, False):
                before = BAR.unknown_fields
                found.append(outcome(key, value, quick=quick))
                counted.append(BAR.unknown_fields - before)
            assert found[0] == found[1]
            assert counted[0] == counted[1]


@pytest.mark.parametrize("name", [b'"\xff"', b'""', b'"\\ud800"', b'"clos\\u0065"', b'"a\\u0000"'])
def test_names_of_unknown_fields_obey_them_as_well(name: bytes) -> None:
    for text in (b"7", b'"x"'):
        value = orjson.dumps(GOOD)[:-1] + b"," + name + b":" + text + b"}"
        assert outcome(b"AAPL", value, quick=True) == outcome(b"AAPL", value, quick=False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), json_values, min_size=1), st.booleans(), st.binary(max_size=3))
def test_both_ways_agree_on_unknown_fields(
    unknown: dict[str, Any], ascii_only: bool, broken: bytes
) -> None:
    value = json.dumps(GOOD | unknown, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert outcome(b"AAPL", value, quick=True) == outcome(b"AAPL", value, quick=False)
    value = value[:-4] + broken + value[-4:]
    assert outcome(b"AAPL", value, quick=True) == outcome(b"AAPL", value, quick=False)


def test_a_bar_with_unknown_fields_comes_the_quick_way_and_is_counted() -> None:
    before = BAR.unknown_fields
    value = orjson.dumps(GOOD | {f"field_{number}": "é" * 50 for number in range(100)})
    bar = decode_bar(b"AAPL", value, time.time() * 1000)
    assert isinstance(bar, QuickBar)
    assert fields(bar) == GOOD
    assert BAR.unknown_fields == before + 1
