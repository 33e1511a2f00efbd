"""A full topic is fetched again as soon as there is room, whatever comes or does not elsewhere."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from transport.batch import Batch
from transport.consumer import MOST_OUTSTANDING, BatchingConsumer
from transport.offsets import Offsets

FULL, QUIET = TP("stock-prices", 0), TP("financial-news", 0)


class Fetching:
    """What `_fetch` needs of a consumer: two topics, the first of which has no room."""

    epoch = 0
    flow_active = True
    _wait_for_room = BatchingConsumer._wait_for_room

    def __init__(self) -> None:
        self.offsets = Offsets()
        self._thread = SimpleNamespace(positions={})
        self._room = asyncio.Event()
        self._behind = False
        #: The partitions of each fetch, and whether it would have waited for messages.
        self.fetches: list[tuple[set[TP], bool]] = []
        #: Whether a batch of the full topic is done while a fetch is under way.
        self.done_meanwhile = False
        #: What a fetch brings.
        self.brought: dict[TP, list[str]] = {}
        for offset in range(MOST_OUTSTANDING):
            self.offsets.delivered(FULL, offset + 1)

    def _get_active_partitions(self) -> set[TP]:
        return {FULL, QUIET}

    async def _getmany(self, active_partitions: set[TP], timeout: float) -> Any:  # noqa: ASYNC109 - Faust's own
        self.fetches.append((active_partitions, timeout > 0))
        if self.done_meanwhile:
            self.done()
        return self.brought

    def done(self) -> None:
        """The agent of the full topic is through with a batch."""
        record: Any = SimpleNamespace(offset=0)
        consumer: Any = self
        BatchingConsumer.batch_done(consumer, Batch(consumer, FULL, [record], epoch=0))


async def test_room_ends_the_wait_for_other_topics() -> None:
    consumer: Any = Fetching()
    consumer.done_meanwhile = True
    assert await BatchingConsumer._fetch(consumer) == {}
    assert consumer.fetches == [({QUIET}, False)]
    assert consumer._room.is_set(), "it waited for its whole time"
    await BatchingConsumer._fetch(consumer)
    assert consumer.fetches[1:] == [({FULL, QUIET}, True)]


async def test_messages_of_other_topics_are_delivered_meanwhile() -> None:
    consumer: Any = Fetching()
    consumer.brought = {QUIET: ["a story"]}
    assert await BatchingConsumer._fetch(consumer) == {QUIET: ["a story"]}
    assert consumer._behind
