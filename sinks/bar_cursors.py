"""How far a source of bars has fetched each ticker, interval by interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from config import Settings
from sinks.cursors import Cursors
from sinks.documents import SOURCE_CURSORS, STOCK_PRICES, as_date, as_ms
from sinks.mongo import connect, database, unavailable


class BarCursors(Cursors):
    """Cursors of one interval: an hour's bar says nothing of how far the days' bars are.

    A ticker without a cursor starts after its last stored bar, where enough of them are stored.
    They are kept as those of the source ``yahoo 1d``.

    Args:
        settings: where MongoDB is.
        interval: length of the bars.
        enough: so many closed bars in MongoDB need no others before the next one.
    """

    def __init__(self, settings: Settings, interval: str, enough: int) -> None:
        super().__init__(settings)
        self._interval = interval
        self._enough = enough
        self._bars = database(self._client, settings)[STOCK_PRICES]

    def load(self, source: str, keys: Sequence[str]) -> dict[str, int]:
        """Return the cursors of ``keys``; see :meth:`Cursors.load`."""
        found = super().load(self._name(source), keys)
        try:
            for key in keys:
                if key not in found and (last := self._last_stored(source, key)) is not None:
                    found[key] = last
        except PyMongoError as error:
            raise unavailable(self.address, error) from error
        return found

    def save(self, source: str, since: Mapping[str, int]) -> None:
        """Move cursors forward; see :meth:`Cursors.save`."""
        super().save(self._name(source), since)

    def _name(self, source: str) -> str:
        return f"{source} {self._interval}"

    def _last_stored(self, source: str, ticker: str) -> int | None:
        """Return the time of the last stored bar, ms; None if there are not enough."""
        where = {"ticker": ticker, "interval": self._interval, "closed": True, "source": source}
        if self._bars.count_documents(where, limit=self._enough) < self._enough:
            return None
        last = self._bars.find_one(where, {"time": 1}, sort=[("time", DESCENDING)])
        return None if last is None else as_ms(last["time"])


class HistoryMarks:
    """What was found out about the beginning of each ticker's history.

    Kept beside the cursors: ``asked`` is from where the source was asked, ``since`` the first bar
    that it had, so that what never was is not asked for in every run.
    """

    def __init__(self, settings: Settings, source: str, interval: str) -> None:
        self._address = settings.mongodb_address
        self._settings = settings
        self._source = f"{source} {interval} history"

    def load(self, ticker: str) -> tuple[int, int] | None:
        """Return from where a ticker was asked for, and its first bar, ms; None if it never was.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        try:
            with connect(self._settings) as client:
                marks = database(client, self._settings)[SOURCE_CURSORS]
                found = marks.find_one({"_id": f"{self._source}|{ticker}"})
        except PyMongoError as error:
            raise unavailable(self._address, error) from error
        return None if found is None else (as_ms(found["asked"]), as_ms(found["since"]))

    def save(self, ticker: str, asked: int, first: int) -> None:
        """Note where a ticker's history begins, ms.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        mark = {
            "source": self._source,
            "key": ticker,
            "asked": as_date(asked),
            "since": as_date(first),
        }
        try:
            with connect(self._settings) as client:
                marks = database(client, self._settings)[SOURCE_CURSORS]
                marks.update_one({"_id": f"{self._source}|{ticker}"}, {"$set": mark}, upsert=True)
        except PyMongoError as error:
            raise unavailable(self._address, error) from error
