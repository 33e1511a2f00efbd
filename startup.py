"""What a worker needs before it starts: Faust's options, topics, indexes."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from pymongo.errors import PyMongoError
from tenacity import before_sleep_log, retry, retry_if_exception, wait_exponential_jitter

from alerts import RuleBook, load
from alerts.webhook import several
from broker import Broker
from config import Settings
from errors import ConfigurationError
from indicators import parse
from kafka_security import faust_credentials
from monitoring.logs import worker_logging
from sinks.indexes import ensure_indexes
from sinks.mongo import connect, database, remedy_of, unavailable
from topics import ALL_TOPICS, TopicSpec
from web.exposure import advertised_host

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The broker takes a worker for dead after so many seconds of silence.
SESSION_TIMEOUT_S = 10.0
HEARTBEAT_S = 0.5

#: A change of the cluster that no error told of is noticed after so long.
METADATA_AGE_MS = 10_000


def faust_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the App that follow from the settings, and those that are fixed.

    Raises:
        ConfigurationError: a setting of Kafka's security is missing, or a file cannot be used.
    """
    return {
        # Faust reads variables of its own, some of our names, and puts them above what stands here.
        "env": {},
        "broker": [
            f"kafka://{address.strip()}" for address in settings.kafka_bootstrap_servers.split(",")
        ],
        "broker_credentials": faust_credentials(settings),
        "logging_config": worker_logging(settings),
        "store": "memory://",
        "datadir": str(settings.data_dir),
        "web_host": advertised_host(settings),
        "web_bind": settings.web_host,
        "web_port": settings.web_port,
        # Forms are all that is ever sent here, and small.
        "web_application_options": {"client_max_size": 16 * 1024},
        "topic_partitions": settings.topic_partitions,
        "topic_replication_factor": settings.topic_replication_factor,
        # Nothing runs on a leader, so no topic to elect one.
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        # After the loss of a broker, the end of a changelog may seem to lie before what it has.
        "recovery_consistency_check": False,
        "consumer_auto_offset_reset": "earliest",
        "broker_session_timeout": SESSION_TIMEOUT_S,
        # Members learn by their next heartbeat that another one has come or gone.
        "broker_heartbeat_interval": HEARTBEAT_S,
        "broker_request_timeout": 30.0,
        "consumer_metadata_max_age_ms": METADATA_AGE_MS,
        "producer_metadata_max_age_ms": METADATA_AGE_MS,
        # An outage of MongoDB stops the fetching; that alone must not cost the membership.
        "broker_max_poll_interval": 86_400.0,
        "broker_max_poll_records": 1_000,
        "stream_wait_empty": True,
        "producer_linger": 0.002,
        "producer_max_batch_size": 256 * 1024,
        "producer_request_timeout": settings.kafka_timeout_s,
        "producer_threaded": False,
    }


def read_rules(settings: Settings) -> RuleBook:
    """Return the alert rules that the settings name; none without a file.

    Raises:
        ConfigurationError: the file, or a webhook, is not right; says where and what would be.
    """
    if settings.alert_rules is None:
        return RuleBook()
    given = settings.alert_webhooks
    try:
        webhooks = [] if given is None else several(given.get_secret_value())
    except ValueError as error:
        raise ConfigurationError(f"setting ALERT_WEBHOOKS: {error}") from None
    return load(settings.alert_rules, parse(settings.indicators).outputs, webhooks)


def settle_memory() -> None:
    """Have the garbage collector look at what comes and goes, and less often.

    A worker has half a million objects that stay, modules and their like, and makes a dozen a
    message that are gone soon without the collector's help: looking through them all again and
    again took more than a third of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


async def prepare_servers(settings: Settings, changelogs: Iterable[TopicSpec]) -> dict[str, str]:
    """Create the topics and indexes that are missing, and check the topics that exist.

    Waits for MongoDB as long as it takes. Returns an id of every topic (see Broker.topic_ids).

    Args:
        settings: where the servers are.
        changelogs: those of the tables, which must exist as the program's topics must.

    Raises:
        BrokerUnavailable: Kafka does not answer, or does not take this client.
        StoreRefused: MongoDB does not take this client.
        TopicMismatch: a topic has another partition count than the settings say.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    ids = await _aside(partial(_create_topics, settings, list(changelogs)))
    await _create_indexes(settings)
    return ids


async def _aside(ask: Callable[[], T]) -> T:
    """Return what ``ask`` returns, in a thread that the end of the program does not wait for.

    A server that does not answer is waited for; whoever stops the worker need not be.
    """
    answer: Future[T] = Future()
    # Once it runs it cannot be cancelled, so there is somebody to tell even after a stop.
    answer.set_running_or_notify_cancel()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            answer.set_exception(error)

    threading.Thread(target=run, name="startup", daemon=True).start()
    return await asyncio.wrap_future(answer)


def _create_topics(settings: Settings, changelogs: Sequence[TopicSpec]) -> dict[str, str]:
    with Broker(settings) as broker:
        created = broker.ensure_topics((*ALL_TOPICS, *changelogs))
        ids = broker.topic_ids(spec.name for spec in ALL_TOPICS)
    if created:
        log.info("created topics: %s", ", ".join(created))
    return ids


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, PyMongoError) and remedy_of(error) is None


@retry(
    retry=retry_if_exception(_may_pass),
    wait=wait_exponential_jitter(multiplier=0.5, max=10.0),
    before_sleep=before_sleep_log(log, logging.WARNING),
)
async def _create_indexes(settings: Settings) -> None:
    with connect(settings) as client:
        try:
            await _aside(partial(ensure_indexes, database(client, settings), settings))
        except PyMongoError as error:
            if remedy_of(error) is None:
                raise
            raise unavailable(settings.mongodb_address, error) from error
