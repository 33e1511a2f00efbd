"""What is followed: the settings, and the orders since."""

from __future__ import annotations

import orjson
import pytest

from tables.checkpointed import row_offset
from tables.followed import FollowedTable
from tests.tables.conftest import changelog
from transport import BatchingApp


@pytest.fixture
def followed(app: BatchingApp) -> FollowedTable:
    """An empty table."""
    return FollowedTable(app)


def test_without_orders_the_settings_stand(followed: FollowedTable) -> None:
    assert followed.names("ticker", ("AAPL", "IBM")) == ["AAPL", "IBM"]


def test_orders_add_and_take_away(followed: FollowedTable) -> None:
    followed.order("NVDA", "ticker", True, 3, 0)
    followed.order("IBM", "ticker", False, 2, 0)
    assert followed.names("ticker", ("AAPL", "IBM")) == ["AAPL", "NVDA"]
    followed.order("NVDA", "ticker", False, 3, 1)
    followed.order("IBM", "ticker", True, 2, 1)
    assert followed.names("ticker", ("AAPL", "IBM")) == ["AAPL", "IBM"]


def test_tickers_and_series_of_one_name_are_two_things(followed: FollowedTable) -> None:
    followed.order("GDP", "series", True, 0, 0)
    followed.order("GDP", "ticker", False, 0, 1)
    assert followed.names("series", ()) == ["GDP"]
    assert followed.names("ticker", ("GDP",)) == []


def test_an_order_that_comes_again_changes_nothing(followed: FollowedTable) -> None:
    followed.order("NVDA", "ticker", True, 3, 7)
    followed.order("NVDA", "ticker", False, 3, 8)
    followed.order("NVDA", "ticker", True, 3, 7)
    assert followed.names("ticker", ()) == []


def test_what_no_checkpoint_saved_is_void(followed: FollowedTable) -> None:
    followed.order("NVDA", "ticker", True, 3, 0)
    rows = followed.cut()
    followed.keep(rows)
    followed.order("NVDA", "ticker", False, 3, 1)
    followed.order("AMD", "ticker", True, 5, 0)
    followed.void()
    assert followed.cut() == {}
    assert followed.names("ticker", ()) == ["NVDA"]


def test_rows_come_back_from_the_changelog(followed: FollowedTable, app: BatchingApp) -> None:
    followed.order("NVDA", "ticker", True, 3, 4)
    (partition, raw) = followed.cut()["NVDA"]
    assert (partition, row_offset(raw)) == (3, 4)
    assert followed.cut() == {}
    followed.void()
    stale = orjson.dumps({"offset": 2, "ticker": False})
    followed.apply_changelog_batch(changelog(followed, ("NVDA", raw), ("NVDA", stale)))
    assert followed.names("ticker", ()) == ["NVDA"]


def test_what_the_settings_name_and_an_order_took_away_is_said_once(
    followed: FollowedTable, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    followed.order("IBM", "ticker", False, 2, 0)
    for _ in range(3):
        followed.names("ticker", ("IBM",))
    assert sum("IBM was unfollowed" in record.message for record in caplog.records) == 1
