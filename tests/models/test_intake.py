"""Rows as callers have them become Records, or are refused with row, field and remedy."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidRecord
from models import BAR, ECONOMIC_OBSERVATION, INDICATOR_SNAPSHOT, NEWS_ITEM, SOCIAL_POST, intake
from models.rules import DAY_MS
from tests.models.samples import FIELDS, TIME

PRICES: dict[str, Any] = {"open": 181.99, "high": 182.76, "low": 180.17, "close": 181.18}
BAR_ROW = PRICES | {"time": TIME, "volume": 62_303_300}
NEWS_ROW: dict[str, Any] = {"title": "Record quarter", "time": TIME}
POST_ROW: dict[str, Any] = {"text": "to the moon", "time": TIME}
VALUE_ROW: dict[str, Any] = {"time": TIME, "value": 3.7}

Intake = Callable[[Any], list[Any]]
INTAKES: dict[str, tuple[Intake, dict[str, Any]]] = {
    "bars": (lambda data: intake.bars("AAPL", data), BAR_ROW),
    "snapshots": (lambda data: intake.snapshots("AAPL", "my_score", data), VALUE_ROW),
    "news": (lambda data: intake.news("AAPL", data), NEWS_ROW),
    "twitter": (lambda data: intake.posts("AAPL", "twitter", data), POST_ROW),
    "reddit": (lambda data: intake.posts("AAPL", "reddit", data), POST_ROW),
    "economy": (lambda data: intake.observations("UNRATE", data), VALUE_ROW),
}
EACH = pytest.mark.parametrize(("take", "row"), INTAKES.values(), ids=INTAKES)


def refused(take: Intake, data: object) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        take(data)
    return caught.value


def bar(**changes: Any) -> Any:
    (record,) = intake.bars("AAPL", BAR_ROW | changes)
    return record


def test_a_bar_gets_the_defaults() -> None:
    before = int(time.time() * 1000)
    record = bar()
    assert before <= record.ingested <= int(time.time() * 1000)
    assert {name: getattr(record, name) for name in BAR.fields} == BAR_ROW | {
        "ticker": "AAPL",
        "interval": "1d",
        "source": "api",
        "ingested": record.ingested,
        "adjusted_close": None,
        "closed": True,
    }
    assert type(record.volume) is float


def test_what_a_row_says_is_kept() -> None:
    given_fields = {"interval": "5m", "source": "integration-test", "ingested": 5, "closed": False}
    record = bar(**given_fields, adjusted_close=180.2)
    assert {name: getattr(record, name) for name in given_fields} == given_fields
    assert record.adjusted_close == 180.2


@pytest.mark.parametrize("name", ["aapl", "AAPL", "Aapl"])
def test_a_ticker_in_any_case(name: str) -> None:
    (record,) = intake.bars(name, BAR_ROW | {"Ticker": "aapl"})
    assert record.ticker == "AAPL"


@pytest.mark.parametrize(
    "key", ["time", "Time", "TIME", "date", "Date", "Datetime", "timestamp", "Timestamp", " Date "]
)
def test_names_of_time(key: str) -> None:
    row = {**PRICES, "volume": 1, key: TIME}
    (record,) = intake.bars("AAPL", row)
    assert record.time == TIME


@pytest.mark.parametrize("key", ["adjusted_close", "Adj Close", "ADJ CLOSE", "Adjusted Close"])
def test_names_of_the_adjusted_close(key: str) -> None:
    assert bar(**{key: 180.2}).adjusted_close == 180.2


def test_numbers_of_numpy_become_python_s() -> None:
    numbers = {name: np.float32(value) for name, value in PRICES.items()}
    record = bar(**numbers, volume=np.int64(5), closed=np.bool_(False), time=np.int64(TIME))
    for name in ("open", "volume"):
        assert type(getattr(record, name)) is float
    assert record.closed is False
    assert type(record.time) is int
    assert BAR.decode(b"AAPL", BAR.encode(record)) == record


@EACH
def test_one_row_or_many(take: Intake, row: dict[str, Any]) -> None:
    (alone,) = take(row)
    again: list[object] = [row, alone, dict(row)]
    for data in (again, tuple(again), iter(again)):
        found = take(data)
        assert len(found) == 3
        assert found[1] == alone
    assert take(alone) == [alone]


@EACH
def test_no_rows_give_no_records(take: Intake, row: dict[str, Any]) -> None:
    assert take([]) == []
    assert take(iter(())) == []


@EACH
def test_records_come_in_order_of_time(take: Intake, row: dict[str, Any]) -> None:
    days = [3, 1, 2, 0]
    found = take([row | {"time": TIME + day * DAY_MS} for day in days])
    assert [(record.time - TIME) // DAY_MS for record in found] == [0, 1, 2, 3]


@EACH
@pytest.mark.parametrize("data", [None, 5, "AAPL", b"{}", True, object()])
def test_what_holds_no_rows(take: Intake, row: dict[str, Any], data: object) -> None:
    error = refused(take, data)
    assert (error.field, error.row) == ("data", None)
    assert "give a mapping" in error.reason


@EACH
@pytest.mark.parametrize("bad", [None, 5, "AAPL", [("time", TIME)]])
def test_a_row_that_is_none(take: Intake, row: dict[str, Any], bad: object) -> None:
    error = refused(take, [row, bad])
    assert (error.field, error.row) == ("data", 1)


@EACH
def test_a_row_alone_has_no_number(take: Intake, row: dict[str, Any]) -> None:
    error = refused(take, row | {"time": "yesterday"})
    assert (error.field, error.value, error.row) == ("time", "'yesterday'", None)
    error = refused(take, [row, row, row | {"time": "yesterday"}])
    assert (error.field, error.value, error.row) == ("time", "'yesterday'", 2)
    assert str(error).startswith("row 2: time='yesterday': is not ISO 8601 text")


@EACH
def test_a_key_that_is_no_field(take: Intake, row: dict[str, Any]) -> None:
    error = refused(take, [row, row | {"sorce": "me"}])
    assert (error.field, error.value, error.row) == ("sorce", "'me'", 1)
    assert "known are" in error.reason
    assert "source" in error.reason
    assert refused(take, row | {5: 6}).field == "5"


@EACH
def test_a_field_given_twice(take: Intake, row: dict[str, Any]) -> None:
    assert refused(take, row | {"Date": TIME}).field == "time"


@EACH
def test_a_missing_field(take: Intake, row: dict[str, Any]) -> None:
    for field in row:
        rest = {key: value for key, value in row.items() if key != field}
        error = refused(take, [row, rest])
        assert error.row == 1
        assert error.field in (field, "id")


@EACH
def test_a_row_about_something_else(take: Intake, row: dict[str, Any]) -> None:
    (record,) = take(row)
    key = "series" if hasattr(record, "series") else "ticker"
    for other in (row | {key: "OTHER"}, record.derive(**{key: "OTHER"})):
        error = refused(take, [row, other])
        assert (error.field, error.value, error.row) == (key, "'OTHER'", 1)


@EACH
def test_a_record_is_checked_again(take: Intake, row: dict[str, Any]) -> None:
    (record,) = take(row)
    error = refused(take, [record, record.derive(time=True)])
    assert (error.field, error.row) == ("time", 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"open": "181.99"}, "open"),
        ({"open": True}, "open"),
        ({"open": np.bool_(True)}, "open"),
        ({"open": float("nan")}, "open"),
        ({"open": np.float64("inf")}, "open"),
        ({"open": None}, "open"),
        ({"volume": -1}, "volume"),
        ({"high": 1.0}, "high"),
        ({"interval": "daily"}, "interval"),
        ({"interval": None}, "interval"),
        ({"closed": "yes"}, "closed"),
        ({"time": datetime(2024, 1, 5, 9, 30)}, "time"),  # noqa: DTZ001
        ({"time": time.time() * 1000}, "time"),
        ({"time": "2999-01-01"}, "time"),
        ({"ingested": "now"}, "ingested"),
    ],
)
def test_a_bar_that_is_refused(changes: dict[str, Any], field: str) -> None:
    error = refused(INTAKES["bars"][0], [BAR_ROW, BAR_ROW | changes])
    assert (error.field, error.row) == (field, 1)


@pytest.mark.parametrize(
    ("take", "field"),
    [
        (lambda: intake.bars("", []), "ticker"),
        (lambda: intake.bars("A" * 33, []), "ticker"),
        (lambda: intake.news("AA PL", []), "ticker"),
        (lambda: intake.posts(None, "reddit", []), "ticker"),  # type: ignore[arg-type]
        (lambda: intake.snapshots("A/B", "rsi", []), "ticker"),
        (lambda: intake.snapshots("AAPL", "", []), "indicator_name"),
        (lambda: intake.snapshots("AAPL", "a.b", []), "indicator_name"),
        (lambda: intake.snapshots("AAPL", "$set", []), "indicator_name"),
        (lambda: intake.snapshots("AAPL", "x" * 65, []), "indicator_name"),
        (lambda: intake.snapshots("AAPL", 5, []), "indicator_name"),  # type: ignore[arg-type]
        (lambda: intake.observations("GDP growth", []), "series"),
        (lambda: intake.observations("", []), "series"),
    ],
)
def test_a_name_that_is_none(take: Callable[[], Any], field: str) -> None:
    error = refused(lambda _: take(), None)
    assert (error.field, error.row) == (field, None)
    assert "must be" in error.reason


def test_daily_bars_of_one_day_are_one_bar() -> None:
    assert bar(time="2024-01-05T00:00:00-05:00").time == TIME
    assert bar(time="2024-01-05T00:00:00-05:00", interval="1wk").time == TIME
    assert bar(time="2024-01-05T00:00:00-05:00", interval="1h").time == TIME + 5 * 3_600_000


def test_a_snapshot() -> None:
    (record,) = intake.snapshots("aapl", "my_score", {"Date": date(2024, 1, 5), "value": 1})
    assert INDICATOR_SNAPSHOT.encode(record) == (
        b'{"ticker":"AAPL","interval":"1d","time":1704412800000,"values":{"my_score":1.0},'
        b'"source":"api","closed":true}'
    )


def test_a_snapshot_that_is_not_warm_yet() -> None:
    (record,) = intake.snapshots("AAPL", "rsi", VALUE_ROW | {"value": None, "interval": "5m"})
    assert (record.values, record.interval) == ({"rsi": None}, "5m")


@pytest.mark.parametrize("value", [True, "5", float("nan"), {"rsi": 5.0}])
def test_a_snapshot_of_no_number(value: object) -> None:
    assert refused(INTAKES["snapshots"][0], VALUE_ROW | {"value": value}).field == "values.my_score"


def test_a_snapshot_of_another_indicator() -> None:
    record = INDICATOR_SNAPSHOT.parse(FIELDS["IndicatorSnapshot"])
    error = refused(lambda data: intake.snapshots("AAPL", "obv", data), [record])
    assert error.field == "values"
    assert intake.snapshots("AAPL", "rsi", [record]) == [record]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, digest("Record quarter")),
        ({"url": ""}, digest("Record quarter")),
        ({"url": "https://a.example/1"}, digest("https://a.example/1")),
        ({"url": "https://a.example/1", "id": "mine"}, "mine"),
        ({"id": 1_752_000_000_000_000_000}, "1752000000000000000"),
        ({"title": "Überschuss"}, digest("Überschuss")),
    ],
)
def test_the_id_of_a_story(changes: dict[str, Any], expected: str) -> None:
    (item,) = intake.news("AAPL", NEWS_ROW | changes)
    assert item.id == expected
    assert NEWS_ITEM.decode(b"AAPL", NEWS_ITEM.encode(item)) == item


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "id"),
        ({"title": 5}, "id"),
        ({"id": ""}, "id"),
        ({"id": True}, "id"),
        ({"title": "\ud800"}, "title"),
        ({"url": 5}, "url"),
        ({"sentiment": 1.5}, "sentiment"),
        ({"sentiment": "positive"}, "sentiment"),
        ({"publisher": None}, "publisher"),
    ],
)
def test_a_story_that_is_refused(changes: dict[str, Any], field: str) -> None:
    assert refused(INTAKES["news"][0], NEWS_ROW | changes).field == field


def test_a_post_belongs_to_the_platform_it_is_sent_for() -> None:
    (post,) = intake.posts("AAPL", "reddit", POST_ROW | {"platform": "reddit", "engagement": 12})
    assert (post.platform, post.engagement, post.id) == ("reddit", 12.0, digest("to the moon"))
    (same,) = intake.posts("AAPL", "twitter", POST_ROW)
    assert same.platform == "twitter"
    assert refused(INTAKES["reddit"][0], same).field == "platform"
    assert refused(INTAKES["reddit"][0], POST_ROW | {"platform": "twitter"}).field == "platform"
    assert SOCIAL_POST.decode(b"AAPL", SOCIAL_POST.encode(post)) == post


def test_an_observation() -> None:
    row = {"date": "2024-01-01", "value": 3.7, "realtime_start": datetime(2024, 2, 2, tzinfo=UTC)}
    (revised,) = intake.observations("UNRATE", row | {"title": "Rate", "units": "Percent"})
    assert (revised.series, revised.source, revised.title) == ("UNRATE", "api", "Rate")
    assert revised.realtime_start - revised.time == 32 * DAY_MS
    (first,) = intake.observations("UNRATE", VALUE_ROW)
    assert first.realtime_start == first.time == TIME
    key = ECONOMIC_OBSERVATION.encode_key(first)
    assert ECONOMIC_OBSERVATION.decode(key, ECONOMIC_OBSERVATION.encode(first)) == first


def test_a_series_keeps_its_case() -> None:
    (record,) = intake.observations("Ab_c", VALUE_ROW)
    assert record.series == "Ab_c"


def test_the_first_bad_row_stops_the_reading() -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield BAR_ROW
        yield BAR_ROW | {"open": "5"}
        pytest.fail("read on")

    assert refused(INTAKES["bars"][0], rows()).row == 1


def test_checked_refuses_records_of_another_kind() -> None:
    good = BAR.parse(FIELDS["Bar"])
    assert intake.checked(BAR, [good]) == [good]
    for other in (NEWS_ITEM.parse(FIELDS["NewsItem"]), FIELDS["Bar"], None):
        with pytest.raises(InvalidRecord, match=r"row 1: message=.*is no Bar"):
            intake.checked(BAR, [good, other])


keys = st.sampled_from([*BAR.fields, "Adj Close", "Date", "Open", "Dividends", "", "x"])
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.datetimes(),
    st.dates(),
    st.binary(max_size=3),
    st.sampled_from([np.float64("nan"), np.int8(3), np.datetime64("NaT"), np.array([1.0])]),
)


@given(st.lists(st.dictionaries(keys, values), max_size=3))
def test_any_row_is_a_record_or_a_complaint(changes: list[dict[str, Any]]) -> None:
    rows = [BAR_ROW | change for change in changes]
    try:
        records = intake.bars("AAPL", rows)
    except InvalidRecord as error:
        assert error.row is not None
        assert rows[error.row] != BAR_ROW
        return
    assert len(records) == len(rows)
