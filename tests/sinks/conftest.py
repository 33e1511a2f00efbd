"""A real MongoDB for the tests of this package, a database of its own for each of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from config import Settings, read_settings
from embedded.locate import Servers
from sinks import MongoSink
from sinks.mongo import connect, database
from tests.sinks.stores import IDS, MongoStore


@pytest.fixture
def settings(servers: Servers) -> Settings:
    """Settings that name a database which nobody else uses."""
    return read_settings(
        _env_file=None,
        mongodb_uri=servers.mongodb,
        mongodb_database=f"test_{uuid.uuid4().hex}",
    )


@pytest.fixture
def mongo(settings: Settings) -> Iterator[Database[dict[str, Any]]]:
    """The database, deleted afterwards."""
    with connect(settings) as client:
        found = database(client, settings)
        yield found
        client.drop_database(found.name)


@pytest.fixture
def mongo_store(settings: Settings, mongo: Database[dict[str, Any]]) -> Iterator[MongoStore]:
    """A MongoSink, and what it has stored."""
    ids = dict(IDS)
    sink = MongoSink(settings, ids)
    yield MongoStore(sink, ids, mongo)
    sink.close()
