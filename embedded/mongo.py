"""A real mongod as a replica set of one member (change streams and transactions need a set)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from embedded import mongod_binary, ports
from embedded.process import ServerProcess

REPLICA_SET = "rs0"
_OPLOG_MB = 256
_PROBE_TIMEOUT_MS = 2_000
NOT_YET_INITIATED = 94


def ensure_writable(uri: str, member: str) -> bool:
    """Make the mongod at `uri` the only member of its replica set; True when it takes writes.

    Args:
        uri: connects to the mongod itself (`directConnection=true`).
        member: the `host:port` under which the member knows itself.
    """
    try:
        with probe(uri) as client:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary", False) and hello.get("me") == member:
                return True
            _configure(client, member)
            return False  # the election takes a moment: ask again
    except PyMongoError:
        return False


def probe(uri: str) -> MongoClient[dict[str, Any]]:
    """Return a client that gives up after 2 s."""
    return MongoClient(uri, serverSelectionTimeoutMS=_PROBE_TIMEOUT_MS)


def _configure(client: MongoClient[dict[str, Any]], member: str) -> None:
    members = [{"_id": 0, "host": member}]
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIATED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return
    if [m["host"] for m in config["members"]] != [member]:
        # The port changed: a member that does not find itself in the set never becomes primary.
        new = config | {"members": members, "version": config["version"] + 1}
        client.admin.command("replSetReconfig", new, force=True)


class EmbeddedMongo(ServerProcess):
    """mongod from the installed wheel.

    After an unclean end the same data serve again, on the same port if it is free.
    """

    name: ClassVar[str] = "mongodb"
    title: ClassVar[str] = "MongoDB"
    usual_port: ClassVar[int] = 27017
    start_timeout_s: ClassVar[float] = 60.0
    cache_gb: ClassVar[float] = 0.5

    @property
    def uri(self) -> str:
        """The connection string for clients.

        It names the replica set and leaves the connection to discovery, so that clients wait for
        the primary while the server restarts instead of failing.
        """
        return f"mongodb://{ports.HOST}:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def address(self) -> str:
        """The same as `uri`."""
        return self.uri

    @property
    def direct_uri(self) -> str:
        """Connects to this mongod itself, whatever its set is doing."""
        return f"mongodb://{ports.HOST}:{self.port}/?directConnection=true"

    def answers(self) -> bool:
        """Tell whether the server takes writes now; 2 s at most."""
        try:
            with probe(self.direct_uri) as client:
                hello = client.admin.command("hello")
        except PyMongoError:
            return False
        return bool(hello.get("isWritablePrimary", False))

    def _ready(self) -> bool:
        if not ports.accepts(self.port):
            return False
        ready = ensure_writable(self.direct_uri, f"{ports.HOST}:{self.port}")
        if ready:
            self._complete.touch()
        return ready

    # Says that the first start came to its end. Without it nobody has written anything yet, and
    # what lies in the folder is what a crash in the middle of that start left.
    @property
    def _complete(self) -> Path:
        return self.storage / "complete"

    def _command(self) -> list[str]:
        binary = mongod_binary.locate()
        if not self._complete.exists():
            shutil.rmtree(self.storage, ignore_errors=True)
        database = self.storage / "db"
        database.mkdir(parents=True, exist_ok=True)
        return [
            str(binary),
            *("--bind_ip", ports.HOST, "--port", str(self.port)),
            *("--dbpath", str(database), "--replSet", REPLICA_SET),
            *("--wiredTigerCacheSizeGB", str(self.cache_gb), "--oplogSize", str(_OPLOG_MB)),
            # A socket in /tmp would be reachable, and left over after a crash, outside our folder.
            *("--nounixsocket", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # The default lets the clients of a set finish for 15 s, for another member to take
            # over; here there is none.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        ]
