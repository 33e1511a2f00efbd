"""Every client of MongoDB, by password over TLS; and what is said where it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from pymongo.errors import PyMongoError

from commands import check_mongodb
from config import Settings
from errors import ConfigurationError, StoreRefused
from sinks import Origin
from sinks.documents import STOCK_PRICES, bar_write
from sinks.history import StoredBars
from sinks.mongo import MongoSink, connect, remedy_of
from startup import prepare_servers
from tests.deployment import bar
from tests.secured.conftest import Secured, SettingsFor
from tests.secured.servers import PASSWORD
from tests.verify import START_MS
from web.store import Store

pytestmark = pytest.mark.integration

WRONG = "sentinel-of-a-wrong-password"


@pytest.fixture
def settings(settings_for: SettingsFor) -> Iterator[Settings]:
    """Settings of a database of its own, dropped afterwards."""
    found = settings_for(mongodb_database="test_clients")
    yield found
    with connect(found) as client:
        client.drop_database(found.mongodb_database)


async def test_writing_and_reading(settings: Settings) -> None:
    """Indexes as a worker makes them; the agents' sink, commands, the page's store, the doctor."""
    await prepare_servers(settings, [])
    sink = MongoSink(settings)
    origin = Origin("stock-prices", 0, 1, b"AAPL", b"")
    assert sink.write([bar_write(bar("AAPL", START_MS), origin)]) == []
    sink.close()
    assert StoredBars(settings).tickers() == ["AAPL"]
    store = Store(settings)
    (found,) = await store.find(STOCK_PRICES, {}, sort=[("time", 1)], limit=9)
    await store.close()
    assert found["ticker"] == "AAPL"
    answers, said = check_mongodb(settings)
    assert answers, said
    assert PASSWORD not in said


#: What a server does not take, as a connection string, and what to look at.
MISTAKES: dict[str, tuple[Callable[[Secured], str], str]] = {
    "password": (lambda one: one.mongodb.uri_of(WRONG), "user, password"),
    "authority": (
        lambda one: one.mongodb.uri_of(ca=one.certificates.foreign_ca),
        "tlsCAFile in MONGODB_URI",
    ),
    "nobody": (
        lambda one: one.mongodb.uri_without_user,
        "put user and password into MONGODB_URI",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
async def test_who_is_not_taken_learns_what_to_look_at(
    name: str, secured: Secured, settings_for: SettingsFor
) -> None:
    """From every call, in one line without the password; and a worker does not start."""
    address, remedy = MISTAKES[name]
    settings = settings_for(mongodb_uri=address(secured), mongodb_timeout_s=5)
    # At once: where the certificate is not believed, each takes its whole time.
    *said, (answers, of_the_doctor) = await asyncio.gather(
        asyncio.to_thread(_of_the_sink, settings),
        asyncio.to_thread(_of_a_reader, settings),
        _of_a_worker(settings),
        asyncio.to_thread(check_mongodb, settings),
    )
    assert not answers
    for line in (*said, of_the_doctor):
        assert remedy in line
        assert settings.mongodb_address in line
        assert "\n" not in line
        assert len(line) < 400
        assert WRONG not in line
        assert PASSWORD not in line


def _of_the_sink(settings: Settings) -> str:
    sink = MongoSink(settings)
    with pytest.raises(StoreRefused) as told:
        sink.write([bar_write(bar("AAPL", START_MS), Origin("stock-prices", 0, 1, b"AAPL", b""))])
    sink.close()
    return str(told.value)


def _of_a_reader(settings: Settings) -> str:
    with pytest.raises(StoreRefused) as told:
        StoredBars(settings).tickers()
    return str(told.value)


async def _of_a_worker(settings: Settings) -> str:
    with pytest.raises(StoreRefused) as told:
        await prepare_servers(settings, [])
    return str(told.value)


def test_a_file_that_is_missing(secured: Secured, settings_for: SettingsFor) -> None:
    uri = secured.mongodb.uri_of(ca=Path("/nowhere/ca.pem"))
    with pytest.raises(ConfigurationError, match=r"MONGODB_URI names a file .*ca\.pem") as told:
        connect(settings_for(mongodb_uri=uri))
    assert quote(PASSWORD, safe="") not in str(told.value)
    assert told.value.__cause__ is None


def test_a_file_that_is_something_else(
    tmp_path: Path, secured: Secured, settings_for: SettingsFor
) -> None:
    other = tmp_path / "ca.pem"
    other.write_text("no certificate")
    with pytest.raises(ConfigurationError, match="MONGODB_URI names a file"):
        connect(settings_for(mongodb_uri=secured.mongodb.uri_of(ca=other)))


def test_an_outage_is_no_refusal() -> None:
    """A worker waits for a server that is down, or that hangs up."""
    for said in ("127.0.0.1:1: [Errno 111] Connection refused", "127.0.0.1:1: connection closed"):
        assert remedy_of(PyMongoError(said)) is None
