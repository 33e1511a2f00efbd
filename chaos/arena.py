"""The deployment that is broken: three brokers, three members of MongoDB, and workers."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from chaos.workers import NAME, Crew
from embedded.cluster import KafkaCluster, MongoReplicaSet


class Arena(Crew):
    """Servers that can be broken, and a crew of workers on them.

    Args:
        directory: takes the servers' data and all logs.
        kafka: three brokers.
        mongodb: three members.
    """

    def __init__(self, directory: Path, kafka: KafkaCluster, mongodb: MongoReplicaSet) -> None:
        super().__init__(directory, kafka.address, mongodb.address, "app", replicas=3)
        self.kafka = kafka
        self.mongodb = mongodb

    def another_crew(self, name: str) -> Crew:
        """Return workers of another group, with another database, under the same parameters."""
        address, uri = self.kafka.address, self.mongodb.address
        crew = Crew(self.directory / name, address, uri, "app", replicas=3, name=name)
        crew.parameters = self.parameters
        return crew


@contextlib.contextmanager
def arena(directory: Path) -> Iterator[Arena]:
    """Start the servers, in an empty folder; end everything at the end, and leave the logs."""
    for left in (*directory.glob("worker-*"), *directory.glob(f"{NAME}-*")):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
    with (
        KafkaCluster(directory / "kafka") as kafka,
        MongoReplicaSet(directory / "mongodb") as mongodb,
    ):
        made = Arena(directory, kafka, mongodb)
        try:
            yield made
        finally:
            made.end()
