"""Asks the sources, and sends what they bring: the only timers of the program.

A worker polls the keys whose partition it owns, outside rebalance and recovery, so adding a worker
spreads polling too. A fetch in flight may overlap a handover once; business keys absorb that.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from faust import Record

from errors import SourceUnavailable, StoreUnavailable
from monitoring.instruments import SourceMeter
from sinks.cursors import Cursors
from sources.base import BarProvider, Source, UnknownKeys, cursors
from topics import TopicSpec
from transport import BatchingApp
from transport.outbox import send_batches

log = logging.getLogger(__name__)

#: Longest wait for one answer of a source, in seconds.
FETCH_TIMEOUT_S = 30.0

#: Keys whose past is fetched at once.
WARM_AT_ONCE = 20

#: Longest pause after failures in a row, in seconds.
LONGEST_PAUSE_S = 60.0

#: How often to look for keys that came to this worker, in seconds: an interval may be an hour.
LOOK_S = 0.2

#: Bytes encoded and on their way at once: a poll may bring hundreds of thousands of records.
PORTION_BYTES = 1_000_000

#: What can go wrong in a poll and right in the next one.
PASSING = (SourceUnavailable, StoreUnavailable, KafkaError, TimeoutError)


class Schedule:
    """Polls one source for the keys that this worker owns.

    A key that comes to this worker, by a rebalance or because it is followed from now on, is polled
    at once, then together with the others.

    Args:
        app: sends the records, and knows the partitions owned.
        source: what is polled, every ``source.interval`` seconds.
        keys: says at every look which keys to follow, whoever owns them.
        partition_of: the partition of a key.
        progress: where it is kept how far the source has fetched each key.
    """

    def __init__(
        self,
        app: BatchingApp,
        source: Source,
        keys: Callable[[], Iterable[str]],
        partition_of: Callable[[str], int],
        progress: Cursors,
    ) -> None:
        self.app: Any = app
        self.source = source
        self._keys = keys
        self._partition_of = functools.lru_cache(maxsize=None)(partition_of)
        self._progress = progress
        self._meter = SourceMeter(source.name, source.interval)
        self._since: dict[str, int] = {}
        self._unsaved: dict[str, int] = {}
        #: Keys that this worker polls, with the ids of what it sent of each at the last poll.
        self._known: dict[str, frozenset[str]] = {}
        #: Keys that the source does not have.
        self._absent: set[str] = set()
        #: Without a cursor, and not to be warmed up again: the source has no more.
        self._warm: set[str] = set()
        #: Those that could not be warmed up, and were complained of.
        self._cold: set[str] = set()

    async def run(self) -> None:
        """Poll until the app stops."""
        failures, due = 0, time.monotonic()
        try:
            while not self.app.should_stop:
                owned, wait = self.owned(), due - time.monotonic()
                self._meter.owns(bool(owned))
                if wait > 0:
                    # Newcomers do not wait for the others, unless the source is in trouble.
                    owned = [] if failures else [key for key in owned if key not in self._known]
                if not owned:
                    await self.app.sleep(min(LOOK_S, wait) if wait > 0 else LOOK_S)
                    continue
                try:
                    await self.poll(owned)
                    self._meter.succeeded()
                    failures = 0
                except PASSING as error:
                    self._meter.failed()
                    failures += 1
                    if failures in (1, 10) or failures % 100 == 0:
                        log.warning("source %s: %s; trying again", self.source.name, error)
                except Exception:
                    # A provider may say what nobody has foreseen, in a library as well: that must
                    # not end the worker, with its agents and all other sources.
                    failures += 1
                    log.exception("source %s: failed; trying again", self.source.name)
                if wait <= 0 or failures:
                    pause = self.source.interval * 2 ** min(failures, 10)
                    due = time.monotonic() + min(pause, max(LONGEST_PAUSE_S, self.source.interval))
        finally:
            await self.source.close()
            self._progress.close()

    def owned(self) -> list[str]:
        """Return the keys whose partition is this worker's now; none in a rebalance."""
        if self.app.rebalancing or self.app.in_recovery:
            return []
        topic = self.source.topic.name
        mine = {tp.partition for tp in self.app.consumer.assignment() if tp.topic == topic}
        wanted = dict.fromkeys(self._keys())
        # Who stops following a key and starts again has it asked for again.
        self._absent &= wanted.keys()
        owned = [
            key for key in wanted if key not in self._absent and self._partition_of(key) in mine
        ]
        self._known = {key: self._known[key] for key in owned if key in self._known}
        return owned

    async def poll(self, keys: Sequence[str]) -> int:
        """Fetch once for ``keys``, send what is new, and note how far that was.

        Returns:
            How many records the broker acknowledged.

        Raises:
            SourceUnavailable, StoreUnavailable, KafkaError, TimeoutError: nothing is lost; what was
                not acknowledged is fetched again.
        """
        await self._learn(keys)
        try:
            keys = await self._warmed_up(keys)
            since = {key: self._since[key] for key in keys if key in self._since}
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                records = await self.source.fetch(keys, since)
        except UnknownKeys as error:
            log.warning("%s; following the others", error)
            self._absent.update(error.keys)
            others = [key for key in keys if key not in error.keys]
            return await self.poll(others) if others and len(others) < len(keys) else 0
        return await self._deliver(records)

    async def _deliver(self, records: Sequence[Record]) -> int:
        """Send what is new, note how far that was, and return how many records it was."""
        codec = self.source.topic.codec
        key_field = codec.key if codec is not None else "ticker"
        fresh = [record for record in records if not self._was_sent(record, key_field)]
        await self.send(fresh)
        self._meter.sent(len(fresh))
        self._remember(records, key_field)
        moved = cursors(records, key_field)
        # Never back: a source may bring a revision of something older.
        for name, time_ms in moved.items():
            self._since[name] = self._unsaved[name] = max(time_ms, self._since.get(name, time_ms))
        await asyncio.to_thread(self._progress.save, self.source.name, dict(self._unsaved))
        self._unsaved.clear()
        return len(fresh)

    async def _warmed_up(self, keys: Sequence[str]) -> list[str]:
        """Return the keys that may be followed: past bars of the others have to come first."""
        if isinstance(self.source, BarProvider):
            cold = [key for key in keys if key not in self._since and key not in self._warm]
            for start in range(0, len(cold), WARM_AT_ONCE):
                await self._warm_up(self.source, cold[start : start + WARM_AT_ONCE])
            warm = [key for key in keys if key in self._since or key in self._warm]
            if not warm:
                raise SourceUnavailable(f"no past of {', '.join(cold[:3])} to begin with")
            return warm
        return list(keys)

    async def _warm_up(self, source: BarProvider, keys: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                found = await source.warm_up(keys)
        except UnknownKeys:
            raise
        except (SourceUnavailable, TimeoutError) as error:
            # The others go on without them; they are asked for again with each poll.
            if not self._cold >= set(keys):
                log.warning("source %s: not followed yet: %s", source.name, error)
            self._cold |= set(keys)
            return
        for key, bars in found.items():
            await self._deliver(bars)
            self._warm.add(key)
            self._cold.discard(key)
            log.info("source %s: %s: %d bars warm it up", source.name, key, len(bars))

    async def _learn(self, keys: Iterable[str]) -> None:
        """Read the cursors of keys that came to this worker since the last poll."""
        new = [key for key in keys if key not in self._known]
        if new:
            found = await asyncio.to_thread(self._progress.load, self.source.name, new)
            self._since.update(found)
            self._known.update(dict.fromkeys(new, frozenset()))

    def _was_sent(self, record: Record, key_field: str) -> bool:
        """Whether the last poll sent it: a source whose provider is late repeats what is young."""
        number = getattr(record, "id", None)
        return number is not None and number in self._known.get(getattr(record, key_field), ())

    def _remember(self, records: Iterable[Record], key_field: str) -> None:
        ids: dict[str, set[str]] = defaultdict(set)
        for record in records:
            if (number := getattr(record, "id", None)) is not None:
                ids[getattr(record, key_field)].add(number)
        # What no longer comes will not come again; a key that failed has its turn later.
        for key, numbers in ids.items():
            if key in self._known:
                self._known[key] = frozenset(numbers)

    async def send(self, records: Iterable[Record], topic: TopicSpec | None = None) -> None:
        """Send records, to the source's topic unless told otherwise; returns once acknowledged.

        A portion at a time: Kafka's pace is the sender's, and others have their turn in between.

        Raises:
            KafkaError: they were not all acknowledged.
        """
        topic = topic or self.source.topic
        codec = topic.codec
        if codec is None:
            raise TypeError(f"topic {topic.name} has no Record that a source could send")
        portion: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        size = 0
        for record in records:
            key, value = codec.encode_key(record), codec.encode(record)
            portion[self._partition_of(key.decode())].append((key, value))
            size += len(value)
            if size >= PORTION_BYTES:
                await self._send_portion(topic.name, portion)
                portion.clear()
                size = 0
        await self._send_portion(topic.name, portion)

    async def _send_portion(
        self, topic: str, portion: Mapping[int, Sequence[tuple[bytes, bytes]]]
    ) -> None:
        """Return once the messages of each partition are acknowledged."""
        sent: list[Any] = []
        for partition, messages in portion.items():
            sent += await send_batches(self.app, topic, partition, messages)
        await asyncio.gather(*sent)
