"""A sink that keeps documents in memory, by the same rules as MongoDB: for tests and trials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sinks.base import Document, Mode, Refusal, Sink, Write, how_far


class MemorySink(Sink):
    """Keeps ``collections[name][id] = document``."""

    def __init__(self) -> None:
        self.collections: dict[str, dict[str, Document]] = defaultdict(dict)

    def write(self, writes: Sequence[Write]) -> list[Refusal]:
        """Store ``writes`` (see :class:`sinks.base.Sink`)."""
        for write in writes:
            self._write(self.collections[write.collection], write)
        return []

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, collection: dict[str, Document], write: Write) -> None:
        document = collection.get(write.id)
        if document is None:
            if write.mode is not Mode.UPDATE_ONLY:
                collection[write.id] = dict(write.document)
            return
        if write.mode is Mode.INSERT_ONLY:
            return
        if write.mode is Mode.UNLESS_CLOSED and document.get("closed") is True:
            return
        if write.mode is Mode.FORWARD:
            if "time" in document and how_far(write.document) >= how_far(document):
                collection[write.id] = dict(write.document)
            return
        indicators = document.get("indicators", {}) | write.document.get("indicators", {})
        document.update(write.document)
        if indicators:
            document["indicators"] = indicators
