"""``test_kafka_integration.py`` as its users run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import TopicPartition
from pymongo.database import Database

from broker import Broker
from config import Settings, read_settings
from embedded.locate import Servers
from embedded.ports import free_port
from integration_check import command
from integration_check.groups import Groups
from integration_check.steps import Steps
from kafka_producer import FinancialDataProducer
from models import INTEGRATION_TEST
from sinks.base import Document
from sinks.mongo import connect, database
from topics import ALL_TOPICS, DATA_TOPICS, ticker_topic

SCRIPT = Path(__file__).resolve().parent.parent / "test_kafka_integration.py"
KINDS = 6


@pytest.fixture(scope="module")
def settings(servers: Servers) -> Iterator[Settings]:
    found = read_settings(
        kafka_bootstrap_servers=servers.kafka,
        mongodb_uri=servers.mongodb,
        mongodb_database=f"script_{uuid4().hex}",
        app_id=f"script-{uuid4().hex}",
        kafka_timeout_s=15,
    )
    with Broker(found) as broker:
        broker.ensure_topics()
    yield found
    with connect(found) as client:
        client.drop_database(found.mongodb_database)


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[Database[Document]]:
    with connect(settings) as client:
        yield database(client, settings)


@pytest.fixture(scope="module")
def environment(settings: Settings) -> dict[str, str]:
    """The settings as a deployment gives them."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "MONGODB_DATABASE": settings.mongodb_database,
        "APP_ID": settings.app_id,
    }


@pytest.fixture(autouse=True)
def in_a_folder_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, str(SCRIPT), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def rows(output: str, outcome: str) -> list[str]:
    return [line for line in output.splitlines() if line.split()[:1] == [outcome]]


def left_over(store: Database[Document]) -> int:
    return sum(
        store[name].count_documents({"source": INTEGRATION_TEST})
        for name in store.list_collection_names()
    )


def test_help_lists_every_option_with_its_default() -> None:
    done = run("--help")
    assert done.returncode == 0
    text = " ".join(done.stdout.partition("\noptions:\n")[2].split())
    explained = dict(re.findall(r"(--[a-z-]+)(?: [A-Z_]+)? ([A-Z].*?\(default: .*?\))", text))
    assert list(explained) == [
        "--skip-topics",
        "--skip-producer",
        "--skip-consumer",
        "--consumer-duration",
        "--kafka-host",
        "--kafka-port",
        "--force",
        "--keep-servers",
    ]
    assert explained["--consumer-duration"].endswith("(default: 30)")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "tickers"),
        (["AAPL", "--bogus"], "--bogus"),
        (["AAPL", "--skip"], "--skip"),
        (["../x"], "'../x'"),
        (["AAPL", "--kafka-port", "99999"], "--kafka-port: '99999'"),
        (["AAPL", "--kafka-host", "a:1"], "--kafka-host: 'a:1'"),
        (["AAPL", "--consumer-duration", "-5"], "--consumer-duration: '-5'"),
        (["AAPL", "--consumer-duration", "soon"], "--consumer-duration: 'soon'"),
    ],
)
def test_bad_usage_is_one_line_that_names_it(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    said = capsys.readouterr()
    assert caught.value.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert named in said.err


def test_a_bad_setting_is_bad_usage() -> None:
    done = run("AAPL", TOPIC_PARTITIONS="many")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "TOPIC_PARTITIONS" in done.stderr


@pytest.mark.integration
def test_all_checks_pass_and_nothing_is_left(
    environment: dict[str, str], settings: Settings, store: Database[Document]
) -> None:
    done = run("aapl", "^GSPC", "AAPL", **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    # Two tickers: published and stored. Then topics, bad record, consumed, removed.
    assert len(rows(done.stdout, "ok")) == 2 * 2 * KINDS + 4
    assert "0 failed, 0 skipped" in done.stdout
    assert left_over(store) == 0
    assert store.dead_letters.count_documents({}) == 0


@pytest.mark.integration
def test_the_address_can_be_given_by_options(environment: dict[str, str]) -> None:
    host, _, port = environment["KAFKA_BOOTSTRAP_SERVERS"].rpartition(":")
    wrong = environment | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    done = run("AAPL", "--kafka-host", host, "--kafka-port", port, **wrong)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.integration
def test_views_by_ticker_are_created_where_they_are_wanted(
    environment: dict[str, str], settings: Settings
) -> None:
    ticker = f"V{uuid4().hex[:8].upper()}"
    done = run(ticker, "--skip-producer", "--skip-consumer", **environment, TOPIC_PER_TICKER="true")
    assert done.returncode == 0, done.stdout + done.stderr
    views = {ticker_topic(spec.name, ticker) for spec in DATA_TOPICS.values() if spec.per_ticker}
    with Broker(settings) as broker:
        assert views <= broker.partitions().keys()
        broker.delete_topics(views)
    assert f"{len(ALL_TOPICS) + len(views)} topics" in done.stdout
    assert len(rows(done.stdout, "skipped")) == 2 * KINDS + 2


@pytest.mark.integration
@pytest.mark.parametrize(
    ("option", "skipped"),
    [("--skip-topics", 1), ("--skip-producer", 2 * KINDS + 1), ("--skip-consumer", KINDS + 1)],
    ids=lambda value: str(value).removeprefix("--"),
)
def test_a_step_can_be_skipped(
    environment: dict[str, str], store: Database[Document], option: str, skipped: int
) -> None:
    done = run("AAPL", option, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    found = rows(done.stdout, "skipped")
    assert len(found) == skipped
    assert all(option in row or "nothing was published" in row for row in found)
    assert left_over(store) == 0


@pytest.mark.integration
def test_a_check_that_fails_ends_with_1_and_the_others_are_made(
    environment: dict[str, str], store: Database[Document]
) -> None:
    done = run("AAPL", **environment | {"TOPIC_PARTITIONS": "3"})
    assert done.returncode == 1
    (failed,) = rows(done.stdout, "FAILED")
    assert "TOPIC_PARTITIONS" in failed
    assert len(rows(done.stdout, "ok")) == 2 * KINDS + 3
    assert left_over(store) == 0


@pytest.mark.integration
def test_without_mongodb_nothing_counts_as_stored(environment: dict[str, str]) -> None:
    done = run(
        "AAPL",
        **environment | {"MONGODB_URI": "mongodb://127.0.0.1:1", "MONGODB_TIMEOUT_S": "0.2"},
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    # Consumed, each kind stored, removed.
    assert len(rows(done.stdout, "FAILED")) == KINDS + 2


def test_no_broker_ends_with_3_and_names_the_address() -> None:
    port = str(free_port())
    began = time.monotonic()
    done = run("AAPL", "--kafka-port", port, MONGODB_URI="mongodb://127.0.0.1:1")
    assert done.returncode == 3
    assert time.monotonic() - began < 40
    assert done.stderr.startswith(f"error: no Kafka broker at localhost:{port}")
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)


@pytest.mark.integration
def test_without_a_broker_force_goes_on_and_fails(environment: dict[str, str]) -> None:
    nowhere = environment | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    done = run("AAPL", "--force", **nowhere)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "127.0.0.1:1" in done.stdout


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_cleans_up(
    number: signal.Signals,
    environment: dict[str, str],
    store: Database[Document],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    consume = Steps._consume
    stored = []

    def interrupted(steps: Steps) -> dict[str, int]:
        consume(steps)
        stored.append(left_over(store))
        signal.raise_signal(number)
        raise AssertionError("not interrupted")

    monkeypatch.setattr(Steps, "_consume", interrupted)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    handler = signal.getsignal(signal.SIGTERM)
    assert command.main(["AAPL"]) == 130
    assert signal.getsignal(signal.SIGTERM) == handler
    assert stored[0] > 0
    assert left_over(store) == 0
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.mark.integration
def test_the_workers_group_is_waited_for_while_it_is_at_work(
    settings: Settings,
) -> None:
    groups = Groups(settings)
    before = groups.start_at_the_end(settings.app_id)
    bar = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0) | {"time": 0}
    with FinancialDataProducer(settings) as producer:
        producer.produce_stock_data("AAPL", bar)
    assert groups.wait_for(settings.app_id, before, 0) is None, "nobody is at work"
    with Broker(settings) as broker:
        worker = broker.consumer(settings.app_id)
        worker.subscribe(["stock-prices"])
        try:
            (message,) = worker.consume(1, timeout=15)
            behind = groups.wait_for(settings.app_id, before, 0)
            assert behind is not None
            assert "1 messages" in behind
            done = TopicPartition(message.topic(), message.partition(), message.offset() + 1)
            worker.commit(offsets=[done], asynchronous=False)
            assert groups.wait_for(settings.app_id, before, 0) is None
        finally:
            worker.close()
    groups.delete(settings.app_id)
