"""The indexes of each collection: what its queries need, and optional expiry."""

from __future__ import annotations

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import OperationFailure

from config import Settings
from sinks import documents
from sinks.base import Document

_DAY_S = 86_400
_EXPIRY = "expiry"


def ensure_indexes(database: Database[Document], settings: Settings) -> None:
    """Create the indexes that are missing, and set the expiry that the settings say.

    Raises:
        pymongo.errors.PyMongoError: MongoDB does not answer.
    """
    by_ticker = IndexModel([("ticker", ASCENDING), ("time", DESCENDING)])
    database[documents.STOCK_PRICES].create_indexes(
        [IndexModel([("ticker", ASCENDING), ("interval", ASCENDING), ("time", DESCENDING)])]
    )
    database[documents.ECONOMY].create_indexes(
        [IndexModel([("series", ASCENDING), ("time", DESCENDING)])]
    )
    database[documents.DEAD_LETTERS].create_indexes([IndexModel([("time", DESCENDING)])])
    database[documents.TREND_HISTORY].create_indexes([by_ticker])
    database[documents.ALERTS].create_indexes(
        [by_ticker, IndexModel([("time", DESCENDING), ("_id", DESCENDING)])]
    )
    for name, days in (
        (documents.NEWS, settings.news_ttl_days),
        (documents.TWITTER, settings.posts_ttl_days),
        (documents.REDDIT, settings.posts_ttl_days),
    ):
        database[name].create_indexes([by_ticker])
        _set_expiry(database, name, days)


def _set_expiry(database: Database[Document], name: str, days: int | None) -> None:
    if days is None:
        if _EXPIRY in database[name].index_information():
            database[name].drop_index(_EXPIRY)
        return
    seconds = days * _DAY_S
    try:
        database[name].create_index("time", name=_EXPIRY, expireAfterSeconds=seconds)
    except OperationFailure:
        # It exists with another age; that can be changed in place.
        database.command("collMod", name, index={"name": _EXPIRY, "expireAfterSeconds": seconds})
