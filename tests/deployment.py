"""A deployment of the program for one test: its own group, database and worker processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from pymongo.database import Database

from broker import Broker
from config import Settings, read_settings
from embedded.locate import Servers
from errors import BrokerUnavailable
from kafka_producer import FinancialDataProducer
from models import BAR, Bar
from sinks.base import Document
from sinks.mongo import connect, database
from tests.eventually import eventually
from topics import ALL_TOPICS, CONSUMED, STOCK_PRICES

ROOT = Path(__file__).parent.parent

#: Topics that agents read: once their lag is 0, everything is processed.
READ_TOPICS = CONSUMED


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Worker:
    """One `faust worker` process."""

    def __init__(
        self, app: str, environment: dict[str, str], log: Path, port: int | None = None
    ) -> None:
        self.log = log
        self.port = free_port() if port is None else port
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - arguments of our own
                [sys.executable, "-m", "faust", "-A", app, "worker", "-l", "info"],
                cwd=ROOT,
                env=os.environ | environment | {"WEB_PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Return once the worker has its partitions and processes them."""
        eventually(lambda: self.says("Worker ready") or self._ended(), f"ready: {self.log}")
        assert not self._ended(), self.tail()

    def says(self, text: str, times: int = 1) -> bool:
        """Whether ``text`` stands in the worker's log, so many times or more."""
        return self.log.read_text(errors="replace").count(text) >= times

    def tail(self) -> str:
        """The last lines of the worker's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s: float = 20.0) -> int:
        """Ask the process to end; returns its exit code."""
        self.process.terminate()
        return self.process.wait(timeout_s)

    def _ended(self) -> bool:
        return self.process.poll() is not None


class Deployment:
    """A consumer group and a database of its own on shared servers."""

    def __init__(self, servers: Servers, directory: Path, **overrides: Any) -> None:
        name = uuid.uuid4().hex[:12]
        self.directory = directory
        self.settings: Settings = read_settings(
            kafka_bootstrap_servers=servers.kafka,
            mongodb_uri=servers.mongodb,
            mongodb_database=f"test_{name}",
            app_id=f"test-{name}",
            **overrides,
        )
        self._overrides = overrides
        self._client = connect(self.settings)
        self.database: Database[Document] = database(self._client, self.settings)
        self.broker = Broker(self.settings)
        self.workers: list[Worker] = []
        self.broker.ensure_topics()
        self._start_here()

    def _start_here(self) -> None:
        """Let the group begin at the end: the topics hold what other tests sent."""
        eventually(self._began_at_the_end, "a broker that has its leaders and coordinators")

    def _began_at_the_end(self) -> bool:
        consumer = self.broker.consumer(self.settings.app_id)
        try:
            ends = self.broker.end_offsets(spec.name for spec in ALL_TOPICS)
            places = [TopicPartition(topic, part, offset) for (topic, part), offset in ends.items()]
            consumer.commit(offsets=places, asynchronous=False)
        except (BrokerUnavailable, KafkaException):
            return False  # topics that were created a moment ago
        finally:
            consumer.close()
        return True

    def environment(self) -> dict[str, str]:
        """The settings of this deployment, as a worker process reads them."""
        given = {name.upper(): str(value) for name, value in self._overrides.items()}
        return given | {
            "KAFKA_BOOTSTRAP_SERVERS": self.settings.kafka_bootstrap_servers,
            "MONGODB_URI": self.settings.mongodb_uri.get_secret_value(),
            "MONGODB_DATABASE": self.settings.mongodb_database,
            "APP_ID": self.settings.app_id,
            "PYTHONPATH": str(ROOT),
        }

    def start_worker(self, app: str = "app", port: int | None = None, **more: str) -> Worker:
        """Start one more worker; a web port and more environment may be given."""
        index = len(self.workers)
        environment = self.environment() | {"DATA_DIR": str(self.directory / f"worker-{index}")}
        log = self.directory / f"worker-{index}.log"
        worker = Worker(app, environment | more, log, port)
        self.workers.append(worker)
        return worker

    def producer(self) -> FinancialDataProducer:
        """A producer onto this deployment's Kafka."""
        return FinancialDataProducer(self.settings)

    def send_bars(self, bars: Sequence[Bar]) -> None:
        """Put bars on their topic, acknowledged."""
        with self.producer() as producer:
            assert producer.produce_records(STOCK_PRICES, bars) == len(bars)

    def drained(self, timeout_s: float = 60.0) -> None:
        """Return once every message is processed and its offset committed."""
        self.broker.lag(self.settings.app_id, READ_TOPICS)
        eventually(
            lambda: not any(self.broker.lag(self.settings.app_id, READ_TOPICS).values()),
            f"lag 0\n{self.workers[-1].tail() if self.workers else ''}",
            timeout_s,
        )

    def close(self) -> None:
        """End the workers and drop the database."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.signal(signal.SIGCONT)
                worker.kill()
        self._client.drop_database(self.settings.mongodb_database)
        self._client.close()


def bar(ticker: str, time_ms: int, close: float = 100.0, **fields: Any) -> Bar:
    """Return a closed bar around ``close``."""
    return BAR.parse(
        {
            "ticker": ticker,
            "interval": "1m",
            "time": time_ms,
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 1000.0,
            "source": "test",
            "ingested": time_ms,
            **fields,
        }
    )
