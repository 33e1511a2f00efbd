"""The Python API that puts financial data on Kafka: one method per kind of data."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from faust import Record

import config
from config import Settings
from delivery import Sender
from errors import ConfigurationError
from models import Bar, Codec, intake
from models.quick_series import messages
from models.rules import DAY_MS
from topics import (
    ECONOMIC_INDICATORS,
    FINANCIAL_NEWS,
    PRICE_HISTORY,
    REDDIT_SENTIMENT,
    STOCK_PRICES,
    TECHNICAL_INDICATORS,
    TWITTER_SENTIMENT,
    TopicSpec,
)


class FinancialDataProducer:
    """Sends prices, indicators, news, posts and economic data to their topics.

    Every ``produce_*`` method checks all of its rows first, sends them, and returns once the broker
    has acknowledged them all: the number it returns is the number of rows. If it raises
    InvalidRecord for a row, nothing of the call was sent. If the broker does not acknowledge
    (BrokerUnavailable), what it had acknowledged before stays (the message says how much), and
    nothing is sent behind the caller's back later; sending the same rows again is always safe,
    because each fact has one key in the store.

    ``data`` is one row or many: a dict, a Record, a list of either, or a pandas DataFrame. Keys are
    the Record's fields in any case, and yfinance's column names. ``time`` is milliseconds since the
    epoch, a datetime with a time zone, a date (that day in UTC), ISO 8601 text, or the frame's
    index. Messages are sent in order of time. No rows, as in an empty frame, send nothing: 0.
    :mod:`models.intake` has all the rules.

    One call runs at a time: calls from several threads wait for each other.

    Args:
        settings: where Kafka is and how long to wait for it; the process's own by default.

    Raises:
        ConfigurationError: the Kafka settings are not allowed together.

    Example:

        >>> with FinancialDataProducer() as producer:
        ...     producer.produce_stock_data(
        ...         "AAPL",
        ...         {"time": "2024-01-05", "open": 181.99, "high": 182.76, "low": 180.17,
        ...          "close": 181.18, "volume": 62_303_300},
        ...     )
        1
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._sender = Sender(config.settings() if settings is None else settings)

    def __enter__(self) -> FinancialDataProducer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the connections. Nothing waits to be sent: every call has waited for its own."""
        self._sender.close()

    def produce_stock_data(self, ticker: str, data: object) -> int:
        """Send bars to ``stock-prices``; return how many the broker acknowledged.

        Args:
            ticker: whose bars they are, in any case.
            data: rows of ``time`` (when the bar opened), ``open``, ``high``, ``low``, ``close`` in
                the quote currency, adjusted for splits but not for dividends (``yfinance`` with
                ``auto_adjust=False``), ``volume`` in shares, and perhaps ``adjusted_close``,
                ``interval`` ("1d"), ``closed`` (True; False for the bar still forming), ``source``.
                A DataFrame may be yfinance's, of one ticker or of several; one with times within
                the day must have a column ``interval``.

        Raises:
            InvalidRecord: a row breaks a rule, or the frame does not hold the ticker.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist.

        Example:

            >>> bar = {"Open": 181.9, "High": 182.7, "Low": 180.1, "Close": 181.1, "Volume": 100}
            >>> producer.produce_stock_data("AAPL", [bar | {"Date": "2024-01-05"}])
            1
            >>> import pandas as pd
            >>> frame = pd.DataFrame([bar, bar], index=pd.to_datetime(["2024-01-05", "2024-01-08"]))
            >>> producer.produce_stock_data("AAPL", frame)
            2
        """
        return self._send(STOCK_PRICES, intake.bars(ticker, data))

    def produce_history(self, bars: Iterable[Bar]) -> int:
        """Send closed bars in bulk to ``price-history``; return how many the broker acknowledged.

        For a past that is to be loaded: workers take in bars of a series at half the cost of single
        ones, with the same documents and indicators, but they publish no snapshots of them. Bars
        that come after a later one of their ticker was applied have it computed again, so send what
        is older first.

        Args:
            bars: Records, of one ticker or of several, in any order: those of one ticker, interval,
                source and moment of intake travel together, 500 a message, in the order of time.

        Raises:
            InvalidRecord: a bar is not closed, is there twice, or breaks a rule.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist.

        Example:

            >>> from models import BAR
            >>> prices = {"open": 181.9, "high": 182.7, "low": 180.1, "close": 181.1, "volume": 1.0}
            >>> said = {"source": "mine", "ingested": 1_704_499_200_000}
            >>> day = {"ticker": "AAPL", "interval": "1d", "time": 1_704_412_800_000}
            >>> producer.produce_history([BAR.parse(day | prices | said)])
            1
        """
        some = list(bars)
        self._sender.send(PRICE_HISTORY.name, messages(some, time.time() * 1000 + DAY_MS))
        return len(some)

    def produce_indicator_data(self, ticker: str, indicator_name: str, data: object) -> int:
        """Send values of one indicator to ``technical-indicators``; return how many arrived.

        They are stored beside the values that the program computes itself, so choose a name of
        your own.

        Args:
            ticker: whose indicator it is, in any case.
            indicator_name: a letter, then letters, digits and ``_``; at most 64 characters.
            data: rows of ``time`` (of the bar), ``value`` (any unit; None is "not warm yet"), and
                perhaps ``interval`` ("1d") and ``closed``; or a Series over an index of times.

        Raises:
            InvalidRecord: a row, or the name, breaks a rule.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist.

        Example:

            >>> producer.produce_indicator_data(
            ...     "AAPL", "my_score", {"time": "2024-01-05", "value": 0.7}
            ... )
            1
        """
        return self._send(TECHNICAL_INDICATORS, intake.snapshots(ticker, indicator_name, data))

    def produce_news_data(self, ticker: str, news_data: object) -> int:
        """Send news to ``financial-news``; return how many the broker acknowledged.

        Args:
            ticker: whom the news is about, in any case.
            news_data: rows of ``title``, ``time`` (of publication), and perhaps ``summary``,
                ``url``, ``publisher``, ``sentiment`` (-1 to 1) and ``id``, which is else made from
                the url, or from the title where there is none.

        Raises:
            InvalidRecord: a row breaks a rule.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist.

        Example:

            >>> producer.produce_news_data(
            ...     "AAPL", {"title": "Record quarter", "time": "2024-02-01T21:30:00Z"}
            ... )
            1
        """
        return self._send(FINANCIAL_NEWS, intake.news(ticker, news_data))

    def produce_twitter_sentiment(self, ticker: str, sentiment_data: object) -> int:
        """Send posts from Twitter/X to ``twitter-sentiment``; return how many arrived.

        Args:
            ticker: whom the posts are about, in any case.
            sentiment_data: rows of ``text``, ``time``, and perhaps ``sentiment`` (-1 to 1),
                ``engagement`` (likes, replies and the like: a count), ``author``, ``url`` and
                ``id``, which is else made from the url, or from the text where there is none.

        Raises:
            InvalidRecord: a row breaks a rule.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist.

        Example:

            >>> post = {"id": "1", "text": "$AAPL up", "time": "2024-02-01T21:31:00Z"}
            >>> producer.produce_twitter_sentiment("AAPL", [post | {"sentiment": 0.6}])
            1
        """
        return self._send(TWITTER_SENTIMENT, intake.posts(ticker, "twitter", sentiment_data))

    def produce_reddit_sentiment(self, ticker: str, sentiment_data: object) -> int:
        """Send posts from Reddit to ``reddit-sentiment``; return how many arrived.

        Args:
            ticker: whom the posts are about, in any case.
            sentiment_data: rows as :meth:`produce_twitter_sentiment` takes them.

        Raises:
            InvalidRecord: a row breaks a rule.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist.

        Example:

            >>> post = {"id": "t3_1", "text": "AAPL?", "time": "2024-02-01T21:32:00Z"}
            >>> producer.produce_reddit_sentiment("AAPL", post | {"engagement": 12})
            1
        """
        return self._send(REDDIT_SENTIMENT, intake.posts(ticker, "reddit", sentiment_data))

    def produce_economic_data(self, indicator_name: str, data: object) -> int:
        """Send observations of a macroeconomic series to ``economic-indicators``.

        Args:
            indicator_name: the series, such as FRED's ``UNRATE``, in its own case.
            data: rows of ``time`` (start of the period), ``value`` (in the series' units), and
                perhaps ``realtime_start`` (day of this publication, by which revisions differ;
                ``time`` by default), ``title``, ``units``, ``frequency``; or a Series over an
                index of times, as FRED's clients return.

        Returns:
            How many observations the broker acknowledged.

        Raises:
            InvalidRecord: a row, or the series' name, breaks a rule.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist.

        Example:

            >>> producer.produce_economic_data(
            ...     "UNRATE", {"date": "2024-01-01", "value": 3.7, "realtime_start": "2024-02-02"}
            ... )
            1
        """
        return self._send(ECONOMIC_INDICATORS, intake.observations(indicator_name, data))

    def produce_records(self, topic: TopicSpec, records: Iterable[Record]) -> int:
        """Send Records to the topic declared for their kind, in the order given.

        Args:
            topic: one of :mod:`topics` that has a codec.
            records: Records of that codec's kind; they are checked again.

        Returns:
            How many the broker acknowledged.

        Raises:
            InvalidRecord: a Record is of another kind, or breaks a rule.
            BrokerUnavailable: Kafka did not acknowledge within ``KAFKA_TIMEOUT_S``.
            ConfigurationError: the topic does not exist, or holds no Records.

        Example:

            >>> from models import COMMAND
            >>> from topics import COMMANDS
            >>> order = {"ticker": "AAPL", "action": "recompute", "time": 1_704_412_800_000}
            >>> producer.produce_records(COMMANDS, [COMMAND.parse(order)])
            1
        """
        return self._send(topic, intake.checked(_codec(topic), records))

    def _send(self, topic: TopicSpec, records: list[Any]) -> int:
        codec = _codec(topic)
        return self._sender.send(
            topic.name, [(codec.encode_key(record), codec.encode(record)) for record in records]
        )


def _codec(topic: TopicSpec) -> Codec[Any]:
    if topic.codec is None:
        raise ConfigurationError(f"topic {topic.name!r} holds no Records that could be produced")
    return topic.codec
