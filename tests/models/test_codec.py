"""Every Record keeps its fields on the wire, and no codec lets anything bad through."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidRecord
from models import BAR, NEWS_ITEM, SOCIAL_POST, Codec
from models.rules import DAY_MS
from tests.models.samples import CODECS, FIELDS, TIME

NAMES = pytest.mark.parametrize("name", list(CODECS))
REQUIRED = [
    (name, field)
    for name, codec in CODECS.items()
    for field in codec.fields
    if field not in codec.record._options.defaults
]
OPTIONAL = [
    (name, field)
    for name, codec in CODECS.items()
    for field in codec.fields
    if (name, field) not in REQUIRED
]
NUMBERS = [
    (name, field)
    for name, fields in FIELDS.items()
    for field, value in fields.items()
    if isinstance(value, float)
]
WHOLE_NUMBERS = [
    (name, field)
    for name, fields in FIELDS.items()
    for field, value in fields.items()
    if isinstance(value, int) and not isinstance(value, bool)
]


def key_of(name: str) -> bytes:
    return str(FIELDS[name][CODECS[name].key]).encode()


def decode(name: str, changes: dict[str, Any]) -> Any:
    """Decode the sample with changes, written by the standard library: it writes NaN, too."""
    return CODECS[name].decode(key_of(name), json.dumps(FIELDS[name] | changes).encode())


def rejected(name: str, changes: dict[str, Any]) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as on_the_wire:
        decode(name, changes)
    with pytest.raises(InvalidRecord) as in_python:
        CODECS[name].parse(FIELDS[name] | changes)
    assert on_the_wire.value.field == in_python.value.field
    assert on_the_wire.value.row is None
    return on_the_wire.value


def test_there_is_a_sample_of_every_field() -> None:
    assert {name: set(fields) for name, fields in FIELDS.items()} == {
        name: set(codec.fields) for name, codec in CODECS.items()
    }


@NAMES
def test_a_message_comes_back_as_it_was(name: str) -> None:
    codec = CODECS[name]
    record = codec.parse(FIELDS[name])
    assert {field: getattr(record, field) for field in codec.fields} == FIELDS[name]
    again = codec.decode(codec.encode_key(record), codec.encode(record))
    assert again == record
    assert codec.encode(again) == codec.encode(record)
    assert type(again) is codec.record


@NAMES
def test_the_json_holds_the_fields_in_their_declared_order(name: str) -> None:
    codec = CODECS[name]
    written = orjson.loads(codec.encode(codec.parse(FIELDS[name])))
    assert list(written) == list(codec.fields)


@NAMES
def test_a_record_is_one_that_faust_would_make(name: str) -> None:
    record = CODECS[name].parse(FIELDS[name])
    made = CODECS[name].record(**FIELDS[name])
    assert record == made
    assert record.asdict() == made.asdict()
    assert repr(record) == repr(made)


@pytest.mark.parametrize(("name", "field"), OPTIONAL)
def test_an_optional_field_may_be_missing(name: str, field: str) -> None:
    codec = CODECS[name]
    rest = {key: value for key, value in FIELDS[name].items() if key != field}
    record = codec.decode(key_of(name), orjson.dumps(rest))
    assert getattr(record, field) == codec.record._options.defaults[field]
    assert set(orjson.loads(codec.encode(record))) == set(codec.fields)


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_required_field_may_not_be_missing(name: str, field: str) -> None:
    rest = {key: value for key, value in FIELDS[name].items() if key != field}
    with pytest.raises(InvalidRecord) as caught:
        CODECS[name].decode(key_of(name), orjson.dumps(rest))
    assert caught.value.field == field
    assert str(caught.value) == f"{field}=None: the field is missing"


@NAMES
def test_an_unknown_field_is_ignored_and_counted(name: str) -> None:
    codec = CODECS[name]
    before = codec.unknown_fields
    record = decode(name, {"of_tomorrow": [1, 2]})
    assert record == codec.parse(FIELDS[name])
    assert b"of_tomorrow" not in codec.encode(record)
    assert codec.unknown_fields == before + 1


@pytest.mark.parametrize(("name", "field"), OPTIONAL)
def test_an_unknown_field_does_not_stand_for_a_missing_one(name: str, field: str) -> None:
    codec = CODECS[name]
    before = codec.unknown_fields
    rest = {key: value for key, value in FIELDS[name].items() if key != field}
    record = codec.decode(key_of(name), orjson.dumps(rest | {"of_tomorrow": 1}))
    assert getattr(record, field) == codec.record._options.defaults[field]
    assert b"of_tomorrow" not in codec.encode(record)
    assert codec.unknown_fields == before + 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param(b"", "not valid JSON", id="empty"),
        pytest.param(b"price=5", "not valid JSON", id="not JSON"),
        pytest.param(b'{"ticker": "AAPL"', "not valid JSON", id="cut off"),
        pytest.param(b'{"ticker": "\xff"}', "not valid JSON", id="not UTF-8"),
        pytest.param(rb'{"ticker": "\ud800"}', "not valid JSON", id="half a surrogate pair"),
        pytest.param(b"[" * 100_000, "not valid JSON", id="too deep"),
        pytest.param(b"null", "must be a JSON object", id="null"),
        pytest.param(b"[]", "must be a JSON object", id="list"),
        pytest.param(b'"AAPL"', "must be a JSON object", id="text"),
        pytest.param(None, "tombstone", id="tombstone"),
        pytest.param(random.Random(1).randbytes(900_000), "not valid JSON", id="900 kB of noise"),
        pytest.param(b'{"ticker": "' + b"A" * 900_000 + b'"}', "match", id="900 kB of ticker"),
    ],
)
@NAMES
def test_a_message_that_is_none_is_rejected(name: str, message: bytes | None, words: str) -> None:
    if message is not None and CODECS[name].key == "series":
        message = message.replace(b"ticker", b"series")
    with pytest.raises(InvalidRecord, match=words) as caught:
        CODECS[name].decode(key_of(name), message)
    assert len(str(caught.value)) < 500


@NAMES
@pytest.mark.parametrize("key", [None, b"", b"aapl", b"OTHER", b"AAPL ", "ÄÖÜ".encode(), b"\xff"])
def test_a_message_under_another_key_is_rejected(name: str, key: bytes | None) -> None:
    with pytest.raises(InvalidRecord) as caught:
        CODECS[name].decode(key, orjson.dumps(FIELDS[name]))
    assert caught.value.field == "key"


@pytest.mark.parametrize("value", [True, "5", "", None, [5.0], {"value": 5.0}])
@pytest.mark.parametrize(("name", "field"), NUMBERS)
def test_only_a_number_is_a_number(name: str, field: str, value: object) -> None:
    if value is None and CODECS[name].record._options.defaults.get(field, 0) is None:
        assert getattr(decode(name, {field: None}), field) is None
        return
    error = rejected(name, {field: value})
    assert error.field == field
    assert error.value == repr(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308])
@pytest.mark.parametrize(("name", "field"), NUMBERS)
def test_a_number_is_finite_and_of_a_sensible_size(name: str, field: str, value: float) -> None:
    assert rejected(name, {field: value}).field == field


@pytest.mark.parametrize(("name", "field"), NUMBERS)
def test_a_whole_number_is_a_number(name: str, field: str) -> None:
    whole = 1_000 if field == "high" else 0
    read = getattr(decode(name, {field: whole}), field)
    assert (read, type(read)) == (whole, float)


@pytest.mark.parametrize("value", [True, "5", None, 5.5, float("nan"), "2024-01-05", 10**30])
@pytest.mark.parametrize(("name", "field"), WHOLE_NUMBERS)
def test_a_time_on_the_wire_is_whole_milliseconds(name: str, field: str, value: object) -> None:
    assert rejected(name, {field: value}).field == field


#: Those whose time is one; that of a series is a column (see test_series).
TIMED = pytest.mark.parametrize("name", [name for name in CODECS if name != "BarSeries"])


@TIMED
def test_a_time_two_days_ahead_is_rejected(name: str) -> None:
    ahead = int(time.time() * 1000) + 2 * DAY_MS
    error = rejected(name, {"time": ahead})
    assert (error.field, error.value) == ("time", str(ahead))
    assert "more than a day in the future" in error.reason


@TIMED
def test_a_time_a_little_ahead_is_not(name: str) -> None:
    ahead = int(time.time() * 1000) + DAY_MS // 2
    assert decode(name, {"time": ahead}).time == ahead


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("Bar", {"high": 180.0, "low": 181.0}, "high"),
        ("Bar", {"open": -0.01}, "open"),
        ("Bar", {"low": -5}, "low"),
        ("Bar", {"adjusted_close": -1.0}, "adjusted_close"),
        ("Bar", {"volume": -1.0}, "volume"),
        ("Bar", {"ticker": ""}, "ticker"),
        ("Bar", {"ticker": "A" * 33}, "ticker"),
        ("Bar", {"ticker": "aapl"}, "ticker"),
        ("Bar", {"interval": "0d"}, "interval"),
        ("Bar", {"closed": 1}, "closed"),
        ("Bar", {"closed": "true"}, "closed"),
        ("Bar", {"source": "x" * 257}, "source"),
        ("IndicatorSnapshot", {"values": {}}, "values"),
        ("IndicatorSnapshot", {"values": [1.0]}, "values"),
        ("IndicatorSnapshot", {"values": {"rsi": True}}, "values.rsi"),
        ("IndicatorSnapshot", {"values": {"rsi": "5"}}, "values.rsi"),
        ("IndicatorSnapshot", {"values": {"rsi": float("nan")}}, "values.rsi"),
        ("IndicatorSnapshot", {"values": {"a.b": 1.0}}, "values.a.b.[key]"),
        ("IndicatorSnapshot", {"values": {"$set": 1.0}}, "values.$set.[key]"),
        ("NewsItem", {"id": ""}, "id"),
        ("NewsItem", {"id": 5}, "id"),
        ("NewsItem", {"sentiment": 1.01}, "sentiment"),
        ("NewsItem", {"title": "x" * 2001}, "title"),
        ("NewsItem", {"summary": None}, "summary"),
        ("SocialPost", {"platform": "mastodon"}, "platform"),
        ("SocialPost", {"engagement": -1}, "engagement"),
        ("SocialPost", {"text": "x" * 100_001}, "text"),
        ("EconomicObservation", {"series": "GDP growth"}, "series"),
        ("EconomicObservation", {"series": ""}, "series"),
        ("SeriesUpdate", {"observations": []}, "observations"),
        ("SeriesUpdate", {"observations": [{"time": 1}]}, "observations.0.realtime_start"),
        ("SeriesUpdate", {"observations": [5]}, "observations.0"),
        ("Command", {"action": "drop"}, "action"),
        ("Trend", {"strength": 100.5}, "strength"),
        ("Trend", {"confidence": -0.1}, "confidence"),
        ("Trend", {"weights": {"news": 1.1}}, "weights.news"),
        ("Trend", {"version": -1}, "version"),
        ("Trend", {"reasons": "rising"}, "reasons"),
    ],
)
def test_each_rule_names_its_field(name: str, changes: dict[str, Any], field: str) -> None:
    assert rejected(name, changes).field == field


def test_a_publication_from_the_future_is_rejected() -> None:
    ahead = int(time.time() * 1000) + 2 * DAY_MS
    assert rejected("EconomicObservation", {"realtime_start": ahead}).field == "realtime_start"


def test_a_flat_bar_and_a_worthless_one_are_bars() -> None:
    flat = dict.fromkeys(("open", "high", "low", "close", "volume"), 0.0)
    assert decode("Bar", flat).high == 0.0


def test_parse_keeps_nothing_of_what_it_was_given() -> None:
    values = {"rsi": 41.5}
    record = CODECS["IndicatorSnapshot"].parse(FIELDS["IndicatorSnapshot"] | {"values": values})
    values["rsi"] = -1.0
    assert record.values == {"rsi": 41.5}


def test_two_records_share_no_default() -> None:
    rest = {key: value for key, value in FIELDS["Bar"].items() if key != "adjusted_close"}
    first, second = BAR.parse(rest), BAR.parse(rest)
    first.adjusted_close = 5.0
    assert second.adjusted_close is None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(title=texts, summary=texts, sentiment=st.none() | st.floats(-1, 1))
def test_any_text_survives(title: str, summary: str, sentiment: float | None) -> None:
    fields = FIELDS["NewsItem"] | {"title": title, "summary": summary, "sentiment": sentiment}
    item = NEWS_ITEM.parse(fields)
    assert NEWS_ITEM.decode(b"BRK-B", NEWS_ITEM.encode(item)) == item


@given(value=st.binary(max_size=200), key=st.none() | st.binary(max_size=20))
def test_noise_is_never_anything_but_invalid(value: bytes, key: bytes | None) -> None:
    for codec in (BAR, SOCIAL_POST):
        with pytest.raises(InvalidRecord):
            codec.decode(key, value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(changes=st.dictionaries(st.sampled_from(BAR.fields), json_values, max_size=3))
def test_what_a_codec_accepts_it_can_write(changes: dict[str, Any]) -> None:
    codec: Codec[Any] = BAR
    try:
        bar = codec.parse(FIELDS["Bar"] | changes)
    except InvalidRecord:
        return
    assert codec.decode(codec.encode_key(bar), codec.encode(bar)) == bar


def test_the_sample_time_is_what_it_says() -> None:
    assert TIME % DAY_MS == 0
