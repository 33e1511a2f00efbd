"""The initial load of what is simulated beside the bars: the news, posts and series around them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any

from faust import Record
from pymongo.database import Database
from pymongo.errors import PyMongoError

from config import Settings
from kafka_producer import FinancialDataProducer
from pipeline.load import CHUNK
from sinks.base import Document, Origin, Write
from sinks.documents import news_write, observation_write, post_write
from sinks.mongo import connect, database, unavailable
from sources.base import UnknownKeys
from sources.simulation import MadeUp, simulated_sources, wanted
from topics import (
    ECONOMIC_INDICATORS,
    FINANCIAL_NEWS,
    REDDIT_SENTIMENT,
    TWITTER_SENTIMENT,
    TopicSpec,
)

#: The write that stores a Record, by the name of its topic.
_WRITES: Mapping[str, Callable[[Any, Origin], Write]] = {
    FINANCIAL_NEWS.name: news_write,
    TWITTER_SENTIMENT.name: post_write,
    REDDIT_SENTIMENT.name: post_write,
    ECONOMIC_INDICATORS.name: observation_write,
}

Background = list[tuple[TopicSpec, list[Record]]]


def missing_background(settings: Settings) -> Background:
    """Return what belongs to the last bars of the history and is not stored yet, by topic.

    Raises:
        ConfigurationError: simulated bars cannot have the length BAR_INTERVAL.
        SourceUnavailable: the recorded prices are missing.
        StoreUnavailable: MongoDB does not answer.
    """
    found = asyncio.run(_histories(settings))
    try:
        with connect(settings) as client:
            stored = database(client, settings)
            return [(topic, _missing(stored, topic, records)) for topic, records in found]
    except PyMongoError as error:
        raise unavailable(settings.mongodb_address, error) from error


def load_background(producer: FinancialDataProducer, background: Background, stop: Event) -> int:
    """Produce it; return how much the broker acknowledged.

    Args:
        producer: sends it.
        background: what is missing (see :func:`missing_background`).
        stop: ends the load between two chunks. What is missing then is found the next time.

    Raises:
        BrokerUnavailable: Kafka did not acknowledge in time.
    """
    sent = 0
    for topic, records in background:
        for start in range(0, len(records), CHUNK):
            if stop.is_set():
                return sent
            sent += producer.produce_records(topic, records[start : start + CHUNK])
    return sent


async def _histories(settings: Settings) -> Background:
    keys = wanted(settings)
    sources = simulated_sources(settings, lambda _: {})
    return [(source.topic, await _history(source, keys[kind])) for kind, source in sources.items()]


async def _history(source: MadeUp, keys: Sequence[str]) -> list[Record]:
    try:
        past = await source.history(keys)
    except UnknownKeys as error:
        # The worker's log says so; a series more or less is no reason not to run.
        past = await source.history([key for key in keys if key not in error.keys])
    return [record for records in past.values() for record in records]


def _missing(
    stored: Database[Document], topic: TopicSpec, records: Sequence[Record]
) -> list[Record]:
    nowhere = Origin(topic.name, -1, -1, None, None)
    writes = [_WRITES[topic.name](record, nowhere) for record in records]
    if not writes:
        return []
    ids = {"_id": {"$in": [write.id for write in writes]}}
    there = {one["_id"] for one in stored[writes[0].collection].find(ids, {"_id": 1})}
    return [record for record, write in zip(records, writes, strict=True) if write.id not in there]
