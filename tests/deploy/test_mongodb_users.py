"""deploy/mongodb/users.js: its user can do what the program does, and nothing elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from config import Settings, read_settings
from embedded import ports
from embedded.mongo import EmbeddedMongo
from sinks.indexes import ensure_indexes
from sinks.mongo import connect, database

pytestmark = [pytest.mark.integration, pytest.mark.long]

SCRIPT = Path(__file__).parent.parent.parent / "deploy" / "mongodb" / "users.js"
PASSWORD = "of-nobody"  # noqa: S105


class Asking(EmbeddedMongo):
    """A mongod that asks for passwords, as a member of a set: with a key."""

    def _command(self) -> list[str]:
        key = self.home / "key"
        key.write_text("a" * 96, encoding="ascii")
        key.chmod(0o600)
        return [*super()._command(), "--keyFile", str(key)]


def user() -> tuple[str, list[dict[str, str]]]:
    """The user that the script makes, and its roles."""
    text = SCRIPT.read_text(encoding="utf-8")
    name = re.search(r'user: "(\w+)"', text)
    assert name is not None
    roles = re.findall(r'\{ role: "(\w+)", db: "(\w+)" \}', text)
    assert len(roles) == text.count("role:")
    return name[1], [{"role": role, "db": where} for role, where in roles]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("mongodb")
    name, roles = user()
    with (
        EmbeddedMongo(folder, avoid_usual_port=True) as open_to_all,
        MongoClient[Any](open_to_all.direct_uri) as client,
    ):
        client.admin.command("createUser", name, pwd=PASSWORD, roles=roles)
    with Asking(folder, avoid_usual_port=True) as asking:
        uri = f"mongodb://{name}:{PASSWORD}@{ports.HOST}:{asking.port}/?authSource=admin"
        yield read_settings(_env_file=None, mongodb_uri=uri)


def test_it_can_do_what_the_program_does(settings: Settings) -> None:
    with connect(settings) as client:
        place = database(client, settings)
        for days in (30, 60, None):
            ensure_indexes(place, settings.model_copy(update={"posts_ttl_days": days}))
        with place.watch() as changes:
            place.trends.insert_one({"_id": "AAPL"})
            assert next(changes)["documentKey"] == {"_id": "AAPL"}
        assert place.trends.delete_one({}).deleted_count == 1


def test_it_can_do_nothing_elsewhere(settings: Settings) -> None:
    with connect(settings) as client:
        for attempt in (
            lambda: client.other.trends.insert_one({}),
            client.admin["system.users"].find_one,
            client.local["oplog.rs"].find_one,
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                attempt()
