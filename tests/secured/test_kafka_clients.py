"""Every client of Kafka, by password and by certificate; and what is said where it may not."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from broker import Broker
from commands import check_kafka
from config import Settings
from delivery import Sender
from errors import BrokerRefused, BrokerUnavailable, ConfigurationError
from kafka_consumer import StockDataConsumer
from kafka_producer import FinancialDataProducer
from kafka_security import faust_credentials
from sinks.mongo import connect
from tests.deployment import bar
from tests.secured.certificates import Certificates
from tests.secured.conftest import WAYS, Secured, SettingsFor
from tests.secured.servers import PASSWORD
from tests.verify import START_MS
from topics import STOCK_PRICES, TopicSpec

pytestmark = pytest.mark.integration

WRONG = "sentinel-of-a-wrong-password"

#: Long enough that a client which waits for its end would be noticed.
PATIENCE_S = 60.0


@pytest.mark.parametrize("way", WAYS)
def test_topics_messages_and_offsets(way: str, settings_for: SettingsFor) -> None:
    """What commands, the producer, `status` and the doctor are made of."""
    settings = settings_for(way, app_id=f"test-{uuid.uuid4().hex[:8]}")
    with Broker(settings) as broker:
        broker.check()
        broker.ensure_topics()
        before = sum(broker.end_offsets([STOCK_PRICES.name]).values())
        with FinancialDataProducer(settings) as producer:
            assert producer.produce_records(STOCK_PRICES, [bar("AAPL", START_MS)]) == 1
        assert sum(broker.end_offsets([STOCK_PRICES.name]).values()) == before + 1
        lag = broker.lag(settings.app_id, [STOCK_PRICES.name])
        assert lag[STOCK_PRICES.name] == before + 1
    answers, said = check_kafka(settings)
    assert answers, said


def test_the_consumer_without_faust(settings_for: SettingsFor) -> None:
    """Kafka by password, into MongoDB by password."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    settings = settings_for(app_id=name, mongodb_database=name)
    with Broker(settings) as broker:
        broker.ensure_topics()
    with FinancialDataProducer(settings) as producer:
        producer.produce_records(STOCK_PRICES, [bar("CONS", START_MS)])
    with StockDataConsumer(settings) as consumer:
        consumer.consume_multiple_tickers(["CONS"])
        counts = consumer.stop_consumers()
    assert counts["prices"] == 1
    with connect(settings) as client:
        assert client[name]["stock_prices"].count_documents({"ticker": "CONS"}) == 1
        client.drop_database(name)


def test_a_group_without_the_right_to_it(settings_for: SettingsFor) -> None:
    """The broker takes the password, and forbids what nobody was given a right to."""
    settings = settings_for()
    with Broker(settings) as broker:
        broker.ensure_topics()
    consumer = StockDataConsumer(settings, group="another")
    consumer.consume_multiple_tickers(["AAPL"])
    with pytest.raises(ConfigurationError, match=r"another.*KAFKA_SASL_USERNAME and its rights"):
        consumer.stop_consumers()


@pytest.mark.parametrize("way", WAYS)
async def test_the_client_of_the_workers(way: str, settings_for: SettingsFor) -> None:
    """aiokafka, given what Faust gives it."""
    settings = settings_for(way)
    topic = f"test-{uuid.uuid4().hex[:8]}"
    with Broker(settings) as broker:
        broker.ensure_topics([TopicSpec(topic, None, {})])
    options: Any = dict(credentials_to_aiokafka_auth(faust_credentials(settings)))
    options["bootstrap_servers"] = settings.kafka_bootstrap_servers
    async with AIOKafkaProducer(**options) as producer:
        await producer.send_and_wait(topic, b"hello")
    async with AIOKafkaConsumer(topic, auto_offset_reset="earliest", **options) as consumer:
        assert (await consumer.getone()).value == b"hello"


Mistake = Callable[[Certificates], dict[str, Any]]

#: What a broker does not take: how the client proves itself, the change, the setting to look at.
MISTAKES: dict[str, tuple[str, Mistake, str]] = {
    "password": ("password", lambda _: {"kafka_sasl_password": WRONG}, "KAFKA_SASL_PASSWORD"),
    "user": ("password", lambda _: {"kafka_sasl_username": "nobody"}, "KAFKA_SASL_USERNAME"),
    "mechanism": ("password", lambda _: {"kafka_sasl_mechanism": "PLAIN"}, "KAFKA_SASL_MECHANISM"),
    "authority": (
        "password",
        lambda files: {"kafka_ssl_ca_file": files.foreign_ca},
        "KAFKA_SSL_CA_FILE",
    ),
    "no authority": ("certificate", lambda _: {"kafka_ssl_ca_file": None}, "KAFKA_SSL_CA_FILE"),
    "no certificate": (
        "certificate",
        lambda _: {"kafka_ssl_cert_file": None, "kafka_ssl_key_file": None},
        "KAFKA_SSL_CERT_FILE",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_who_is_not_taken_learns_at_once_which_setting_it_is(
    name: str, secured: Secured, settings_for: SettingsFor
) -> None:
    """By every call, long before the time is over, and without the password."""
    way, mistake, setting = MISTAKES[name]
    settings = settings_for(way, **mistake(secured.certificates), kafka_timeout_s=PATIENCE_S)
    began = time.monotonic()
    for said in (_of_the_administrator(settings), _of_the_sender(settings)):
        assert setting in said
        assert settings.kafka_bootstrap_servers in said
        assert "\n" not in said
        assert WRONG not in said
        assert PASSWORD not in said
    assert time.monotonic() - began < PATIENCE_S


def _of_the_administrator(settings: Settings) -> str:
    with Broker(settings) as broker, pytest.raises(BrokerRefused) as told:
        broker.partitions()
    return str(told.value)


def _of_the_sender(settings: Settings) -> str:
    sender = Sender(settings)
    with pytest.raises(BrokerRefused) as told:
        sender.send("any", [(b"key", b"value")])
    sender.close()
    return str(told.value)


def test_the_doctor_says_the_same(settings_for: SettingsFor) -> None:
    answers, said = check_kafka(settings_for(kafka_sasl_password=WRONG))
    assert not answers
    assert "KAFKA_SASL_PASSWORD" in said
    assert WRONG not in said


def test_plain_text_to_a_listener_of_tls(secured: Secured, settings_for: SettingsFor) -> None:
    """The broker hangs up without a word, so what is said is a question."""
    plain = settings_for(kafka_security_protocol="PLAINTEXT", kafka_timeout_s=2)
    with Broker(plain) as broker, pytest.raises(BrokerUnavailable, match="KAFKA_SECURITY_PROTOCOL"):
        broker.partitions()
