"""Bars read back from MongoDB."""

from __future__ import annotations

import pytest

from config import Settings, read_settings
from errors import StoreUnavailable
from models import INTEGRATION_TEST
from sinks import Origin, Write
from sinks.documents import as_date, bar_write, snapshot_write
from sinks.history import StoredBars
from tests.models.samples import CODECS, FIELDS, TIME
from tests.sinks.stores import MongoStore

ORIGIN = Origin("stock-prices", 0, 1, None, None)


def bar(**fields: object) -> Write:
    """The write of a bar."""
    return bar_write(CODECS["Bar"].parse(FIELDS["Bar"] | {"closed": True} | fields), ORIGIN)


def snapshot(**fields: object) -> Write:
    """The write of indicators that others computed."""
    sample = FIELDS["IndicatorSnapshot"] | {"interval": "1d"} | fields
    return snapshot_write(CODECS["IndicatorSnapshot"].parse(sample), ORIGIN)


@pytest.mark.integration
def test_closed_bars_come_in_the_order_of_time(settings: Settings, mongo_store: MongoStore) -> None:
    places = [("5m", 3), ("1d", 2), ("5m", 1), ("1d", 10), ("1d", -1), ("5m", 2)]
    mongo_store.sink.write([bar(interval=name, time=TIME + n - 100) for name, n in places])
    found = StoredBars(settings).closed_bars("AAPL")
    assert [(one["interval"], one["time"]) for one in found] == [
        (name, as_date(TIME + n - 100)) for name, n in sorted(places)
    ]


@pytest.mark.integration
def test_a_bar_comes_with_what_indicators_need(settings: Settings, mongo_store: MongoStore) -> None:
    mongo_store.sink.write([bar()])
    names = ("open", "high", "low", "close", "volume", "interval")
    assert StoredBars(settings).closed_bars("AAPL") == [
        {name: FIELDS["Bar"][name] for name in names}
        | {"_id": f"AAPL|1d|{TIME}", "time": as_date(TIME)}
    ]


@pytest.mark.integration
def test_what_never_reached_state_is_left_out(settings: Settings, mongo_store: MongoStore) -> None:
    mongo_store.sink.write(
        [
            bar(),
            bar(time=TIME + 1, closed=False),
            bar(time=TIME + 2, source=INTEGRATION_TEST),
            bar(ticker="MSFT"),
            snapshot(time=TIME + 3),
            snapshot(time=TIME + 4, source=INTEGRATION_TEST),
        ]
    )
    found = StoredBars(settings).closed_bars("AAPL")
    assert [one["_id"] for one in found] == [f"AAPL|1d|{TIME}"]


@pytest.mark.integration
def test_indicators_of_others_do_not_hide_a_bar(
    settings: Settings, mongo_store: MongoStore
) -> None:
    mongo_store.sink.write([snapshot()])
    assert StoredBars(settings).closed_bars("AAPL") == []
    mongo_store.sink.write([bar()])
    mongo_store.sink.write([snapshot()])
    assert len(StoredBars(settings).closed_bars("AAPL")) == 1


def test_an_outage_names_the_address() -> None:
    settings = read_settings(
        _env_file=None, mongodb_uri="mongodb://me:s3cret@127.0.0.1:1/", mongodb_timeout_s=0.05
    )
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1") as told:
        StoredBars(settings).closed_bars("AAPL")
    assert "s3cret" not in str(told.value)
