"""The place where contestants meet: servers of its own, one topic of bars, a database each."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from confluent_kafka import TopicPartition
from pymongo.database import Database

from benchmarks import workload
from benchmarks.documents import COLLECTION
from benchmarks.forms import USUAL, Form
from benchmarks.process import Process
from benchmarks.protocol import Task
from broker import Broker
from config import Settings, read_settings
from embedded import stack
from indicators import DEFAULT_SPEC
from sinks.base import Document
from sinks.indexes import ensure_indexes
from sinks.mongo import connect, database
from topics import ALL_TOPICS, STOCK_PRICES, TECHNICAL_INDICATORS

PARTITIONS = 4

#: Between two looks at the number of documents, in seconds: the resolution of every end.
LOOK_S = 0.02
#: A contestant that stores nothing for so long has failed, in seconds.
PATIENCE_S = 60.0


class Arena:
    """Servers, and what is prepared on them for each contestant.

    Args:
        kafka: address of the broker.
        mongodb: connection string.
        directory: for the contestants' files and logs.
        partitions: of every topic.
    """

    def __init__(
        self, kafka: str, mongodb: str, directory: Path, partitions: int = PARTITIONS
    ) -> None:
        self.directory = directory
        self.settings: Settings = read_settings(
            kafka_bootstrap_servers=kafka,
            mongodb_uri=mongodb,
            topic_partitions=partitions,
            # Whatever somebody's environment says: the program is measured as it is shipped.
            indicators=DEFAULT_SPEC,
            tickers=(),
            price_source="none",
            news_source="none",
        )
        self.broker = Broker(self.settings)
        self.client = connect(self.settings)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def refill(self, tickers: int, bars: int, form: Form = USUAL) -> None:
        """Make all topics anew, and put the bars on ``stock-prices``."""
        self.broker.delete_topics(spec.name for spec in ALL_TOPICS)
        self.broker.ensure_topics()
        workload.produce(self.settings, STOCK_PRICES.name, tickers, bars, form=form)

    def task(
        self,
        name: str,
        *,
        tickers: int,
        bars: int,
        timed: int | None = None,
        eager: bool = False,
        publish: bool = True,
        form: Form = USUAL,
    ) -> Task:
        """Return a task with a group, a database and a folder that nobody had before.

        Args:
            name: of the contestant.
            tickers: how many tickers the bars are of.
            bars: how many there are.
            timed: how many count; all of them unless told otherwise.
            eager: whether latency counts and not the rate.
            publish: whether it then publishes snapshots as well.
            form: how the bars look.
        """
        unique = f"bench-{uuid.uuid4().hex[:6]}-{name}".replace("_", "-")
        directory = self.directory / unique
        directory.mkdir(parents=True)
        ensure_indexes(self.client[unique], self.settings)
        return Task(
            kafka=self.settings.kafka_bootstrap_servers,
            mongodb=self.settings.mongodb_uri.get_secret_value(),
            database=unique,
            group=unique,
            topic=STOCK_PRICES.name,
            out_topic=TECHNICAL_INDICATORS.name if eager and publish else None,
            bars=bars,
            tickers=tickers,
            timed=bars if timed is None else timed,
            directory=str(directory),
            eager=eager,
            form=form.name,
        )

    def database(self, task: Task) -> Database[Document]:
        """The database of a task."""
        own = self.settings.model_copy(update={"mongodb_database": task.database})
        return database(self.client, own)

    def drop(self, task: Task) -> None:
        """Forget the documents of a task."""
        self.client.drop_database(task.database)

    def begin_at_end(self, group: str, topics: Iterable[str]) -> None:
        """Let a group start behind what these topics hold already."""
        ends = self.broker.end_offsets(topics)
        places = [TopicPartition(topic, part, offset) for (topic, part), offset in ends.items()]
        consumer = self.broker.consumer(group)
        consumer.commit(offsets=places, asynchronous=False)
        consumer.close()

    def documents(self, task: Task, collection: str = COLLECTION) -> int:
        """How many documents, of bars unless told otherwise, are readable now."""
        found: int = self.client[task.database][collection].estimated_document_count()
        return found

    def wait_documents(
        self,
        task: Task,
        count: int,
        process: Process,
        watch: Callable[[int], Any] | None = None,
        collection: str = COLLECTION,
    ) -> float:
        """Return the moment (perf_counter) at which ``count`` documents are readable.

        Args:
            task: whose documents.
            count: how many.
            process: the contestant's, which must not end badly meanwhile.
            watch: called with the number of documents at every look.
            collection: where they are.

        Raises:
            ContestantFailed: it ended, or stood still for :data:`PATIENCE_S`.
        """
        last, moved = -1, perf_counter()
        while True:
            found = self.documents(task, collection)
            now = perf_counter()
            if watch is not None:
                watch(found)
            if found >= count:
                return now
            process.check()
            if found > last:
                last, moved = found, now
            elif now - moved > PATIENCE_S:
                raise process.failure(f"stands still at {found:,} of {count:,} documents")
            time.sleep(LOOK_S)

    def wait_committed(self, task: Task, process: Process) -> float:
        """Return the moment (perf_counter) at which the group has committed the whole topic.

        Raises:
            ContestantFailed: it ended, or did not within :data:`PATIENCE_S`.
        """
        deadline = perf_counter() + PATIENCE_S
        while any(self.broker.lag(task.group, [task.topic]).values()):
            process.check()
            if perf_counter() > deadline:
                raise process.failure("has stored everything, but does not commit it")
            time.sleep(LOOK_S)
        return perf_counter()


@contextmanager
def arena() -> Iterator[Arena]:
    """Start servers in a temporary folder; stop and delete them afterwards, also at SIGTERM."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    directory = Path(tempfile.mkdtemp(prefix="financial-trends-bench-"))
    try:
        servers = stack.up(directory, usual_ports=False)
        if servers.kafka is None or servers.mongodb is None:
            raise RuntimeError("stack.up() starts both servers unless told otherwise")
        place = Arena(servers.kafka.address, servers.mongodb.uri, directory / "contestants")
        try:
            yield place
        finally:
            place.close()
    finally:
        stack.reset(directory)
        shutil.rmtree(directory)
