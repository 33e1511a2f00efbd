"""What is observed while the work is done: once a batch, a bulk, a checkpoint or a poll.

Never once a message: a message takes about 40 us, and an observation about 1 us of them.
"""

from __future__ import annotations

import time
from typing import ClassVar

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

# When a series began, as series of its own, is of no use to anybody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

#: All metrics of this process; the usual global one would take in those of libraries.
REGISTRY = CollectorRegistry()

ProcessCollector(registry=REGISTRY)

BATCH_MESSAGES = Histogram(
    "financial_trends_batch_messages",
    "Messages in one batch: what a fetch brought of one partition.",
    ["agent"],
    buckets=(1, 3, 10, 30, 100, 300, 1_000),
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "financial_trends_batch_seconds",
    "Time to decode and apply one batch, without the wait for the store.",
    ["agent"],
    buckets=(0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
    registry=REGISTRY,
)
STORE_WAIT_SECONDS = Counter(
    "financial_trends_store_wait_seconds",
    "Time that batches waited because MongoDB was behind.",
    ["agent"],
    registry=REGISTRY,
)
CHECKPOINT_SECONDS = Histogram(
    "financial_trends_checkpoint_seconds",
    "Time of one checkpoint, from its cut to the commit.",
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
    registry=REGISTRY,
)
MONGODB_WRITE_SECONDS = Histogram(
    "financial_trends_mongodb_write_seconds",
    "Time until MongoDB acknowledged one bulk.",
    ["agent"],
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
    registry=REGISTRY,
)
MONGODB_DOCUMENTS = Counter(
    "financial_trends_mongodb_documents",
    "Documents that MongoDB acknowledged.",
    ["agent"],
    registry=REGISTRY,
)
MONGODB_RETRIES = Counter(
    "financial_trends_mongodb_retries",
    "Bulks that had to be sent again, because MongoDB did not answer.",
    ["agent"],
    registry=REGISTRY,
)
SOURCE_POLLS = Counter(
    "financial_trends_source_polls",
    "Polls of a source that succeeded.",
    ["source"],
    registry=REGISTRY,
)
SOURCE_ERRORS = Counter(
    "financial_trends_source_errors",
    "Polls of a source that failed.",
    ["source"],
    registry=REGISTRY,
)
SOURCE_RECORDS = Counter(
    "financial_trends_source_records",
    "Records that a source brought and Kafka acknowledged.",
    ["source"],
    registry=REGISTRY,
)
RATE_LIMITS = Counter(
    "financial_trends_source_rate_limits",
    "Times that a provider asked for a pause.",
    ["source"],
    registry=REGISTRY,
)
RATE_LIMIT_WAIT_SECONDS = Counter(
    "financial_trends_source_rate_limit_wait_seconds",
    "Length of the pauses that a provider asked for.",
    ["source"],
    registry=REGISTRY,
)


def rate_limited(source: str, seconds: float) -> None:
    """Count that a provider asked for a pause of so many seconds; 0 where it did not say."""
    RATE_LIMITS.labels(source).inc()
    RATE_LIMIT_WAIT_SECONDS.labels(source).inc(seconds)


class BatchMeter:
    """Measures the batches of one agent.

    Args:
        agent: its name.
    """

    def __init__(self, agent: str) -> None:
        self._messages = BATCH_MESSAGES.labels(agent)
        self._seconds = BATCH_SECONDS.labels(agent)
        self._waited = STORE_WAIT_SECONDS.labels(agent)

    def took(self, messages: int, waited_s: float, seconds: float) -> None:
        """Note one batch: its messages, how long it waited for the store, and how long it took."""
        self._messages.observe(messages)
        self._waited.inc(waited_s)
        self._seconds.observe(seconds)


class WriteMeter:
    """Measures the bulks of one writer.

    Args:
        agent: whose writer.
    """

    def __init__(self, agent: str) -> None:
        self._seconds = MONGODB_WRITE_SECONDS.labels(agent)
        self._documents = MONGODB_DOCUMENTS.labels(agent)
        self._retries = MONGODB_RETRIES.labels(agent)

    def stored(self, documents: int, seconds: float) -> None:
        """Note a bulk that was acknowledged."""
        self._seconds.observe(seconds)
        self._documents.inc(documents)

    def failed(self) -> None:
        """Note a bulk that has to be sent again."""
        self._retries.inc()


class SourceMeter:
    """Measures the polls of one source, and knows how old its news are.

    Args:
        source: its name.
        interval_s: seconds between two polls.

    Attributes:
        all: those of this process; a source may be there several times, for several intervals.
    """

    all: ClassVar[list[SourceMeter]] = []

    def __init__(self, source: str, interval_s: float) -> None:
        self.source = source
        self.interval_s = interval_s
        self._polls = SOURCE_POLLS.labels(source)
        self._errors = SOURCE_ERRORS.labels(source)
        self._records = SOURCE_RECORDS.labels(source)
        # There from the start: a rate begins with the second value of a series.
        RATE_LIMITS.labels(source)
        RATE_LIMIT_WAIT_SECONDS.labels(source)
        self._fresh_at: float | None = None
        self.all.append(self)

    def age_s(self) -> float | None:
        """Return seconds since the last poll that succeeded, or since there was a key to poll.

        None while this worker owns no key of the source.
        """
        return None if self._fresh_at is None else time.monotonic() - self._fresh_at

    def owns(self, anything: bool) -> None:
        """Note whether this worker has anything to poll."""
        if not anything:
            self._fresh_at = None
        elif self._fresh_at is None:
            self._fresh_at = time.monotonic()

    def succeeded(self) -> None:
        """Note a poll that succeeded."""
        self._polls.inc()
        self._fresh_at = time.monotonic()

    def failed(self) -> None:
        """Note a poll that failed."""
        self._errors.inc()

    def sent(self, records: int) -> None:
        """Note records that Kafka acknowledged."""
        self._records.inc(records)
