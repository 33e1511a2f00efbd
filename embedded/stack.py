"""Kafka and MongoDB together: what `python -m embedded` does, for programs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from embedded.kafka import EmbeddedKafka
from embedded.mongo import EmbeddedMongo
from embedded.process import Log, ServerProcess

DEFAULT_DATA_DIR = Path(__file__).resolve().parent.parent / ".data"
NAMES = (EmbeddedKafka.name, EmbeddedMongo.name)

_log = logging.getLogger("embedded")


@dataclass(frozen=True, slots=True)
class Stack:
    """The servers of a data directory after `up`.

    Attributes:
        kafka: None if it was not asked for.
        mongodb: None if it was not asked for.
        started: the names of those that this call started; the others ran before and are not the
            caller's to stop.
    """

    kafka: EmbeddedKafka | None
    mongodb: EmbeddedMongo | None
    started: frozenset[str]

    @property
    def servers(self) -> list[ServerProcess]:
        """Those that were asked for."""
        return [server for server in (self.kafka, self.mongodb) if server is not None]

    def stop(self) -> None:
        """Stop the servers that this `up` started, and no others."""
        with ThreadPoolExecutor() as pool:
            mine = [server for server in self.servers if server.name in self.started]
            list(pool.map(lambda server: server.stop(), mine))


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of one server; `address` is None unless it answers."""

    name: str
    title: str
    pid: int | None
    address: str | None
    memory_bytes: int | None
    folder: Path
    log_file: Path


def up(
    data_dir: Path = DEFAULT_DATA_DIR,
    *,
    log: Log = _log.info,
    wanted: Collection[str] = NAMES,
    usual_ports: bool = True,
) -> Stack:
    """Start the wanted servers that do not run yet, side by side, and wait until all serve.

    Args:
        data_dir: where their folders are.
        log: receives one-line reports.
        wanted: names of servers, of `NAMES`.
        usual_ports: whether to prefer 9092 and 27017; False for servers beside the usual ones.

    Raises:
        EmbeddedError: one did not start; those that this call started are stopped again.
    """
    # A server that ran here before keeps its port; only a new one is sent elsewhere.
    kafka = EmbeddedKafka(data_dir, log=log, avoid_usual_port=not usual_ports)
    mongodb = EmbeddedMongo(data_dir, log=log, avoid_usual_port=not usual_ports)
    # MongoDB first: it starts while Kafka's files may still be on their way.
    both: list[ServerProcess] = [mongodb, kafka]
    servers = [server for server in both if server.name in wanted]
    started: list[ServerProcess] = []
    with contextlib.ExitStack() as held:
        for server in servers:
            held.enter_context(server.lock())
        try:
            for server in servers:
                if server.launch():
                    started.append(server)
            for server in servers:
                server.wait_ready()
        except BaseException:
            for server in started:
                server.kill()
            raise
    return Stack(
        kafka if kafka in servers else None,
        mongodb if mongodb in servers else None,
        frozenset(server.name for server in started),
    )


def down(data_dir: Path = DEFAULT_DATA_DIR, *, log: Log = _log.info) -> list[str]:
    """Stop the servers of this data directory; return the titles of those that ran."""
    servers = _servers(data_dir, log)
    with ThreadPoolExecutor() as pool:  # each takes about 2 s
        ran = list(pool.map(lambda server: server.stop(), servers))
    return [server.title for server, one in zip(servers, ran, strict=True) if one]


def status(data_dir: Path = DEFAULT_DATA_DIR) -> list[Status]:
    """Look at each server; takes a few seconds at most."""
    return [_status_of(server) for server in _servers(data_dir, _log.info)]


def reset(data_dir: Path = DEFAULT_DATA_DIR, *, log: Log = _log.info) -> None:
    """Stop the servers and delete their data, saying what; the downloaded jars stay."""
    existing = [server for server in _servers(data_dir, log) if server.home.exists()]
    for server in existing:
        # Before its folder is measured, as it deletes files itself while it runs.
        server.stop()
        log(f"deleting {server.home} ({megabytes(_size(server.home))} MB)")
        server.delete_data()
    if not existing:
        log(f"nothing to delete in {data_dir}")


def megabytes(size: int) -> int:
    """Round a size in bytes to whole megabytes (10^6 bytes)."""
    return round(size / 1e6)


def _servers(data_dir: Path, log: Log) -> list[ServerProcess]:
    return [EmbeddedKafka(data_dir, log=log), EmbeddedMongo(data_dir, log=log)]


def _status_of(server: ServerProcess) -> Status:
    memory = address = None
    process = server.process
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            memory = process.memory_info().rss
        address = server.address if server.answers() else None
    return Status(
        name=server.name,
        title=server.title,
        pid=None if process is None else process.pid,
        address=address,
        memory_bytes=memory,
        folder=server.home,
        log_file=server.log_file,
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
