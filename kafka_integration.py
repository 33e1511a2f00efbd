"""The Python API that looks after the whole: topics, worker processes, producers, consumers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import config
from broker import Broker
from config import Settings
from errors import ConfigurationError
from kafka_consumer import StockDataConsumer
from kafka_producer import FinancialDataProducer
from models import Command, follow_orders, unfollow_orders
from pipeline.environment import derive, environment, folders
from pipeline.load import read_history
from pipeline.status import Gauges, PipelineStatus
from pipeline.workers import WorkerPool, WorkerStatus
from sources.registry import price_source
from topics import ALL_TOPICS, COMMANDS, TopicSpec, ticker_topic

log = logging.getLogger(__name__)

PriceSourceName = Literal["none", "yahoo", "replay", "simulated"]

_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """A topic as it is on the broker.

    Attributes:
        partitions: how many.
        produced: messages ever produced to it.
        kept: messages still there, before compaction.
    """

    partitions: int
    produced: int
    kept: int


class KafkaIntegrationManager:
    """Creates the topics, runs the pipeline, and says how it does.

    It needs servers that run (``python -m embedded up`` starts some); it does not start them. On
    leaving its context it stops the pipeline and closes the producers and consumers it made. One
    thread at a time may use it.

    Args:
        settings: where the servers are, APP_ID and all the rest; the process's own by default.
        tell: receives one-line reports of what the worker processes do, from any thread; the log of
            this module by default.

    Every method raises BrokerUnavailable if Kafka does not answer in time.

    Example:

        >>> with KafkaIntegrationManager() as manager:
        ...     created = manager.create_topics()
        ...     manager.start_pipeline(["AAPL", "MSFT"], source="replay", speed=10)
        ...     with manager.producer() as producer:
        ...         producer.produce_economic_data("UNRATE", {"date": "2024-01-01", "value": 3.7})
        ...     manager.stop_pipeline()
        ...     manager.status().lag
        1
        0
        0
    """

    def __init__(
        self, settings: Settings | None = None, tell: Callable[[str], None] = log.info
    ) -> None:
        self._settings = config.settings() if settings is None else settings
        self._tell = tell
        self._workers: WorkerPool | None = None
        self._made = ExitStack()

    def __enter__(self) -> KafkaIntegrationManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the workers, and close the producers and consumers; may be called again.

        Workers make their last checkpoint; what they did not get to waits on Kafka. To have that
        done as well, call :meth:`stop_pipeline` before.
        """
        try:
            self._stop_workers()
        finally:
            self._made.close()

    # -- topics

    def create_topics(self, tickers: Iterable[str] = ()) -> list[str]:
        """Create the topics that are missing and check the others; return the names created.

        Args:
            tickers: those to create views for, if TOPIC_PER_TICKER is on (``stock-prices.AAPL``).

        Raises:
            TopicMismatch: a topic exists with another number of partitions than the settings say.
            ConfigurationError: a ticker is none.

        Example:

            >>> created = KafkaIntegrationManager().create_topics(["AAPL"])
        """
        views = self._views(tickers) if self._settings.topic_per_ticker else {}
        with Broker(self._settings) as broker:
            return broker.ensure_topics(views=views)

    def delete_topics(self, tickers: Iterable[str] | None = None) -> list[str]:
        """Delete topics with all their messages; return the names, once they are gone.

        What MongoDB holds stays, and so do the cursors of the sources.

        Args:
            tickers: delete the views of these tickers only. Without it, everything goes: the topics
                of the program, all their views, and the changelogs of this APP_ID, which belong to
                the messages. Stop all workers before, here and elsewhere.

        Raises:
            ConfigurationError: the pipeline runs; or a ticker is none.

        Example:

            >>> gone = KafkaIntegrationManager().delete_topics(["AAPL"])
        """
        if self._workers is not None:
            raise ConfigurationError(
                "the pipeline runs: call stop_pipeline() before deleting topics"
            )
        with Broker(self._settings) as broker:
            existing = set(broker.partitions())
            doomed = set(self._all_topics(existing) if tickers is None else self._views(tickers))
            return broker.delete_topics(sorted(doomed & existing))

    def describe_topics(self) -> dict[str, TopicStatus]:
        """Return the topics that exist, by name: the program's, views and changelogs included.

        Example:

            >>> KafkaIntegrationManager().describe_topics()["stock-prices"].partitions
            8
        """
        with Broker(self._settings) as broker:
            partitions = broker.partitions()
            names = self._all_topics(set(partitions))
            starts, ends = broker.start_offsets(names), broker.end_offsets(names)
        produced, kept = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
        for (name, partition), end in ends.items():
            produced[name] += end
            kept[name] += end - starts.get((name, partition), 0)
        return {name: TopicStatus(partitions[name], produced[name], kept[name]) for name in names}

    # -- the pipeline

    def start_pipeline(
        self,
        tickers: Iterable[str],
        *,
        workers: int = 1,
        source: PriceSourceName | None = None,
        interval_s: float | None = None,
        speed: float | None = None,
    ) -> None:
        """Create the topics and start worker processes (``faust -A app worker``).

        Returns as soon as the processes are started; they take a few seconds to join. One that ends
        is started again, after a pause that doubles with each failure; one that fails five times
        before it ever served is given up (see :meth:`status`). If this process ends in any way, so
        do they.

        Args:
            tickers: whose prices the workers' sources follow.
            workers: how many processes; more than TOPIC_PARTITIONS would have nothing to do.
            source: where prices come from, PRICE_SOURCE by default; with ``none``, workers process
                what others produce.
            interval_s: seconds between two polls of a source, POLL_INTERVAL_S by default.
            speed: bars per second and ticker of a replay or simulation, REPLAY_SPEED by default.

        Raises:
            ConfigurationError: an argument is not allowed, or the pipeline runs already.
            SourceUnavailable: the source cannot be used, or does not have a ticker.
            TopicMismatch: a topic exists with another number of partitions than the settings say.

        Example:

            >>> manager.start_pipeline(["AAPL", "IBM"], workers=2, source="simulated", speed=50)
            >>> manager.stop_pipeline()
            0
        """
        if self._workers is not None:
            raise ConfigurationError("the pipeline runs already: call stop_pipeline() first")
        most = self._settings.topic_partitions
        if not 1 <= workers <= most:
            raise ConfigurationError(
                f"workers={workers}: give 1 to {most}, as there are {most} partitions to share"
            )
        given = {"price_source": source, "poll_interval_s": interval_s, "replay_speed": speed}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        settings = derive(self._settings, tickers=_tuple(tickers), **chosen)
        self._check_source(settings)
        self.create_topics(settings.tickers)
        self._start_workers(settings, workers)

    def stop_pipeline(self, *, drain_s: float = 30.0) -> int:
        """Stop the workers cleanly, and finish what is on Kafka; return the lag that remains.

        Workers stop with a checkpoint. What their sources sent in the last moment is then still on
        the topics, so one more worker runs, without sources, until everything is processed.

        Args:
            drain_s: longest time for that, in seconds; 0 leaves it for the next start.

        Returns:
            Messages not processed, 0 unless the time was too short or others go on producing.

        Example:

            >>> manager.stop_pipeline()
            0
        """
        self._stop_workers()
        with Gauges(self._settings) as gauges:
            lag = gauges.lag()
            if lag == 0 or drain_s <= 0:
                return lag
            self._tell(f"finishing what is on Kafka: {lag} messages")
            self._start_workers(_without_sources(self._settings), 1)
            try:
                deadline = time.monotonic() + drain_s
                while lag > 0 and time.monotonic() < deadline:
                    time.sleep(_LOOK_EVERY_S)
                    lag = gauges.lag()
            finally:
                self._stop_workers()
            return lag

    def workers(self) -> tuple[WorkerStatus, ...]:
        """Return what is known of each worker process; asks no server."""
        return () if self._workers is None else self._workers.status()

    def status(self) -> PipelineStatus:
        """Return the numbers of the pipeline; takes a moment, as it asks Kafka and MongoDB.

        Raises:
            StoreUnavailable: MongoDB does not answer.

        Example:

            >>> status = KafkaIntegrationManager().status()
            >>> sorted(status.data)
            ['economy', 'indicators', 'news', 'prices', 'reddit', 'twitter']
        """
        with Gauges(self._settings) as gauges:
            reading = gauges.read(exact=True)
        return PipelineStatus(self.workers(), reading.data, reading.dead_letters, reading.lag)

    def add_ticker(self, ticker: str) -> None:
        """Have every source of the running workers poll one more ticker, from their next look on.

        It is kept by the worker that owns the ticker, on Kafka: restarts and other numbers of
        workers change nothing. Without workers it takes effect when they start.

        Raises:
            ConfigurationError: it is no ticker.

        Example:

            >>> manager.add_ticker("NVDA")
        """
        (name,) = self._one(ticker)
        if self._settings.topic_per_ticker:
            self.create_topics([name])
        self._order(follow_orders([name]))

    def remove_ticker(self, ticker: str) -> None:
        """Have no source poll a ticker any longer, until it is added again.

        It may be one of TICKERS, or of those that the pipeline was started with. What is stored
        stays.

        Raises:
            ConfigurationError: it is no ticker.

        Example:

            >>> manager.remove_ticker("NVDA")
        """
        self._order(unfollow_orders(self._one(ticker)))

    # -- producers and consumers

    def producer(self) -> FinancialDataProducer:
        """Return a new producer with these settings; closed with the manager, if not before.

        Example:

            >>> with KafkaIntegrationManager() as manager, manager.producer() as producer:
            ...     producer.produce_news_data("AAPL", {"title": "Up", "time": "2024-02-01"})
            1
        """
        return self._made.enter_context(FinancialDataProducer(self._settings))

    def consumer(self) -> StockDataConsumer:
        """Return a new consumer with these settings; closed with the manager, if not before.

        Example:

            >>> with KafkaIntegrationManager() as manager, manager.consumer() as consumer:
            ...     consumer.consume_multiple_tickers(["AAPL"])
            ...     counts = consumer.stop_consumers()
        """
        return self._made.enter_context(StockDataConsumer(self._settings))

    # -- inside

    def _start_workers(self, settings: Settings, count: int) -> None:
        data_dir, logs_dir = folders(settings)
        pool = WorkerPool(
            environment(settings),
            count,
            address=(settings.web_host, settings.web_port),
            data_dir=data_dir,
            logs_dir=logs_dir,
            tell=self._tell,
        )
        pool.start()
        self._workers = pool

    def _stop_workers(self) -> None:
        pool, self._workers = self._workers, None
        if pool is not None:
            pool.stop()

    def _check_source(self, settings: Settings) -> None:
        """Complain now about what workers could only complain about in their logs."""
        source = price_source(settings)
        if source is None:
            return
        if not settings.tickers:
            raise ConfigurationError(
                f"no ticker for the source {settings.price_source!r}: give at least one"
            )
        if settings.price_source == "replay":
            read_history(source, settings.tickers)

    def _one(self, ticker: str) -> tuple[str, ...]:
        names = derive(self._settings, tickers=ticker).tickers
        if len(names) != 1:
            raise ConfigurationError(f"{ticker!r}: give one ticker, such as 'NVDA'")
        return names

    def _order(self, orders: list[Command]) -> None:
        with FinancialDataProducer(self._settings) as producer:
            producer.produce_records(COMMANDS, orders)

    def _views(self, tickers: Iterable[str]) -> dict[str, TopicSpec]:
        names = derive(self._settings, tickers=_tuple(tickers)).tickers
        specs = [spec for spec in ALL_TOPICS if spec.per_ticker]
        return {ticker_topic(spec.name, name): spec for spec in specs for name in names}

    def _all_topics(self, existing: set[str]) -> list[str]:
        """Return those of the existing topics that are the program's."""
        own = {spec.name for spec in ALL_TOPICS}
        views = tuple(f"{spec.name}." for spec in ALL_TOPICS if spec.per_ticker)
        return sorted(
            name
            for name in existing
            if name in own
            or name.startswith(views)
            or (name.startswith(f"{self._settings.app_id}-") and name.endswith("-changelog"))
        )


def _without_sources(settings: Settings) -> Settings:
    """Return the settings of a worker that only processes what others produce."""
    kinds = ("news", "economic", "twitter", "reddit")
    off = {f"skip_{kind}": True for kind in kinds}
    return derive(settings, price_source="none", simulate_missing=False, **off)


def _tuple(tickers: Iterable[str]) -> str | tuple[str, ...]:
    """Return tickers as the setting takes them; a text is one or several, not its letters."""
    return tickers if isinstance(tickers, str) else tuple(tickers)
