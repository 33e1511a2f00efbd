"""How each Record looks in MongoDB, and under which id."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidRecord
from models import INTEGRATION_TEST, Bar, IndicatorSnapshot
from models.rules import EARLIEST_MS, LATEST_MS
from sinks import Mode, Origin, Write
from sinks.documents import (
    as_date,
    as_ms,
    bar_write,
    dead_letter_write,
    news_write,
    observation_write,
    post_write,
    snapshot_write,
)
from tests.models.samples import CODECS, FIELDS, TIME

ORIGIN = Origin("stock-prices", 3, 17, b"AAPL", b"{}")
DATE = datetime(2024, 1, 5, tzinfo=UTC)
JUST_AFTER = datetime(2024, 1, 5, 0, 0, 0, 1000, tzinfo=UTC)
DAY_MS = 86_400_000


def record(kind: str, **changes: Any) -> Any:
    """A decoded record of this kind."""
    return CODECS[kind].parse(FIELDS[kind] | changes)


def expected(kind: str, **changes: Any) -> dict[str, Any]:
    """The sample's fields, with its dates."""
    return FIELDS[kind] | {"time": DATE, "ingested": JUST_AFTER} | changes


@pytest.mark.parametrize(
    ("closed", "mode"), [(True, Mode.UPSERT), (False, Mode.UNLESS_CLOSED)], ids=str
)
def test_a_bar(closed: bool, mode: Mode) -> None:
    write = bar_write(record("Bar", closed=closed), ORIGIN)
    document = expected("Bar", closed=closed)
    assert write == Write("stock_prices", f"AAPL|1d|{TIME}", document, mode, (ORIGIN,))


def test_a_bar_with_the_indicators_computed_at_it() -> None:
    values = {"rsi": 41.5, "macd": None}
    write = bar_write(record("Bar"), ORIGIN, values)
    assert write.document == expected("Bar", indicators=values)
    write.document["indicators"]["rsi"] = 0.0
    assert values["rsi"] == 41.5


def test_every_field_of_a_bar_is_stored() -> None:
    assert bar_write(record("Bar"), ORIGIN).document.keys() == set(Bar._options.fields)


def test_indicators_of_others_go_beside_ours_on_the_bar() -> None:
    write = snapshot_write(record("IndicatorSnapshot"), ORIGIN)
    assert write == Write(
        "stock_prices",
        f"AAPL|5m|{TIME}",
        {
            "ticker": "AAPL",
            "interval": "5m",
            "time": DATE,
            "indicators": {"rsi": 41.5, "macd": None},
        },
        Mode.UPSERT,
        (ORIGIN,),
    )


def test_a_snapshot_meets_the_document_of_its_bar() -> None:
    bar = record("Bar")
    snapshot = IndicatorSnapshot(
        ticker=bar.ticker, interval=bar.interval, time=bar.time, values={"x": 1.0}, source="them"
    )
    one, other = bar_write(bar, ORIGIN), snapshot_write(snapshot, ORIGIN)
    assert (one.collection, one.id) == (other.collection, other.id)


def test_a_snapshot_of_a_check_can_be_told() -> None:
    write = snapshot_write(record("IndicatorSnapshot", source=INTEGRATION_TEST), ORIGIN)
    assert write.document["source"] == INTEGRATION_TEST


def test_a_news_item() -> None:
    write = news_write(record("NewsItem"), ORIGIN)
    assert write == Write("news", "BRK-B|story-1", expected("NewsItem"), Mode.UPSERT, (ORIGIN,))


@pytest.mark.parametrize("platform", ["twitter", "reddit"])
def test_a_post(platform: str) -> None:
    write = post_write(record("SocialPost", platform=platform), ORIGIN)
    assert write == Write(
        f"{platform}_sentiment",
        "^GSPC|t3_1",
        expected("SocialPost", platform=platform),
        Mode.UPSERT,
        (ORIGIN,),
    )


def test_fields_that_were_left_out_are_stored_with_their_defaults() -> None:
    needed = ("ticker", "id", "time", "title", "source", "ingested")
    item = CODECS["NewsItem"].parse({name: FIELDS["NewsItem"][name] for name in needed})
    document = news_write(item, ORIGIN).document
    assert document == expected("NewsItem", summary="", url="", publisher="", sentiment=None)


def test_a_default_beside_an_unknown_field() -> None:
    fields = {k: v for k, v in FIELDS["Bar"].items() if k != "adjusted_close"} | {"unknown": 1}
    document = bar_write(CODECS["Bar"].parse(fields), ORIGIN).document
    assert document == expected("Bar", adjusted_close=None)


def test_an_observation_has_a_document_for_each_revision() -> None:
    fields = {"time": TIME - 30 * DAY_MS, "realtime_start": TIME}
    write = observation_write(record("EconomicObservation", **fields), ORIGIN)
    dates = {"time": datetime(2023, 12, 6, tzinfo=UTC), "realtime_start": DATE}
    assert write == Write(
        "economic_indicators",
        "UNRATE|2023-12-06|2024-01-05",
        expected("EconomicObservation", **dates),
        Mode.UPSERT,
        (ORIGIN,),
    )
    revised = record("EconomicObservation", **fields | {"realtime_start": TIME + DAY_MS})
    assert observation_write(revised, ORIGIN).id == "UNRATE|2023-12-06|2024-01-06"


@pytest.mark.parametrize(
    ("time_ms", "shown"),
    [
        (0, "1970-01-01"),
        (-DAY_MS, "1969-12-31"),
        (EARLIEST_MS, "1600-01-01"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (34_200_000, "1970-01-01T09:30:00.000Z"),
    ],
)
def test_dates_in_the_ids_of_observations(time_ms: int, shown: str) -> None:
    write = observation_write(record("EconomicObservation", time=time_ms), ORIGIN)
    assert write.id == f"UNRATE|{shown}|2024-01-05"


def test_a_dead_letter_is_whole_and_written_once() -> None:
    origin = Origin("stock-prices", 3, 17, b"\xff", b"\x00\xfe")
    write = dead_letter_write(origin, error="no JSON", agent="prices", time_ms=TIME)
    document = {
        "topic": "stock-prices",
        "partition": 3,
        "offset": 17,
        "key": b"\xff",
        "value": b"\x00\xfe",
        "size": 2,
        "error": "no JSON",
        "agent": "prices",
        "time": DATE,
    }
    assert write == Write("dead_letters", "stock-prices|3|17", document, Mode.INSERT_ONLY)


def test_of_a_dead_letter_as_much_is_kept_as_a_document_can_hold() -> None:
    origin = Origin("stock-prices", 3, 17, b"k" * 17_000_000, b"v" * 17_000_000)
    write = dead_letter_write(origin, error="e" * 17_000_000, agent="prices", time_ms=TIME)
    assert len(bson.encode(write.document)) < 16 * 1024 * 1024
    assert write.document["size"] == 17_000_000


def test_a_dead_letter_without_key_and_value() -> None:
    origin = Origin("stock-prices", 3, 17, None, None)
    write = dead_letter_write(origin, error="tombstone", agent="prices", time_ms=TIME)
    assert (write.document["key"], write.document["value"], write.document["size"]) == (
        None,
        None,
        0,
    )


@pytest.mark.parametrize(
    ("time_ms", "date"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (EARLIEST_MS, datetime(1600, 1, 1, tzinfo=UTC)),
        (TIME, DATE),
    ],
)
def test_dates_before_and_after_1970(time_ms: int, date: datetime) -> None:
    assert as_date(time_ms) == date
    assert as_ms(date) == time_ms


@given(st.integers(EARLIEST_MS, LATEST_MS))
def test_no_millisecond_is_lost(time_ms: int) -> None:
    assert as_ms(as_date(time_ms)) == time_ms


@pytest.mark.parametrize("kind", ["Bar", "NewsItem", "SocialPost", "EconomicObservation"])
def test_a_time_that_no_date_can_hold_is_no_valid_record(kind: str) -> None:
    with pytest.raises(InvalidRecord, match="ingested=1000000000000000000: "):
        record(kind, ingested=10**18)
