"""Moments in every form that callers have them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidRecord
from models.times import to_ms, within_day
from tests.models.samples import TIME

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
HALF_PAST_NINE = TIME + (14 * 60 + 30) * 60_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TIME, TIME),
        (-TIME, -TIME),
        (0, 0),
        (np.int64(TIME), TIME),
        (date(2024, 1, 5), TIME),
        (datetime(2024, 1, 5), TIME),  # noqa: DTZ001
        (datetime(2024, 1, 5, tzinfo=UTC), TIME),
        (datetime(2024, 1, 5, 9, 30, tzinfo=NEW_YORK), HALF_PAST_NINE),
        (datetime(2024, 1, 5, 0, 0, 0, 999_999, tzinfo=UTC), TIME + 999),
        (datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), -1),
        ("2024-01-05", TIME),
        ("20240105", TIME),
        ("2024-01-05T00:00:00", TIME),
        ("2024-01-05T00:00Z", TIME),
        ("2024-01-05 09:30:00-05:00", HALF_PAST_NINE),
        ("2024-01-05T14:30:00.000Z", HALF_PAST_NINE),
        (pd.Timestamp("2024-01-05"), TIME),
        (pd.Timestamp("2024-01-05 09:30", tz="America/New_York"), HALF_PAST_NINE),
        (pd.Timestamp("2024-01-05 00:00:00.000000001", tz="UTC"), TIME),
        (np.datetime64("2024-01-05"), TIME),
        (np.datetime64("2024-01-05", "ns"), TIME),
        (np.datetime64("2024-01-05", "s"), TIME),
    ],
)
def test_a_moment(value: object, expected: int) -> None:
    found = to_ms("time", value)
    assert found == expected
    assert type(found) is int


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2024, 1, 5, 9, 30), "time zone"),  # noqa: DTZ001
        ("2024-01-05T09:30:00", "time zone"),
        ("2024-01-05 09:30", "time zone"),
        (pd.Timestamp("2024-01-05 09:30"), "time zone"),
        (np.datetime64("2024-01-05T09:30"), "time zone"),
        ("yesterday", "ISO 8601"),
        ("", "ISO 8601"),
        ("1704412800000", "ISO 8601"),
        ("Fri, 05 Jan 2024 09:30:00 GMT", "ISO 8601"),
        ("2024-13-05", "ISO 8601"),
        (float(TIME), "whole number"),
        (np.float64(TIME), "whole number"),
        (float("nan"), "is not a time"),
        (True, "is not a time"),
        (np.bool_(True), "is not a time"),
        (None, "is not a time"),
        (pd.NaT, "is not a time"),
        (pd.NA, "is not a time"),
        (np.datetime64("NaT"), "is not a time"),
        ([TIME], "is not a time"),
    ],
)
@pytest.mark.parametrize("by_day", [False, True])
def test_what_is_no_moment_says_what_would_be(value: object, words: str, by_day: bool) -> None:
    with pytest.raises(InvalidRecord, match=words) as caught:
        to_ms("realtime_start", value, by_day=by_day)
    assert caught.value.field == "realtime_start"


@pytest.mark.parametrize(
    ("value", "by_day", "expected"),
    [
        ("2024-01-05T00:00:00-05:00", True, "2024-01-05T00:00Z"),
        ("2024-01-05T00:00:00-05:00", False, "2024-01-05T05:00Z"),
        (datetime(2024, 7, 5, tzinfo=LONDON), True, "2024-07-05T00:00Z"),
        (datetime(2024, 7, 5, tzinfo=LONDON), False, "2024-07-04T23:00Z"),
        (datetime(2024, 7, 5, 1, tzinfo=LONDON), True, "2024-07-05T00:00Z"),
        ("2024-01-05T09:30:00-05:00", True, "2024-01-05T14:30Z"),
    ],
)
def test_a_trading_day_is_its_date(value: object, by_day: bool, expected: str) -> None:
    assert to_ms("time", value, by_day=by_day) == to_ms("time", expected)


@given(
    st.datetimes(timezones=st.sampled_from((UTC, NEW_YORK, LONDON, timezone(timedelta(hours=14)))))
)
def test_all_forms_of_one_moment_agree(moment: datetime) -> None:
    expected = to_ms("time", moment)
    assert to_ms("time", moment.isoformat()) == expected
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert to_ms("time", whole) == expected
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    assert zero + timedelta(milliseconds=expected) - whole == timedelta(0)


@given(
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
)
def test_pandas_and_numpy_agree_with_python(moment: datetime) -> None:
    assert to_ms("time", pd.Timestamp(moment)) == to_ms("time", moment)
    stamp = np.datetime64(int(moment.timestamp()), "s")
    assert within_day(stamp) or to_ms("time", stamp) % 86_400_000 == 0


@given(st.dates(), st.sampled_from((UTC, NEW_YORK, timezone(timedelta(hours=-12)))))
def test_midnight_anywhere_is_that_day(day: date, zone: timezone) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    assert to_ms("time", midnight, by_day=True) == to_ms("time", day)


@pytest.mark.parametrize(
    ("value", "within"),
    [
        (TIME + 1, False),
        (date(2024, 1, 5), False),
        ("2024-01-05", False),
        ("2024-01-05T00:00-05:00", False),
        ("2024-01-05T09:30-05:00", True),
        (pd.Timestamp("2024-01-05 09:30"), True),
        (np.datetime64("2024-01-05T09:30"), True),
        (pd.NaT, False),
        (None, False),
    ],
)
def test_within_a_day(value: object, within: bool) -> None:
    assert within_day(value) is within
