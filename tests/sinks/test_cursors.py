"""How far sources have come: kept, and moved forward only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config import Settings, read_settings
from errors import StoreUnavailable
from sinks.cursors import Cursors
from sinks.documents import as_date
from tests.models.samples import TIME
from tests.sinks.stores import MongoStore


@pytest.fixture
def cursors(settings: Settings, mongo_store: MongoStore) -> Iterator[Cursors]:
    """Cursors of an empty database."""
    found = Cursors(settings)
    yield found
    found.close()


@pytest.mark.integration
def test_cursors_come_back_by_source_and_key(cursors: Cursors) -> None:
    cursors.save("replay", {"AAPL": TIME, "MSFT": -1})
    cursors.save("yahoo", {"AAPL": TIME + 1})
    assert cursors.load("replay", ["AAPL", "MSFT", "GOOG"]) == {"AAPL": TIME, "MSFT": -1}
    assert cursors.load("yahoo", ["AAPL", "MSFT"]) == {"AAPL": TIME + 1}
    assert cursors.load("replay", []) == {}


@pytest.mark.integration
def test_a_cursor_moves_forward_only(cursors: Cursors) -> None:
    for since in (TIME, TIME + 1, TIME):
        cursors.save("replay", {"AAPL": since})
    assert cursors.load("replay", ["AAPL"]) == {"AAPL": TIME + 1}


@pytest.mark.integration
def test_saving_nothing_stores_nothing(cursors: Cursors, mongo_store: MongoStore) -> None:
    cursors.save("replay", {})
    assert mongo_store.documents("source_cursors") == {}


@pytest.mark.integration
def test_a_cursor_can_be_read_by_people(cursors: Cursors, mongo_store: MongoStore) -> None:
    cursors.save("replay", {"AAPL": TIME})
    document = mongo_store.documents("source_cursors")["replay|AAPL"]
    assert document.pop("updated") > as_date(TIME)
    assert document == {"source": "replay", "key": "AAPL", "since": as_date(TIME)}


def test_an_outage_names_the_address() -> None:
    settings = read_settings(
        _env_file=None, mongodb_uri="mongodb://me:s3cret@127.0.0.1:1/", mongodb_timeout_s=0.05
    )
    cursors = Cursors(settings)
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1") as told:
        cursors.load("replay", ["AAPL"])
    with pytest.raises(StoreUnavailable):
        cursors.save("replay", {"AAPL": 1})
    assert "s3cret" not in str(told.value)
    cursors.close()
