"""Servers of this package's own: its tests kill them and damage their files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import stack
from embedded.kafka import EmbeddedKafka
from embedded.mongo import EmbeddedMongo


def leave_half_written_data(data_dir: Path) -> None:
    """Write what a crash in the middle of both servers' very first start leaves."""
    part = data_dir / "kafka" / "storage.part" / "logs"
    part.mkdir(parents=True)
    (part / "meta.properties.tmp").write_text("version=1\ncluster.i")
    database = data_dir / "mongodb" / "storage" / "db"
    database.mkdir(parents=True)
    (database / "WiredTiger").write_text("WiredTi")
    (database / "mongod.lock").write_text("1\n")


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """Both servers, started once over half-written data; a test that ends one starts it again."""
    data_dir = tmp_path_factory.mktemp("embedded")
    leave_half_written_data(data_dir)
    servers = stack.up(data_dir, usual_ports=False)
    try:
        yield servers
    finally:
        stack.down(data_dir)
    shutil.rmtree(data_dir)


@pytest.fixture
def kafka(running: stack.Stack) -> EmbeddedKafka:
    """The running Kafka."""
    assert running.kafka is not None
    return running.kafka


@pytest.fixture
def mongodb(running: stack.Stack) -> EmbeddedMongo:
    """The running mongod."""
    assert running.mongodb is not None
    return running.mongodb
