"""How far each source has fetched each key, so that a restart does not fetch the world again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from config import Settings
from sinks.documents import SOURCE_CURSORS, as_date, as_ms
from sinks.mongo import connect, database, unavailable


class Cursors:
    """Reads and writes the collection ``source_cursors``. Blocking.

    Times are ms since the epoch: of the last final record of a key that the broker acknowledged.
    """

    def __init__(self, settings: Settings) -> None:
        self.address = settings.mongodb_address
        self._client = connect(settings)
        self._collection = database(self._client, settings)[SOURCE_CURSORS]

    def load(self, source: str, keys: Sequence[str]) -> dict[str, int]:
        """Return the cursors of ``keys``; those never fetched are left out.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        try:
            found = self._collection.find({"_id": {"$in": [f"{source}|{key}" for key in keys]}})
            return {document["key"]: as_ms(document["since"]) for document in found}
        except PyMongoError as error:
            raise unavailable(self.address, error) from error

    def save(self, source: str, since: Mapping[str, int]) -> None:
        """Move cursors forward; one that is further already stays.

        Raises:
            StoreUnavailable: MongoDB did not answer; nothing may have been saved.
        """
        if not since:
            return
        now = datetime.now(UTC)
        try:
            self._collection.bulk_write(
                [
                    UpdateOne(
                        {"_id": f"{source}|{key}"},
                        {
                            "$max": {"since": as_date(time_ms)},
                            "$set": {"source": source, "key": key, "updated": now},
                        },
                        upsert=True,
                    )
                    for key, time_ms in since.items()
                ],
                ordered=False,
            )
        except PyMongoError as error:
            raise unavailable(self.address, error) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
