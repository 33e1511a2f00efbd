"""The steps of the check, one after the other; each adds its rows to the report."""

from __future__ import annotations

from collections.abc import Mapping

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from broker import Broker
from config import Settings
from errors import BrokerUnavailable, FinancialTrendsError, InvalidRecord
from integration_check.groups import Groups, Offsets
from integration_check.options import Options
from integration_check.report import Report
from integration_check.samples import Document, Expected, Run, Sample, bad_bar, samples
from kafka_consumer import StockDataConsumer, group_name
from kafka_producer import FinancialDataProducer
from models import INTEGRATION_TEST
from sinks.documents import as_date
from sinks.mongo import connect, database
from topics import ALL_TOPICS, DATA_TOPICS, TopicSpec, ticker_topic

#: How long a worker beside may take to store the test data, in seconds.
WORKER_PATIENCE_S = 15.0
#: Test data of earlier runs are removed, too, if nobody can be waiting for them any more.
_LEFTOVER_MS = 3_600_000


class Steps:
    """Everything that is done to one pair of servers.

    Args:
        settings: where they are.
        options: what to do, and for which tickers.
        report: receives the rows.
    """

    def __init__(self, settings: Settings, options: Options, report: Report) -> None:
        self.settings = settings
        self.options = options
        self.report = report
        self.run = Run()
        self.samples = samples(self.run, options.tickers)
        self._prefix = f"{settings.app_id}-{INTEGRATION_TEST}-{self.run.name}"
        self._group = group_name(self._prefix, options.tickers)
        self._before: Offsets = {}
        self._published = False
        #: Why it is of no use to ask Kafka again: every question would take as long to fail.
        self._gone: BrokerUnavailable | None = None
        self._client: MongoClient[Document] = connect(settings)
        self._database: Database[Document] = database(self._client, settings)

    def close(self) -> None:
        """Give up the connections."""
        self._client.close()

    def go(self) -> None:
        """Make all checks that were not skipped."""
        self._create_topics()
        self._start_at_the_end()
        self._publish()
        self._consume_and_verify()

    # -- topics

    def _create_topics(self) -> None:
        check = "topics exist"
        if self.options.skip_topics:
            self.report.skip(check, "--skip-topics")
            return
        views = self._views()
        wanted = [spec.name for spec in ALL_TOPICS] + list(views)
        partitions = self.settings.topic_partitions
        expected = f"{len(wanted)} topics of {partitions} partitions"
        try:
            with Broker(self.settings) as broker:
                created = broker.ensure_topics(views=views)
                existing = broker.partitions()
        except FinancialTrendsError as error:
            self.report.add(check, expected, error, ok=False)
            return
        missing = [name for name in wanted if name not in existing]
        found = f"{len(wanted) - len(missing)} topics, {len(created)} of them new"
        if missing:
            found += f"; missing: {', '.join(missing)}"
        self.report.add(check, expected, found, ok=not missing)

    def _views(self) -> dict[str, TopicSpec]:
        if not self.settings.topic_per_ticker:
            return {}
        return {
            ticker_topic(spec.name, ticker): spec
            for ticker in self.options.tickers
            for spec in DATA_TOPICS.values()
            if spec.per_ticker
        }

    def _start_at_the_end(self) -> None:
        """Let the consumer begin here: what was sent before is none of this check's business."""
        if self.options.skip_producer and self.options.skip_consumer:
            return
        try:
            self._before = Groups(self.settings).start_at_the_end(self._group)
        except BrokerUnavailable as error:
            self._gone = error

    # -- the producer

    def _publish(self) -> None:
        if self.options.skip_producer:
            for sample in self.samples:
                self.report.skip(f"{sample.title} published", "--skip-producer")
            return
        with FinancialDataProducer(self.settings) as producer:
            for sample in self.samples:
                self._publish_one(producer, sample)
            self._send_bad_bar(producer)

    def _publish_one(self, producer: FinancialDataProducer, sample: Sample) -> None:
        found: object = self._gone
        if self._gone is None:
            # What was sent before an error may have arrived.
            self._published = True
            try:
                found = sample.send(producer)
            except BrokerUnavailable as error:
                found = self._gone = error
            except FinancialTrendsError as error:
                found = error
        expected = f"{sample.messages} acknowledged"
        shown = f"{found} acknowledged" if isinstance(found, int) else found
        self.report.add(f"{sample.title} published", expected, shown, ok=found == sample.messages)

    def _send_bad_bar(self, producer: FinancialDataProducer) -> None:
        row, field = bad_bar(self.run)
        found: object
        try:
            found = f"{producer.produce_stock_data(self.options.tickers[0], row)} acknowledged"
            refused = None
        except InvalidRecord as error:
            found, refused = error, error.field
        except FinancialTrendsError as error:
            found, refused = error, None
        self.report.add(
            "a bad record is refused", f"error names {field}", found, ok=refused == field
        )

    # -- the consumer, and what it stored

    def _consume_and_verify(self) -> None:
        check = "consumed into MongoDB"
        if self.options.skip_consumer:
            self._skip_consumer("--skip-consumer")
            return
        counts: dict[str, int] = {}
        found: object
        try:
            if self._gone is not None:
                raise self._gone
            # The consumer would wait for MongoDB, as it should: not so a check.
            self._client.admin.command("ping")
            counts = self._consume()
            found = _counted(counts)
            complete = True
        except (FinancialTrendsError, PyMongoError) as error:
            found, complete = error, False
        wanted = dict.fromkeys(DATA_TOPICS, 0)
        if not self.options.skip_producer:
            for sample in self.samples:
                wanted[sample.kind] += sample.messages
        # Real data of the same tickers may pass by at the same time.
        complete = complete and all(counts[kind] >= number for kind, number in wanted.items())
        self.report.add(check, f"at least {_counted(wanted)}", found, ok=complete)
        for sample in self.samples:
            if self.options.skip_producer:
                self.report.skip(f"{sample.title} stored", "--skip-producer")
            else:
                self._verify(sample)

    def _skip_consumer(self, why: str) -> None:
        self.report.skip("consumed into MongoDB", why)
        for sample in self.samples:
            self.report.skip(f"{sample.title} stored", why)

    def _consume(self) -> dict[str, int]:
        with StockDataConsumer(self.settings, group=self._prefix) as consumer:
            consumer.consume_multiple_tickers(self.options.tickers)
            return consumer.stop_consumers(timeout_s=self.options.consumer_duration_s)

    def _verify(self, sample: Sample) -> None:
        number = len(sample.documents)
        expected = f"{number} once each, every field as sent"
        try:
            problems = [self._problem(one) for one in sample.documents]
        except PyMongoError as error:
            self.report.add(f"{sample.title} stored", expected, error, ok=False)
            return
        wrong = [problem for problem in problems if problem is not None]
        found = wrong[0] if wrong else expected
        self.report.add(f"{sample.title} stored", expected, found, ok=not wrong)

    def _problem(self, expected: Expected) -> str | None:
        """Return what is wrong with a stored document."""
        stored = list(self._database[expected.collection].find(expected.identity).limit(10))
        if len(stored) != 1:
            return f"{len(stored)} documents of {expected.id} in {expected.collection}"
        found = {name: v for name, v in stored[0].items() if name not in expected.ignored}
        return _difference(expected, found)

    # -- afterwards

    def clean_up(self) -> None:
        """Remove the test data from MongoDB, also those that a worker beside stores later.

        They stay on Kafka until they expire. A worker that reads them from there at its first start
        stores them then; the next run of this check removes them.
        """
        check = "test data removed from MongoDB"
        behind = None if self._gone is None else str(self._gone)
        if self._gone is None:
            try:
                behind = self._leave_kafka()
            except BrokerUnavailable as error:
                behind = str(error)
        if not self._published:
            self.report.skip(check, "nothing was published")
            return
        try:
            removed = sum(self._remove(name, ids) for name, ids in self._ids().items())
            left = sum(self._left(name, ids) for name, ids in self._ids().items())
        except PyMongoError as error:
            self.report.add(check, "0 left", error, ok=False)
            return
        found = f"{left} left, {removed} removed"
        if behind is not None:
            found += f"; they may come back: {behind}"
        self.report.add(check, "0 left", found, ok=left == 0)

    def _leave_kafka(self) -> str | None:
        """Wait for a worker beside, and delete the check's group; return what is still missing."""
        groups = Groups(self.settings)
        groups.delete(self._group)
        if not self._published:
            return None
        return groups.wait_for(self.settings.app_id, self._before, WORKER_PATIENCE_S)

    def _ids(self) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {}
        for sample in self.samples:
            for expected in sample.documents:
                ids.setdefault(expected.collection, []).append(expected.id)
        return ids

    def _remove(self, collection: str, ids: list[str]) -> int:
        # The date of the run, not its bars': those are old in any case.
        aged = {"ingested": {"$lt": as_date(self.run.now - _LEFTOVER_MS)}}
        where: Document = {"source": INTEGRATION_TEST, "$or": [{"_id": {"$in": ids}}, aged]}
        return self._database[collection].delete_many(where).deleted_count

    def _left(self, collection: str, ids: list[str]) -> int:
        return self._database[collection].count_documents({"_id": {"$in": ids}})


def _difference(expected: Expected, found: Mapping[str, object]) -> str | None:
    """Return the first field of a document that is not as it was sent."""
    for name in sorted(expected.document.keys() | found.keys()):
        if name not in found:
            return f"{expected.id}: {name} is missing"
        if name not in expected.document:
            return f"{expected.id}: {name}={found[name]!r} was not sent"
        if found[name] != expected.document[name]:
            return f"{expected.id}: {name}={found[name]!r}, sent {expected.document[name]!r}"
    return None


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in counts.items())
