"""Finds a Kafka and a MongoDB for scripts and tests: given ones, in Docker, or embedded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from embedded import stack
from embedded.docker import Container, DockerEngine
from embedded.errors import EmbeddedError
from embedded.kafka import EmbeddedKafka
from embedded.mongo import EmbeddedMongo

Origin = Literal["given", "docker", "embedded"]
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Servers:
    """Where Kafka and MongoDB are, and where each came from.

    As a context manager it stops on leaving what was started for it.
    """

    kafka: str
    mongodb: str
    kafka_from: Origin
    mongodb_from: Origin
    _cleanup: ExitStack = field(default_factory=ExitStack, repr=False)

    def stop(self) -> None:
        """Stop what was started for this object, and nothing else; may be called twice."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def find_servers(
    kafka: str | None,
    mongodb: str | None,
    *,
    data_dir: Path = stack.DEFAULT_DATA_DIR,
    log: Log,
    usual_ports: bool = True,
    docker: DockerEngine | None = None,
) -> Servers:
    """Find or start the two servers; Kafka and MongoDB are decided separately.

    Args:
        kafka: `host:port` of a Kafka to use as it is, or None.
        mongodb: the connection string of a MongoDB to use as it is, or None.
        data_dir: where embedded servers keep their data. Those that run there already are used,
            and left running.
        log: receives one-line reports: what is used, and what takes time.
        usual_ports: whether embedded servers prefer 9092 and 27017.
        docker: the engine to ask; the usual one if None.

    Raises:
        EmbeddedError: a server that is needed could not be started; nothing is left running.
    """
    engine = DockerEngine() if docker is None else docker
    with ExitStack() as cleanup:
        found: dict[str, tuple[str, Origin]] = {}
        for name, given in ((EmbeddedKafka.name, kafka), (EmbeddedMongo.name, mongodb)):
            if given is not None:
                found[name] = given, "given"
        if len(found) < len(stack.NAMES) and engine.answers():
            starters = {EmbeddedKafka.name: engine.kafka, EmbeddedMongo.name: engine.mongodb}
            for name in stack.NAMES:
                if name not in found:
                    log(f"starting {name} in Docker (its image is pulled the first time)")
                    container = _in_docker(starters[name], log)
                    if container is not None:
                        cleanup.callback(container.stop)
                        found[name] = container.address, "docker"
        missing = [name for name in stack.NAMES if name not in found]
        if missing:
            embedded = stack.up(data_dir, log=log, wanted=missing, usual_ports=usual_ports)
            cleanup.callback(embedded.stop)
            for server in embedded.servers:
                found[server.name] = server.address, "embedded"
        (kafka_address, kafka_from), (mongodb_address, mongodb_from) = (
            found[name] for name in stack.NAMES
        )
        log(f"Kafka ({kafka_from}): {kafka_address}")
        log(f"MongoDB ({mongodb_from}): {_without_password(mongodb_address)}")
        return Servers(kafka_address, mongodb_address, kafka_from, mongodb_from, cleanup.pop_all())


def _in_docker(starter: Callable[[], Container], log: Log) -> Container | None:
    try:
        return starter()
    except EmbeddedError as error:
        log(f"{error}; using an embedded server instead")
        return None


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.rpartition("://")
    credentials, at, host = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}{separator}{user}{at}{host}"
