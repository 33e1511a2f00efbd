"""What has become of alerts at their webhooks, read back."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.errors import PyMongoError

from config import Settings
from errors import StoreUnavailable
from sinks.documents import ALERTS
from sinks.mongo import connect, database

#: What a document says of a webhook that has taken its alert.
DELIVERED = "delivered"


class Deliveries:
    """Reads deliveries from MongoDB. Blocking."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def of(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return by id of an alert what is known of each webhook.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        try:
            with connect(self._settings) as client:
                collection = database(client, self._settings)[ALERTS]
                found = collection.find({"_id": {"$in": list(ids)}}, {"deliveries": 1})
                return {one["_id"]: dict(one.get("deliveries") or {}) for one in found}
        except PyMongoError as error:
            raise StoreUnavailable(self._settings.mongodb_address, str(error)) from error
