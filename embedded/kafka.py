"""A real Apache Kafka whose nodes are broker and controller (KRaft); one alone."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import ClassVar

from embedded import java, kafka_jars, ports
from embedded.errors import EmbeddedError
from embedded.process import ServerProcess

#: The node that is alone.
_NODE_ID = 1
_FORMAT_TIMEOUT_S = 120.0
_PROBE_TIMEOUT_S = 2.0
#: It runs for a moment only: compiling it well would take longer.
_FORMAT_OPTIONS = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c{1})%n%throwable
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""

quiet = logging.getLogger("embedded.kafka.client")
quiet.addHandler(logging.NullHandler())
quiet.propagate = False


def broker_properties(
    storage: Path, port: int, controller_port: int, *, node: int = _NODE_ID
) -> dict[str, str]:
    """Return the settings of a single node that listens on the loopback address only."""
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": f"{node}@{ports.HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{ports.HOST}:{port},CONTROLLER://{ports.HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{ports.HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(storage),
        # With one broker there is nobody to replicate to.
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # The defaults (50 each) cost a second at the first use, and files, on a laptop.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        # The program creates its topics itself; a misspelt name must not make another.
        "auto.create.topics.enable": "false",
        # After a crash the broker may not come back before its old registration has expired, by
        # default after 9 s.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # The default waits 3 s for more members whenever a group is empty.
        "group.initial.rebalance.delay.ms": "0",
    }


def cluster_answering(bootstrap_servers: str) -> str | None:
    """Return the id of the cluster that answers there within 2 s, None if none does."""
    from confluent_kafka import KafkaException  # noqa: PLC0415 (not needed to stop a server)
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    # Without a logger of our own the client complains on the terminal while Kafka starts.
    client = AdminClient({"bootstrap.servers": bootstrap_servers}, logger=quiet)
    try:
        metadata = client.list_topics(timeout=_PROBE_TIMEOUT_S)
    except KafkaException:
        return None
    cluster_id: str | None = metadata.cluster_id
    return cluster_id if metadata.brokers else None


class EmbeddedKafka(ServerProcess):
    """Apache Kafka on the Java that is installed as a Python package.

    After an unclean end the same data serve again, on the same port if it is free.
    """

    name: ClassVar[str] = "kafka"
    title: ClassVar[str] = f"Kafka {kafka_jars.VERSION}"
    usual_port: ClassVar[int] = 9092
    start_timeout_s: ClassVar[float] = 120.0
    heap: ClassVar[tuple[str, ...]] = ("-Xms256m", "-Xmx512m", "-XX:TieredStopAtLevel=1")

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients, `host:port`."""
        return f"{ports.HOST}:{self.port}"

    @property
    def address(self) -> str:
        """The same as `bootstrap_servers`."""
        return self.bootstrap_servers

    def answers(self) -> bool:
        """Tell whether this broker (not another on its port) answers now; 2 s at most."""
        if not ports.accepts(self.port):
            return False
        answering = cluster_answering(self.bootstrap_servers)
        return answering is not None and answering == self._cluster_id()

    def _ready(self) -> bool:
        return self.answers()

    def _extra_ports(self) -> list[str]:
        return ["controller"]

    def _command(self) -> list[str]:
        jars = kafka_jars.jars(self._log)
        properties = self._properties()
        settings = self._write_properties("server.properties", properties)
        logging_file = self.home / "log4j2.properties"
        logging_file.write_text(_LOGGING, encoding="utf-8")
        if self.storage.exists():
            self._repair()
        else:
            self._format(jars, properties)
        return java.command(
            jars, "kafka.Kafka", [str(settings)], options=[*self.heap, *_java_options(logging_file)]
        )

    def _properties(self) -> dict[str, str]:
        chosen = self._ports()
        return broker_properties(self._logs, chosen["port"], chosen["controller"])

    # The storage: `storage/logs` is Kafka's; beside it lies a copy of the file without which
    # Kafka refuses to start, and which a crash may leave empty.

    @property
    def _logs(self) -> Path:
        return self.storage / "logs"

    @property
    def _identity_copy(self) -> Path:
        return self.storage / "meta.properties"

    def _cluster_id(self) -> str | None:
        try:
            lines = self._identity_copy.read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        ids = [line.partition("=")[2] for line in lines if line.startswith("cluster.id=")]
        return ids[0] if ids else None

    def _id_of_new_storage(self) -> str:
        return new_cluster_id()

    def _format(self, jars: Path, properties: dict[str, str]) -> None:
        """Make the storage, elsewhere first, so that it exists only when it is whole."""
        part = self.home / "storage.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        settings = self._write_properties(
            "format.properties", properties | {"log.dirs": str(part / "logs")}
        )
        arguments = [
            "format",
            f"--cluster-id={self._id_of_new_storage()}",
            "--config",
            str(settings),
        ]
        output = self.home / "format.log"
        with output.open("wb") as file:
            code = subprocess.run(
                java.command(jars, "kafka.tools.StorageTool", arguments, options=_FORMAT_OPTIONS),
                env=os.environ | {"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=_FORMAT_TIMEOUT_S,
                check=False,
            ).returncode
        if code != 0:
            raise EmbeddedError(f"{self.title} could not make its storage.", log=output)
        shutil.copyfile(part / "logs" / "meta.properties", part / "meta.properties")
        part.rename(self.storage)

    def _repair(self) -> None:
        """Give Kafka its identity back if a crash (or a copied folder) damaged it."""
        identity = self._logs / "meta.properties"
        try:
            wanted = self._identity_copy.read_bytes()
        except FileNotFoundError as error:
            raise EmbeddedError(
                f"{self.storage} is not a storage that this program made: no {error.filename}",
                remedy=f"`python -m embedded --data-dir {self.data_dir} reset` deletes it",
            ) from error
        if not identity.exists() or _settings_in(identity.read_bytes()) != _settings_in(wanted):
            self._log(f"restoring {identity}, which does not belong to these data")
            self._logs.mkdir(exist_ok=True)
            identity.write_bytes(wanted)

    def _write_properties(self, name: str, properties: dict[str, str]) -> Path:
        path = self.home / name
        # Java's escapes in such a file are JSON's: a path need not be ASCII.
        lines = [f"{key}={json.dumps(value)[1:-1]}" for key, value in properties.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def new_cluster_id() -> str:
    """Return a new id in the form that Kafka asks for."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _settings_in(text: bytes) -> set[bytes]:
    return {line for line in text.splitlines() if line and not line.startswith(b"#")}


def _java_options(logging_file: Path) -> list[str]:
    # One small heap on few cores: the serial collector takes least memory and time to start.
    collector = "-XX:+UseSerialGC" if (os.cpu_count() or 1) <= 2 else "-XX:+UseG1GC"
    return [collector, f"-Dlog4j2.configurationFile={logging_file}"]
