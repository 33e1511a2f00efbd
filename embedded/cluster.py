"""A Kafka of three brokers and a MongoDB of three members, to be broken one by one.

For failover tests. Each member is a server as :mod:`embedded.kafka` and :mod:`embedded.mongo` start
one alone, with a folder of its own below the cluster's, and can be killed, stopped and started
again by itself. Its timeouts are Kafka's and MongoDB's own, so that what is measured here is what a
deployment sees.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata
from pymongo.errors import OperationFailure, PyMongoError

from embedded import ports
from embedded.errors import EmbeddedError
from embedded.kafka import EmbeddedKafka, broker_properties, new_cluster_id, quiet
from embedded.mongo import NOT_YET_INITIATED, REPLICA_SET, EmbeddedMongo, probe
from embedded.process import Log, ServerProcess
from embedded.waiting import until

MEMBERS = 3
_METADATA_TIMEOUT_S = 5.0
_ELECTION_TIMEOUT_S = 60.0

_log = logging.getLogger("embedded")

M = TypeVar("M", bound=ServerProcess)


class KafkaMember(EmbeddedKafka):
    """One broker, and controller, of a cluster.

    Args:
        data_dir: the folder of this member.
        node: its number, from 1.
        places: the ports of every member by its number: ``port`` and ``controller``.
        cluster: the id that all members share.
    """

    # Three of them, started and killed all the time: the quick compiler alone halves their start.
    heap: ClassVar[tuple[str, ...]] = ("-Xms160m", "-Xmx320m", "-XX:TieredStopAtLevel=1")

    def __init__(
        self,
        data_dir: Path,
        node: int,
        places: Mapping[int, Mapping[str, int]],
        cluster: str,
        log: Log = _log.info,
    ) -> None:
        super().__init__(data_dir, places[node]["port"], log=log)
        self.node = node
        self._places = places
        self._cluster = cluster

    def metadata(self) -> ClusterMetadata | None:
        """Return what this broker knows of the cluster now, None if it does not answer."""
        client = AdminClient({"bootstrap.servers": self.bootstrap_servers}, logger=quiet)
        try:
            return client.list_topics(timeout=_METADATA_TIMEOUT_S)
        except KafkaException:
            return None

    def answers(self) -> bool:
        """Tell whether this broker serves clients, and the others know it."""
        if not ports.accepts(self.port):
            return False
        metadata = self.metadata()
        return metadata is not None and self.node in metadata.brokers

    def _ports(self) -> dict[str, int]:
        return dict(self._places[self.node])

    def _choose_ports(self) -> None:
        """The others know this member by its ports: they stay."""

    def _id_of_new_storage(self) -> str:
        return self._cluster

    def _properties(self) -> dict[str, str]:
        here = self._places[self.node]
        alone = broker_properties(self._logs, here["port"], here["controller"], node=self.node)
        # Alone, a broker that was killed shall come back soon; here another one takes over after
        # Kafka's own time.
        for name in ("broker.session.timeout.ms", "broker.heartbeat.interval.ms"):
            del alone[name]
        voters = (
            f"{node}@{ports.HOST}:{place['controller']}" for node, place in self._places.items()
        )
        replicated = {
            name: str(MEMBERS) for name in alone if name.endswith("replication.factor")
        } | {name: "2" for name in alone if name.endswith(("min.isr", "min.insync.replicas"))}
        return alone | replicated | {"controller.quorum.voters": ",".join(voters)}


class MongoMember(EmbeddedMongo):
    """One member of a replica set; the first one calls the others together.

    Args:
        data_dir: the folder of this member.
        port: where it listens.
        all_ports: where the members listen, this one included.
    """

    cache_gb: ClassVar[float] = 0.25

    def __init__(
        self, data_dir: Path, port: int, all_ports: Sequence[int], log: Log = _log.info
    ) -> None:
        super().__init__(data_dir, port, log=log)
        self._own_port = port
        self._all_ports = all_ports

    def answers(self) -> bool:
        """Tell whether this member is the primary, or follows one."""
        return bool({"primary", "secondary"} & {self.role()})

    def role(self) -> str:
        """Return ``primary``, ``secondary``, ``other`` (it starts, or alone), ``down``."""
        if not ports.accepts(self.port):
            return "down"
        try:
            with probe(self.direct_uri) as client:
                hello = client.admin.command("hello")
        except PyMongoError:
            return "down"
        if hello.get("isWritablePrimary", False):
            return "primary"
        return "secondary" if hello.get("secondary", False) else "other"

    def _ports(self) -> dict[str, int]:
        return {"port": self._own_port}

    def _ready(self) -> bool:
        if self.role() == "other" and self._own_port == self._all_ports[0]:
            with contextlib.suppress(PyMongoError):
                self._call_together()
        ready = self.answers()
        if ready:
            self._complete.touch()
        return ready

    def _call_together(self) -> None:
        """Make the set, once; fails while another member is not up yet."""
        members = [
            {"_id": number, "host": f"{ports.HOST}:{port}"}
            for number, port in enumerate(self._all_ports)
        ]
        with probe(self.direct_uri) as client:
            try:
                client.admin.command("replSetGetConfig")
            except OperationFailure as error:
                if error.code != NOT_YET_INITIATED:
                    raise
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})


class Cluster(ABC, Generic[M]):
    """Servers that are one to their clients. A context manager: started anew, and ended after.

    The members' logs stay, until the next start deletes what is there.

    Args:
        data_dir: the folder that holds the members' folders; nothing else may be in it.
        log: receives one-line reports.
    """

    def __init__(self, data_dir: Path, log: Log = _log.info) -> None:
        self.data_dir = data_dir.absolute()
        self.members: list[M] = list(self._make(log))

    @abstractmethod
    def _make(self, log: Log) -> Iterable[M]:
        """Return the members, none of them started."""

    @property
    @abstractmethod
    def address(self) -> str:
        """What a client needs to connect to whichever member runs."""

    def start(self) -> None:
        """Start all members that do not run, and wait until each serves.

        Raises:
            EmbeddedError: one did not start; those that run stay.
        """
        with ThreadPoolExecutor(MEMBERS) as pool:
            list(pool.map(lambda member: member.start(), self.members))

    def kill(self) -> None:
        """End all members at once, as a power cut would."""
        for member in self.members:
            member.kill()

    def __enter__(self) -> Self:
        for member in self.members:
            member.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class KafkaCluster(Cluster[KafkaMember]):
    """Three brokers; topics of three replicas, of which two must be there to be written to."""

    def _make(self, log: Log) -> Iterable[KafkaMember]:
        found = _free_ports(2 * MEMBERS)
        places = {
            node: {"port": found[2 * node - 2], "controller": found[2 * node - 1]}
            for node in range(1, MEMBERS + 1)
        }
        cluster = new_cluster_id()
        return (
            KafkaMember(self.data_dir / f"broker-{node}", node, places, cluster, log)
            for node in places
        )

    @property
    def address(self) -> str:
        """The addresses of all brokers, separated by commas."""
        return ",".join(member.bootstrap_servers for member in self.members)

    def leader_of_most(self) -> KafkaMember:
        """Return the broker that leads more partitions than any other, internal topics included.

        Raises:
            EmbeddedError: no broker answers.
        """
        for member in self.members:
            metadata = member.metadata() if ports.accepts(member.port) else None
            if metadata is not None:
                break
        else:
            raise EmbeddedError("no broker of the cluster answers")
        leads = Counter(
            partition.leader
            for topic in metadata.topics.values()
            for partition in topic.partitions.values()
        )
        return max(self.members, key=lambda member: leads[member.node])


class MongoReplicaSet(Cluster[MongoMember]):
    """Three members, one of them the primary."""

    def _make(self, log: Log) -> Iterable[MongoMember]:
        found = _free_ports(MEMBERS)
        return (
            MongoMember(self.data_dir / f"member-{number}", port, found, log)
            for number, port in enumerate(found, 1)
        )

    @property
    def address(self) -> str:
        """The connection string of the set."""
        hosts = ",".join(f"{ports.HOST}:{member.port}" for member in self.members)
        return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        """Start all members, and wait until one of them is the primary."""
        super().start()
        self.primary()

    def primary(self) -> MongoMember:
        """Return the primary; waits for an election.

        Raises:
            EmbeddedError: none was elected within a minute.
        """
        found: list[MongoMember] = []

        def look() -> bool:
            found[:] = [member for member in self.members if member.role() == "primary"]
            return len(found) == 1

        if not until(look, _ELECTION_TIMEOUT_S):
            raise EmbeddedError(f"no primary within {_ELECTION_TIMEOUT_S:.0f} s")
        return found[0]


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found.append(ports.free_port(found))
    return found
