"""A sink with eyes: what the contract's tests write to, and look at."""

from __future__ import annotations

from typing import Any, Protocol

from pymongo.database import Database

from sinks import MemorySink, Sink
from sinks.base import Document

#: Ids of the topics that documents come from.
IDS = {"t": "first-id", "u": "u-id"}


class Store(Protocol):
    """A sink under test, the ids of topics that it knows, and the documents in it."""

    @property
    def ids(self) -> dict[str, str]:
        """The ids, which may be changed."""

    @property
    def sink(self) -> Sink:
        """What is tested."""

    def documents(self, collection: str) -> dict[str, Document]:
        """Return the documents of a collection by their id."""


class MemoryStore:
    """MemorySink, seen from inside."""

    def __init__(self) -> None:
        self.ids = dict(IDS)
        self.sink = MemorySink(self.ids)

    def documents(self, collection: str) -> dict[str, Document]:
        """Return what the sink keeps."""
        return dict(self.sink.collections.get(collection, {}))


class MongoStore:
    """MongoSink, seen through a client of its own."""

    def __init__(self, sink: Sink, ids: dict[str, str], database: Database[dict[str, Any]]) -> None:
        self.sink = sink
        self.ids = ids
        self.database = database

    def documents(self, collection: str) -> dict[str, Document]:
        """Return what MongoDB keeps."""
        found = {}
        for document in self.database[collection].find():
            found[document.pop("_id")] = document
        return found
