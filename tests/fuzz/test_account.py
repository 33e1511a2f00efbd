"""The fuzzer's judge sees each kind of fault, put there by hand, on a real MongoDB."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo.database import Database

from config import read_settings
from embedded.locate import Servers
from fuzz.account import account
from fuzz.messages import TICKERS, TOPICS, Message, key_of, messages, valid
from fuzz.requests import addresses
from models import Codec
from sinks import MongoSink, Origin
from sinks.base import Document
from sinks.documents import bar_write, dead_letter_write
from sinks.mongo import connect, database
from topics import ALL_TOPICS, STOCK_PRICES

PLACE = ("stock-prices", 3, 17)
FIELDS = valid(random.Random(1), "stock-prices") | {"ticker": TICKERS[0], "closed": True}
GOOD = Message("stock-prices", TICKERS[0].encode(), json.dumps(FIELDS).encode())
BAD = Message("stock-prices", b"A", b"{")


@pytest.fixture
def store(servers: Servers) -> Iterator[Database[Document]]:
    """A database in which the good bar is stored, as the program stores it."""
    settings = read_settings(
        _env_file=None,
        mongodb_uri=servers.mongodb,
        mongodb_database=f"test_{uuid.uuid4().hex[:12]}",
    )
    sink = MongoSink(settings, {"stock-prices": "topic-id"})
    codec: Codec[Any] | None = STOCK_PRICES.codec
    assert codec is not None
    sink.write([bar_write(codec.parse(FIELDS), Origin(*PLACE, GOOD.key, GOOD.value))])
    sink.close()
    with connect(settings) as client:
        yield database(client, settings)
        client.drop_database(settings.mongodb_database)


def bury(store: Database[Document], place: tuple[str, int, int], error: str) -> None:
    """Store a dead letter of a message."""
    write = dead_letter_write(Origin(*place, b"A", b"{"), error=error, agent="prices", time_ms=1)
    store["dead_letters"].insert_one({"_id": write.id, **write.document})


@pytest.mark.integration
def test_what_is_right_is_not_found(store: Database[Document]) -> None:
    bury(store, ("stock-prices", 3, 18), "not valid JSON")
    made = account({PLACE: GOOD, ("stock-prices", 3, 18): BAD}, store)
    assert made.findings == []
    assert made.fates == {"document": 1, "dead letter": 1}


FAULTS: dict[str, tuple[Message, Callable[[Database[Document]], object], str]] = {
    "lost": (GOOD, lambda store: store["stock_prices"].delete_many({}), "is not stored"),
    "changed": (
        GOOD,
        lambda store: store["stock_prices"].update_many({}, {"$set": {"close": 1.25}}),
        "close is 1.25",
    ),
    "passed over": (BAD, lambda _: None, "no dead letter says so"),
    "failed on": (
        BAD,
        lambda store: bury(store, PLACE, "the program failed on it: KeyError()"),
        "the program failed on it",
    ),
    "without a reason": (BAD, lambda store: bury(store, PLACE, ""), "without a reason"),
    "made up": (
        GOOD,
        lambda store: bury(store, ("stock-prices", 0, 0), "not valid JSON"),
        "that was not sent",
    ),
}


@pytest.mark.integration
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(name: str, store: Database[Document]) -> None:
    message, spoil, found = FAULTS[name]
    spoil(store)
    (finding,) = account({PLACE: message}, store).findings
    assert found in finding


def test_a_seed_makes_the_same_messages() -> None:
    first = messages(120, 5)
    assert first == messages(120, 5)
    assert first != messages(120, 6)
    assert len(first) == 120
    assert {message.topic for message in first} == set(TOPICS)


def test_valid_messages_are_valid() -> None:
    chance = random.Random(2)
    for spec in ALL_TOPICS:
        if spec.codec is not None and spec.name != "trends":
            fields = valid(chance, spec.name)
            spec.codec.decode(key_of(fields), json.dumps(fields).encode())


def test_every_address_is_asked() -> None:
    found = addresses(read_settings(_env_file=None, web_token="x" * 16))
    assert {"/api/tickers/{ticker}/bars", "/api/stream", "/login", "/tables/", "/table/"} <= set(
        found
    )
