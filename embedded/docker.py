"""The same two servers as Docker containers, where a Docker engine answers (testcontainers)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedded import kafka_jars, ports
from embedded.errors import EmbeddedError
from embedded.kafka import cluster_answering
from embedded.mongo import REPLICA_SET, ensure_writable
from embedded.waiting import until

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

KAFKA_IMAGE = f"apache/kafka:{kafka_jars.VERSION}"
MONGODB_IMAGE = "mongo:6.0"
_DEFAULT_HOST = "unix:///var/run/docker.sock"
_ANSWER_TIMEOUT_S = 3
_START_TIMEOUT_S = 90.0

_logger = logging.getLogger("embedded")


@dataclass(frozen=True, slots=True)
class Container:
    """A server that runs in a container: its address for clients, and how to end it."""

    address: str
    stop: Callable[[], None]


class DockerEngine:
    """The Docker engine that the environment or the Docker context names."""

    def answers(self) -> bool:
        """Tell whether an engine answers, after 3 s at most."""
        try:
            from docker.errors import DockerException  # noqa: PLC0415 (a development package)
            from testcontainers.core.docker_client import (  # noqa: PLC0415
                DockerClient,
                get_docker_host,
            )
        except ImportError:
            return False
        if not _may_answer(get_docker_host() or _DEFAULT_HOST):
            return False
        try:
            client = DockerClient(timeout=_ANSWER_TIMEOUT_S).client
            try:
                return bool(client.ping())
            finally:
                client.close()
        except (DockerException, OSError) as error:
            _logger.debug("no Docker engine: %s", error)
            return False

    def kafka(self) -> Container:
        """Start a Kafka of one node.

        Raises:
            EmbeddedError: it did not start or does not answer; nothing is left running.
        """
        # Kafka tells its clients where it is, so the port on this side must be known beforehand.
        port = ports.free_port()

        def configure(container: DockerContainer) -> None:
            container.with_bind_ports(9092, port)
            container.with_envs(**_kafka_environment(address(container)))

        def address(container: DockerContainer) -> str:
            return f"{container.get_docker_client().host()}:{port}"

        # testcontainers' own KafkaContainer runs the start scripts of another distribution's image.
        return _start(
            KAFKA_IMAGE, configure, address, lambda where: cluster_answering(where) is not None
        )

    def mongodb(self) -> Container:
        """Start a mongod as a replica set of one member.

        Raises:
            EmbeddedError: it did not start or does not answer; nothing is left running.
        """

        def configure(container: DockerContainer) -> None:
            container.with_exposed_ports(27017)
            container.with_command(f"--replSet {REPLICA_SET} --bind_ip_all")

        def address(container: DockerContainer) -> str:
            host, port = container.get_container_host_ip(), container.get_exposed_port(27017)
            # Directly: the member knows itself by an address that is valid in its container only.
            return f"mongodb://{host}:{port}/?directConnection=true"

        # testcontainers' own MongoDbContainer sets a password, and with one a set needs a key file.
        return _start(
            MONGODB_IMAGE,
            configure,
            address,
            lambda where: ensure_writable(where, "127.0.0.1:27017"),
        )


def _may_answer(host: str) -> bool:
    """Tell whether something listens, if the engine is behind a Unix socket.

    The Docker client would find out as well, but leave its socket open.
    """
    if not host.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_ANSWER_TIMEOUT_S)
        try:
            probe.connect(host.removeprefix("unix://"))
        except OSError:
            return False
    return True


def _kafka_environment(address: str) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{address}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }


def _start(
    image: str,
    configure: Callable[[DockerContainer], object],
    address: Callable[[DockerContainer], str],
    ready: Callable[[str], bool],
) -> Container:
    from docker.errors import DockerException  # noqa: PLC0415
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    with ExitStack() as cleanup:
        try:
            container = DockerContainer(image)
            cleanup.callback(container.stop)
            configure(container)
            container.start()
            where = address(container)
            if not until(lambda: ready(where), _START_TIMEOUT_S):
                raise EmbeddedError(f"no answer within {_START_TIMEOUT_S:.0f} s")
        # testcontainers' own errors are RuntimeErrors, as ours are; those of HTTP are OSErrors.
        except (DockerException, OSError, RuntimeError) as error:
            raise EmbeddedError(f"Docker could not start {image}: {error}") from error
        return Container(where, cleanup.pop_all().close)
