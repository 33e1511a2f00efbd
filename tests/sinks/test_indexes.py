"""Indexes: there, and their expiry as the settings say."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from config import Settings, read_settings
from errors import ConfigurationError
from sinks.indexes import ensure_indexes

pytestmark = pytest.mark.integration

DAY_S = 86_400


def keys(database: Database[dict[str, Any]], collection: str) -> list[list[tuple[str, int]]]:
    """The fields of each index of a collection, but for ``_id``."""
    found = database[collection].index_information()
    return [index["key"] for name, index in found.items() if name != "_id_"]


def expiry(database: Database[dict[str, Any]], collection: str) -> int | None:
    """After how many seconds documents of a collection expire."""
    index = database[collection].index_information().get("expiry")
    if index is None:
        return None
    assert index["key"] == [("time", 1)]
    seconds: int = index["expireAfterSeconds"]
    return seconds


def test_each_collection_has_what_its_queries_need(
    mongo: Database[dict[str, Any]], settings: Settings
) -> None:
    for _ in range(2):
        ensure_indexes(mongo, settings)
        assert keys(mongo, "stock_prices") == [[("ticker", 1), ("interval", 1), ("time", -1)]]
        for name in ("news", "twitter_sentiment", "reddit_sentiment", "trend_history"):
            assert keys(mongo, name) == [[("ticker", 1), ("time", -1)]]
        assert keys(mongo, "economic_indicators") == [[("series", 1), ("time", -1)]]
        assert keys(mongo, "alerts") == [
            [("ticker", 1), ("time", -1)],
            [("time", -1), ("_id", -1)],
        ]
        assert keys(mongo, "dead_letters") == [[("time", -1)]]


def test_expiry_is_set_changed_in_place_and_removed(
    mongo: Database[dict[str, Any]], settings: Settings
) -> None:
    posts = ("twitter_sentiment", "reddit_sentiment")
    for post_days, news_days in ((30, None), (30, 7), (7, 30), (None, 30), (None, None), (1, 1)):
        changed = settings.model_copy(
            update={"posts_ttl_days": post_days, "news_ttl_days": news_days}
        )
        ensure_indexes(mongo, changed)
        for name in posts:
            assert expiry(mongo, name) == (None if post_days is None else post_days * DAY_S)
        assert expiry(mongo, "news") == (None if news_days is None else news_days * DAY_S)
        assert expiry(mongo, "stock_prices") is None


def test_the_longest_expiry_that_the_settings_take_is_one_that_mongodb_takes(
    mongo: Database[dict[str, Any]], settings: Settings
) -> None:
    def with_days(days: int) -> Settings:
        return read_settings(_env_file=None, mongodb_uri=settings.mongodb_uri, news_ttl_days=days)

    longest = 24_855
    ensure_indexes(mongo, with_days(longest))
    assert expiry(mongo, "news") == longest * DAY_S
    with pytest.raises(ConfigurationError, match="NEWS_TTL_DAYS"):
        with_days(longest + 1)
