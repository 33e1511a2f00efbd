"""A sink that keeps documents in memory, by the same rules as MongoDB: for tests and trials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sinks.base import (
    FORWARDS,
    POSITIONS,
    Document,
    Mode,
    Refusal,
    Sink,
    TopicIds,
    Write,
    is_newer,
    positions,
)


class MemorySink(Sink):
    """Keeps ``collections[name][id] = document``.

    Args:
        ids: an id of every topic that documents come from.
    """

    def __init__(self, ids: TopicIds | None = None) -> None:
        self._ids: TopicIds = {} if ids is None else ids
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
        ours = positions(write.origins, self._ids)
        if document is None:
            if write.mode is not Mode.UPDATE_ONLY:
                place = {POSITIONS: ours} if ours else {}
                collection[write.id] = dict(write.document) | place
            return
        if write.mode is Mode.INSERT_ONLY:
            return
        if write.mode is Mode.UNLESS_CLOSED and document.get("closed") is True:
            return
        if write.mode in FORWARDS:
            stored = document.get("time"), document.get("version")
            if "time" in document and write.how_far() >= stored:
                collection[write.id] = dict(write.document)
            return
        held = document.get(POSITIONS, {})
        if is_newer(held, ours):
            return
        if ours:
            document[POSITIONS] = held | ours
        indicators = document.get("indicators", {}) | write.document.get("indicators", {})
        document.update(write.document)
        if indicators:
            document["indicators"] = indicators
