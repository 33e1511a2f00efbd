"""The bars that are stored, read back."""

from __future__ import annotations

from pymongo import ASCENDING
from pymongo.errors import PyMongoError

from config import Settings
from models import INTEGRATION_TEST
from sinks.base import Document
from sinks.documents import STOCK_PRICES, as_ms
from sinks.mongo import connect, database, unavailable

#: What a provider says of a bar.
PRICES = ("open", "high", "low", "close", "volume", "adjusted_close")
_FIELDS = ("interval", "time", "open", "high", "low", "close", "volume")


class StoredBars:
    """Reads bars from MongoDB. Blocking."""

    def __init__(self, settings: Settings) -> None:
        self.address = settings.mongodb_address
        self._settings = settings

    def tickers(self) -> list[str]:
        """Return the tickers that have bars, in the order of the alphabet.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        try:
            with connect(self._settings) as client:
                collection = database(client, self._settings)[STOCK_PRICES]
                return sorted(collection.distinct("ticker", {"source": {"$ne": INTEGRATION_TEST}}))
        except PyMongoError as error:
            raise unavailable(self.address, error) from error

    def closed_bars(self, ticker: str) -> list[Document]:
        """Return the closed bars of ``ticker`` at all intervals, in the order of time.

        Each has ``_id`` and the fields interval, time, open, high, low, close, volume. Bars from a
        check of the deployment are left out, as they are from state.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        where = {"ticker": ticker, "closed": True, "source": {"$ne": INTEGRATION_TEST}}
        try:
            with connect(self._settings) as client:
                collection = database(client, self._settings)[STOCK_PRICES]
                found = collection.find(where, dict.fromkeys(_FIELDS, 1))
                return list(found.sort([("interval", ASCENDING), ("time", ASCENDING)]))
        except PyMongoError as error:
            raise unavailable(self.address, error) from error

    def of_source(self, ticker: str, interval: str, source: str) -> dict[int, Document]:
        """Return what one source has said of the closed bars of a ticker, by their time, ms.

        In the order of time; each has the fields of :data:`PRICES`.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        where = {"ticker": ticker, "interval": interval, "closed": True, "source": source}
        fields = dict.fromkeys((*PRICES, "time"), 1)
        try:
            with connect(self._settings) as client:
                found = database(client, self._settings)[STOCK_PRICES].find(where, fields)
                return {as_ms(one["time"]): one for one in found.sort("time", ASCENDING)}
        except PyMongoError as error:
            raise unavailable(self.address, error) from error
