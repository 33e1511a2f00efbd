"""What all agents of a worker share: where they store, what they send, what they count."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence

from aiokafka.partitioner import murmur2
from faust.types import AppT

from config import Settings
from models import OURSELVES
from models.dead_letter import dead_letter, encode
from sinks import MongoSink, Origin, Refusal, Sink, Write, Writer
from sinks.documents import dead_letter_write
from topics import DEAD_LETTERS
from transport import BatchingApp, Outbox

#: What this program's own messages carry, so that it knows them without decoding them.
OUR_HEADERS = (("source", OURSELVES.encode()),)


class Services:
    """Shared by the agents of one worker.

    Attributes:
        counts: what happened, by (agent, what): ``received``, ``applied``, ``late``, ``dead``...
    """

    def __init__(self, app: BatchingApp, settings: Settings) -> None:
        self.app: AppT = app
        self.settings = settings
        #: Filled before the first message, by the app.
        self.topic_ids: dict[str, str] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.outbox = Outbox(app, list(OUR_HEADERS))
        self._checkpoints = app.checkpoints
        self._writers: list[Writer] = []
        self._sinks: list[Sink] = []

    def writer(self, agent: str, sink: Sink | None = None) -> Writer:
        """Return a writer for one agent, which checkpoints wait for."""
        if sink is None:
            sink = MongoSink(self.settings, self.topic_ids)
        self._sinks.append(sink)
        writer = Writer(sink, agent, lambda refused: self._bury(refused, agent))
        self._writers.append(writer)
        self._checkpoints.register_store(writer)
        return writer

    def partition_of(self, key: str) -> int:
        """Return the partition that a key belongs to, as Kafka's default partitioner says."""
        return partition_of(key, self.settings.topic_partitions)

    def dead(self, origin: Origin, error: str, agent: str) -> Write:
        """Send a message to the dead letters; returns the write that keeps it whole."""
        self.counts[agent, "dead"] += 1
        letter = dead_letter(*origin, error=error, agent=agent)
        key = f"{origin.topic}|{origin.partition}|{origin.offset}"
        # Not from the cache: each of these keys is there once, and would drive out the tickers.
        partition = partition_of.__wrapped__(key, self.settings.topic_partitions)
        self.outbox.add(DEAD_LETTERS.name, partition, key.encode(), encode(letter))
        return dead_letter_write(origin, error=error, agent=agent, time_ms=letter.time)

    def close(self) -> None:
        """Stop the writers and close their connections."""
        for writer in self._writers:
            writer.close()
        for sink in self._sinks:
            sink.close()

    def _bury(self, refused: Sequence[Refusal], agent: str) -> list[Write]:
        reasons: dict[Origin, str] = {}
        for refusal in refused:
            for origin in refusal.write.origins:
                # Of one message there may be many documents.
                reasons.setdefault(origin, refusal.reason)
        letters = [self.dead(origin, reason, agent) for origin, reason in reasons.items()]
        self.outbox.post()
        return letters


@functools.lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition of ``key`` among ``partitions``, by Kafka's murmur2."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions
