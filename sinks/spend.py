"""How much of something that costs money was used on a day, by all workers together."""

from __future__ import annotations

from datetime import UTC, datetime

from pymongo import MongoClient, ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config import Settings
from errors import StoreUnavailable
from sinks.base import Document
from sinks.documents import SOURCE_CURSORS
from sinks.mongo import connect, database, unavailable


class DailySpend:
    """Counts in ``source_cursors``, so that restarts and other workers count as well. Blocking.

    What is granted counts as used until it is given back: whoever is killed in between has used it.

    Args:
        settings: where MongoDB is.
        source: whose use is counted.
    """

    def __init__(self, settings: Settings, source: str) -> None:
        self.address = settings.mongodb_address
        self._id = f"{source}|posts read"
        self._source = source
        self._settings = settings
        self._client: MongoClient[Document] | None = None

    def take(self, day: str, limit: int, fewest: int, most: int) -> tuple[int, int]:
        """Return how many more may be used on ``day`` now, and how many are used by then.

        Args:
            day: the date, UTC, as ``2026-11-25``.
            limit: of the day.
            fewest: if fewer are left, none are granted.
            most: are granted at once.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        left = {"$subtract": [limit, "$read"]}
        granted = {"$cond": [{"$lt": [left, fewest]}, 0, {"$min": [left, most]}]}
        # One atomic step: two workers never get the same posts. A clock that is behind at midnight
        # counts on the day that has begun.
        steps: list[Document] = [
            {
                "$set": {
                    "source": self._source,
                    "read": {"$cond": [{"$gte": ["$day", day]}, "$read", 0]},
                    "day": {"$max": ["$day", day]},
                    "updated": datetime.now(UTC),
                }
            },
            {"$set": {"granted": granted}},
            {"$set": {"read": {"$add": ["$read", "$granted"]}}},
        ]
        try:
            found = self._collection().find_one_and_update(
                {"_id": self._id}, steps, upsert=True, return_document=ReturnDocument.AFTER
            )
        except PyMongoError as error:
            raise unavailable(self.address, error) from error
        if found is None:
            raise StoreUnavailable(self.address, "it did not keep what is counted")
        return found["granted"], found["read"]

    def give_back(self, day: str, count: int) -> None:
        """Count so many of ``day`` as not used.

        Raises:
            StoreUnavailable: MongoDB did not answer; they count as used.
        """
        try:
            self._collection().update_one({"_id": self._id, "day": day}, {"$inc": {"read": -count}})
        except PyMongoError as error:
            raise unavailable(self.address, error) from error

    def close(self) -> None:
        """Close the connections; later calls open new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _collection(self) -> Collection[Document]:
        if self._client is None:
            self._client = connect(self._settings)
        return database(self._client, self._settings)[SOURCE_CURSORS]
