"""One member of a consumer group in a thread of its own: read, store, commit, in this order.

An offset is committed only after MongoDB has acknowledged what stands before it. So a crash
anywhere reads some messages again, which changes nothing, because each document has one key.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pymongo.errors import PyMongoError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from broker import Broker
from config import Settings
from consuming.messages import COUNTED, Translator, bury_refused
from errors import BrokerUnavailable, ConfigurationError, StoreUnavailable
from sinks import MongoSink, Origin, Refusal, Sink, Write, coalesce
from sinks.indexes import ensure_indexes
from sinks.mongo import connect, database, unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
#: Topic and partition.
Place = tuple[str, int]

#: Most messages in one bulk, and most bytes of them.
BATCH, BATCH_BYTES = 1_000, 512 * 1024
#: How long to wait for a full batch, in seconds.
_POLL_S = 0.1

#: How long to wait for the group to let a member go, in seconds.
_LEAVE_S = 5.0

_OPTIONS: dict[str, Any] = {
    # The end of a partition is reported too: how else to know that nothing is missing from one
    # in which there is nothing to read.
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 200,
    "reconnect.backoff.max.ms": 1_000,
    "session.timeout.ms": 10_000,
    "heartbeat.interval.ms": 2_000,
    "queued.max.messages.kbytes": 32 * 1024,
}

_FORBIDDEN = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError._AUTHENTICATION,
)


@dataclass(frozen=True)
class Drain:
    """How far a thread still has to read before it ends, and for how long it may try.

    Attributes:
        ends: the offset to reach in each partition, if the partition is this thread's.
        limit_s: most seconds in all; 0 is the end.
        patience_s: most seconds without progress.
        since: when it was asked for (monotonic clock, seconds).
    """

    ends: Mapping[Place, int] = field(default_factory=dict)
    limit_s: float = 0.0
    patience_s: float = 0.0
    since: float = field(default_factory=time.monotonic)


class ConsumerThread:
    """Reads topics as a member of a group and stores what concerns some tickers.

    Args:
        settings: where Kafka and MongoDB are.
        group: the consumer group.
        tickers: whose messages are stored.
        topics: the names of the topics to read.

    Attributes:
        counts: messages stored so far, by kind.
        failure: what ended the thread before its time.
        complete: whether it ended having read and committed everything it was asked for.

    Raises:
        ConfigurationError: librdkafka does not take the Kafka settings together.
    """

    def __init__(
        self, settings: Settings, group: str, tickers: Collection[str], topics: Sequence[str]
    ) -> None:
        self.group = group
        self.tickers = frozenset(tickers)
        # All keys at once: others may look at it while it changes.
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self.failure: Exception | None = None
        self.complete = False
        self._settings = settings
        self._topics = list(topics)
        self._translator = Translator(tickers)
        self._topic_ids: dict[str, str] = {}
        #: Topics whose id was asked for; an old broker has none to give.
        self._identified: set[str] = set()
        self._drain: Drain | None = None
        #: The partitions that are ours; None while the group is sharing them out.
        self._assigned: set[Place] | None = None
        #: Up to where each of them is stored (or passed over); and what of it is not committed.
        self._positions: dict[Place, int] = {}
        self._uncommitted: dict[Place, int] = {}
        self._committing = False
        self._moved = time.monotonic()
        self._ended = threading.Event()
        try:
            with Broker(settings) as broker:
                self._consumer: Consumer = broker.consumer(
                    group, **_OPTIONS, on_commit=self._on_commit
                )
        except KafkaException as error:
            raise ConfigurationError(f"Kafka settings: {error.args[0].str()}") from error
        # A daemon: whoever forgets to stop it can still end the program, and nothing is lost.
        self._thread = threading.Thread(target=self._run, name=f"consume-{group}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def finish(self, drain: Drain) -> None:
        """Ask the thread to end; returns at once."""
        self._drain = drain

    def join(self) -> None:
        """Return once the thread has done what it was asked for, or failed."""
        self._ended.wait()
        # Without a broker, librdkafka takes leave of its group for as long as there is none.
        self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        try:
            self._insist(self._create_indexes)
            sink = MongoSink(self._settings, self._topic_ids)
            try:
                self._consume(sink)
            finally:
                sink.close()
        except Exception as error:
            self.failure = error
            # When `stop_consumers` raises it, it may be hours old.
            log.exception("%s: consuming ended", self.group)
        finally:
            self._ended.set()
            self._consumer.close()

    def _consume(self, sink: Sink) -> None:
        self._consumer.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke)
        while not self._finished():
            batch = self._consumer.consume(BATCH, _POLL_S)
            for messages in _portions([message for message in batch if message.error() is None]):
                self._store(sink, [_origin(message) for message in messages])
                for message in messages:
                    self._reached(message, message.offset() + 1)
            for message in batch:
                if message.error() is not None:
                    self._report(message)
            self._commit()

    def _store(self, sink: Sink, messages: Sequence[Origin]) -> None:
        self._learn_ids({message.topic for message in messages})
        bulk = self._translator.translate(messages)
        refused = self._write(sink, bulk.writes)
        self.counts.update(bulk.counts)
        if refused:
            letters = bury_refused(refused)
            self._write(sink, letters.writes)
            self.counts.update(letters.counts)

    def _learn_ids(self, topics: Collection[str]) -> None:
        """Ask for the ids of topics, at their first message: they may be made while we wait."""
        unknown = set(topics) - self._identified
        if unknown:
            with Broker(self._settings) as broker:
                self._topic_ids.update(broker.topic_ids(unknown))
            self._identified |= unknown

    def _write(self, sink: Sink, writes: Sequence[Write]) -> list[Refusal]:
        return [
            refusal
            for merged in coalesce(writes)
            for refusal in self._insist(partial(sink.write, merged))
        ]

    def _insist(self, call: Callable[[], T]) -> T:
        """Call until MongoDB answers, or until the time to end has come.

        Nothing is read meanwhile. Should that last longer than Kafka waits for a member, others
        take over, and what is stored here afterwards is stored twice, which is once.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_exponential_jitter(multiplier=0.1, max=5.0),
            stop=lambda _: self._out_of_time(),
            before_sleep=self._say,
            reraise=True,
        )
        return retrying(call)

    def _say(self, state: RetryCallState) -> None:
        # The first failure, then about once a minute.
        if state.attempt_number % 12 == 1:
            error = None if state.outcome is None else state.outcome.exception()
            log.warning("%s: %s; trying again, nothing is lost", self.group, error)

    def _create_indexes(self) -> None:
        try:
            with connect(self._settings) as client:
                ensure_indexes(database(client, self._settings), self._settings)
        except PyMongoError as error:
            raise unavailable(self._settings.mongodb_address, error) from error

    # -- offsets

    def _on_assign(self, _: Consumer, places: list[TopicPartition]) -> None:
        self._assigned = {(place.topic, place.partition) for place in places}
        self._moved = time.monotonic()

    def _on_revoke(self, _: Consumer, __: list[TopicPartition]) -> None:
        # All of them, at every change in the group; where to go on is known by what was committed.
        self._assigned = None
        self._positions.clear()
        self._uncommitted.clear()

    def _reached(self, message: Message, offset: int) -> None:
        place = (message.topic(), message.partition())
        if self._assigned is None or place not in self._assigned:
            return
        if self._positions.get(place) != offset:
            self._positions[place] = offset
            self._moved = time.monotonic()
            if message.error() is None:
                self._uncommitted[place] = offset

    def _report(self, message: Message) -> None:
        error = message.error()
        if error.code() == KafkaError._PARTITION_EOF:
            self._reached(message, message.offset())
        elif error.code() in _FORBIDDEN:
            raise ConfigurationError(
                f"not allowed to consume as group {self.group!r} ({error.str()}): check "
                "KAFKA_SASL_USERNAME and its rights"
            )
        elif error.fatal():
            raise BrokerUnavailable(self._settings.kafka_bootstrap_servers, error.str())
        else:
            # librdkafka mends these by itself.
            log.warning("%s: %s", self.group, error.str())

    def _commit(self) -> None:
        """Commit what is stored, without waiting: while no broker answers, that has no end."""
        if not self._uncommitted or self._committing:
            return
        offsets = [TopicPartition(*place, offset) for place, offset in self._uncommitted.items()]
        self._committing = True
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def _on_commit(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        # What could not be committed is tried again at the next turn.
        self._committing = False
        if error is not None:
            log.warning("%s: offsets not committed yet: %s", self.group, error.str())
            return
        for place in places:
            key = (place.topic, place.partition)
            if place.error is None and self._uncommitted.get(key) == place.offset:
                del self._uncommitted[key]

    # -- the end

    def _finished(self) -> bool:
        if self._drain is None:
            return False
        self.complete = self._drained(self._drain.ends)
        return self.complete or self._out_of_time()

    def _drained(self, ends: Mapping[Place, int]) -> bool:
        if self._assigned is None or self._uncommitted:
            return False
        mine = {place: ends.get(place, 0) for place in self._assigned}
        return all(end == 0 or self._positions.get(place, 0) >= end for place, end in mine.items())

    def _out_of_time(self) -> bool:
        if self._drain is None:
            return False
        since = self._drain.since
        moved = max(since, self._moved)
        return time.monotonic() >= min(since + self._drain.limit_s, moved + self._drain.patience_s)


def _portions(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Yield the messages in portions of bounded size: one may hold 500 bars."""
    start = held = 0
    for number, message in enumerate(messages):
        size = len(message)
        if held and held + size > BATCH_BYTES:
            yield messages[start:number]
            start, held = number, 0
        held += size
    if messages:
        yield messages[start:]


def _origin(message: Message) -> Origin:
    return Origin(
        message.topic(), message.partition(), message.offset(), message.key(), message.value()
    )
