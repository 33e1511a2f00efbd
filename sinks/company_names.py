"""The names of companies, as far as they are known."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from pymongo.errors import PyMongoError

from config import Settings
from sinks.documents import COMPANY_NAMES
from sinks.mongo import connect, database

log = logging.getLogger(__name__)


class CompanyNames(Mapping[str, str]):
    """Ticker to company name: a mapping that grows as names are learned, kept in MongoDB.

    Nothing depends on a name, so nothing here raises for want of one, or of MongoDB. Safe to use
    from any thread.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names: dict[str, str] = {}
        self._unsaved: dict[str, str] = {}
        self._saving = threading.Lock()

    def load(self, tickers: Iterable[str]) -> None:
        """Read the names that are stored. Blocking."""
        try:
            with connect(self._settings) as client:
                names = database(client, self._settings)[COMPANY_NAMES]
                for document in names.find({"_id": {"$in": list(tickers)}}):
                    # What was learned meanwhile is newer.
                    self._names.setdefault(document["_id"], document["name"])
        except PyMongoError as error:
            log.info("names of companies are not known yet: %s", error)

    def learn(self, ticker: str, name: str) -> None:
        """Know a name from now on, and store it. Blocking, where it is new."""
        with self._saving:
            if self._names.get(ticker) == name and ticker not in self._unsaved:
                return
            self._names[ticker] = self._unsaved[ticker] = name
            document = {"name": name, "updated": datetime.now(UTC)}
            try:
                with connect(self._settings) as client:
                    names = database(client, self._settings)[COMPANY_NAMES]
                    names.update_one({"_id": ticker}, {"$set": document}, upsert=True)
            except PyMongoError as error:
                # It is learned again with the next prices.
                log.debug("the name of %s was not stored: %s", ticker, error)
                return
            del self._unsaved[ticker]

    def __getitem__(self, ticker: str) -> str:
        return self._names[ticker]

    def __iter__(self) -> Iterator[str]:
        # Names may be learned meanwhile.
        return iter(list(self._names))

    def __len__(self) -> int:
        return len(self._names)
