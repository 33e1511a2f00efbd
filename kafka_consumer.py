"""The Python API that stores what is on Kafka in MongoDB, without a Faust worker."""

from __future__ import annotations

import hashlib
import math
import time
from collections import Counter
from collections.abc import Iterable

import config
from broker import Broker
from config import Settings
from consuming.loop import ConsumerThread, Drain
from consuming.messages import COUNTED
from errors import BrokerUnavailable, ConfigurationError, InvalidRecord
from models.rules import check_ticker
from topics import ECONOMIC_INDICATORS, INPUTS

#: Characters of the hash of its tickers at the end of a group's name.
_HASH_LENGTH = 8


class StockDataConsumer:
    """Consumes all six kinds of data of some tickers, and stores them in MongoDB.

    Each message is stored as the Faust workers store it: under the same ``_id``, with the same
    fields; a bar that is closed is never replaced by one still forming, and ``indicators`` of a bar
    stay as they are. So it may run beside the workers or in their place (then nobody computes
    indicators), and reading a message twice changes nothing. A message that breaks the rules of its
    Record goes to the collection ``dead_letters``; the workers alone send it to the topic of that
    name as well.

    Each :meth:`consume_multiple_tickers` joins a consumer group of its own, named after its tickers
    (:func:`group_name`): the group's offsets say what of *these* tickers is stored. Under one name
    for all, messages of a ticker that is asked for later would count as done. Processes that
    consume the same tickers share the work. A group that is new starts with the oldest message that
    Kafka keeps; until it has caught up, a document that was corrected since may show its older
    version.

    An offset is committed once MongoDB has acknowledged the message, so after a crash the next
    start goes on where nothing is missing. An outage of MongoDB is waited out.

    Args:
        settings: where Kafka and MongoDB are; the process's own by default.
        group: first part of the groups' names; ``<APP_ID>-consumer`` by default.

    Use it from one thread.

    Example:

        >>> from kafka_producer import FinancialDataProducer
        >>> with StockDataConsumer() as consumer, FinancialDataProducer() as producer:
        ...     consumer.consume_multiple_tickers(["AAPL", "MSFT"])
        ...     sent = producer.produce_news_data(
        ...         "AAPL", {"title": "Record quarter", "time": "2024-02-01T21:30:00Z"}
        ...     )
        ...     counts = consumer.stop_consumers()
        >>> counts["news"] >= sent
        True
    """

    def __init__(self, settings: Settings | None = None, *, group: str | None = None) -> None:
        self._settings = config.settings() if settings is None else settings
        self._prefix = f"{self._settings.app_id}-consumer" if group is None else group
        self._threads: list[ConsumerThread] = []

    def __enter__(self) -> StockDataConsumer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error nobody waits for the rest: it is consumed at the next start.
        if kind is None:
            self.stop_consumers()
        else:
            self._abandon()

    @property
    def groups(self) -> list[str]:
        """The names of the consumer groups at work, as ``Broker.lag`` takes them."""
        return [thread.group for thread in self._threads]

    @property
    def counts(self) -> dict[str, int]:
        """What has been stored so far, as :meth:`stop_consumers` returns it."""
        return _sum(self._threads)

    def consume_multiple_tickers(self, tickers: Iterable[str]) -> None:
        """Start to store all kinds of data of ``tickers`` in the background; returns at once.

        Economic series belong to no ticker: all of them are stored. Called again, it adds the
        tickers that are not consumed yet.

        Args:
            tickers: at least one, in any case.

        Raises:
            InvalidRecord: one of them is no ticker, or there is none.
            BrokerUnavailable: Kafka does not answer within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: topics do not exist, or the Kafka settings are not allowed together.

        Example:

            >>> consumer = StockDataConsumer()
            >>> consumer.consume_multiple_tickers(["AAPL"])
            >>> consumer.consume_multiple_tickers(["AAPL", "BRK-B"])  # BRK-B as well
            >>> sorted(consumer.stop_consumers())
            ['dead_letters', 'economy', 'indicators', 'news', 'prices', 'reddit', 'twitter']
        """
        wanted = _checked(tickers)
        wanted -= frozenset().union(*(thread.tickers for thread in self._threads))
        if not wanted:
            return
        names = [spec.name for spec in INPUTS]
        self._require_topics(names)
        if self._threads:
            # Once is enough.
            names.remove(ECONOMIC_INDICATORS.name)
        group = group_name(self._prefix, wanted)
        thread = ConsumerThread(self._settings, group, wanted, names)
        self._threads.append(thread)
        thread.start()

    def stop_consumers(self, timeout_s: float | None = None) -> dict[str, int]:
        """Store everything that was produced up to this call, commit, and stop.

        Args:
            timeout_s: most seconds that this may take. What is not stored by then is left to the
                next start, without an error. By default it may take as long as it moves on:
                ``KAFKA_TIMEOUT_S`` without progress are an error.

        Returns:
            How many messages were stored since the start: those of each kind, by the names
            ``prices``, ``indicators``, ``news``, ``twitter``, ``reddit`` and ``economy``, and as
            ``dead_letters`` those that could not be processed. Each is one document, or the new
            version of one: of history, which is among the prices, the bars are counted. All are 0
            if nothing was started.

        Raises:
            StoreUnavailable: MongoDB did not answer; what is missing is stored at the next start.
            BrokerUnavailable: Kafka did not answer; the same holds.
            Exception: whatever else ended the consuming before its time.

        Example:

            >>> StockDataConsumer().stop_consumers()["prices"]
            0
        """
        threads = self._threads
        if not threads:
            return _sum(())
        since = time.monotonic()
        limit_s = math.inf if timeout_s is None else timeout_s
        try:
            with Broker(self._settings, timeout_s=self._patience_s(timeout_s)) as broker:
                ends = broker.end_offsets(spec.name for spec in INPUTS)
            for thread in threads:
                thread.finish(Drain(ends, limit_s, self._settings.kafka_timeout_s, since))
            for thread in threads:
                thread.join()
        except BaseException:
            self._abandon()
            raise
        self._threads = []
        for thread in threads:
            if thread.failure is not None:
                raise thread.failure
        if timeout_s is None and not all(thread.complete for thread in threads):
            raise BrokerUnavailable(
                self._settings.kafka_bootstrap_servers,
                f"nothing came for {self._settings.kafka_timeout_s:g} s, and not all is consumed",
            )
        return _sum(threads)

    def _patience_s(self, timeout_s: float | None) -> float:
        # A broker needs a moment to answer even those who have none.
        limit = self._settings.kafka_timeout_s
        return limit if timeout_s is None else min(limit, max(timeout_s, 1.0))

    def _require_topics(self, names: Iterable[str]) -> None:
        with Broker(self._settings) as broker:
            existing = broker.partitions()
        missing = [name for name in names if name not in existing]
        if missing:
            raise ConfigurationError(
                f"topics do not exist: {', '.join(missing)}; create them with "
                "KafkaIntegrationManager().create_topics(), or start a worker, which does"
            )

    def _abandon(self) -> None:
        """Stop without waiting for anything more to arrive."""
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.finish(Drain())
        for thread in threads:
            thread.join()


def group_name(prefix: str, tickers: Iterable[str]) -> str:
    """Return the name of the consumer group for a set of tickers, in whatever order they stand.

    >>> group_name("mine", ["MSFT", "AAPL"]) == group_name("mine", ["AAPL", "MSFT"])
    True
    """
    digest = hashlib.sha256(" ".join(sorted(set(tickers))).encode()).hexdigest()
    return f"{prefix}-{digest[:_HASH_LENGTH]}"


def _checked(tickers: Iterable[str]) -> frozenset[str]:
    # A text is an iterable of texts, too.
    names = None if isinstance(tickers, str | bytes) else list(tickers)
    if not names:
        raise InvalidRecord("tickers", tickers, 'give a list of at least one, such as ["AAPL"]')
    return frozenset(_checked_one(name) for name in names)


def _checked_one(ticker: object) -> str:
    if not isinstance(ticker, str):
        raise InvalidRecord("ticker", ticker, "must be a text")
    try:
        return check_ticker(ticker.upper())
    except ValueError as error:
        raise InvalidRecord("ticker", ticker, str(error)) from None


def _sum(threads: Iterable[ConsumerThread]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for thread in threads:
        total.update(thread.counts)
    return {name: total[name] for name in COUNTED}
