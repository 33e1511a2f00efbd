"""MongoSink alone: what MongoDB refuses, and what happens when it is away."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from config import read_settings
from embedded.mongo import EmbeddedMongo
from errors import ConfigurationError, StoreUnavailable
from sinks import Mode, MongoSink, Write
from sinks.base import Document
from sinks.mongo import connect, connect_async, database
from tests.sinks.stores import MongoStore

C = "things"
MEGABYTE = 1024 * 1024

#: What cannot be stored, and a part of the reason given.
UNSTORABLE: dict[str, tuple[Document, str]] = {
    "document too large": ({"text": "x" * 17 * MEGABYTE}, "too large"),
    "int beyond 64 bits": ({"n": 2**63}, "8-byte ints"),
    "lone surrogate": ({"text": "\ud800"}, "surrogate"),
    "NUL in a key": ({"a\0b": 1}, "NULL byte"),
    "NUL in an indicator's name": ({"indicators": {"a\0b": 1.0}}, "NULL byte"),
    "no BSON type": ({"x": object()}, "object"),
}


@pytest.mark.integration
@pytest.mark.parametrize("existing", [False, True], ids=["inserted", "updated"])
@pytest.mark.parametrize(("document", "reason"), UNSTORABLE.values(), ids=UNSTORABLE.keys())
def test_bad_data_is_refused_and_the_rest_of_its_bulk_stored(
    mongo_store: MongoStore, document: Document, reason: str, existing: bool
) -> None:
    ids = ("a", "bad", "z")
    if existing:
        mongo_store.sink.write([Write(C, one, {"n": 0}) for one in ids])
    bad = Write(C, "bad", document)
    refused = mongo_store.sink.write([Write(C, "a", {"n": 1}), bad, Write(C, "z", {"n": 2})])
    assert [refusal.write for refusal in refused] == [bad]
    assert reason in refused[0].reason
    expected = {"a": {"n": 1}, "z": {"n": 2}} | ({"bad": {"n": 0}} if existing else {})
    assert mongo_store.documents(C) == expected


@pytest.mark.integration
def test_what_the_server_alone_refuses_is_refused_with_its_reason(mongo_store: MongoStore) -> None:
    mongo_store.sink.write([Write(C, "bad", {"indicators": "none of ours"})])
    bad = Write(C, "bad", {"indicators": {"rsi": 1.0}})
    refused = mongo_store.sink.write([bad, Write(C, "a", {"n": 1})])
    assert [refusal.write for refusal in refused] == [bad]
    assert refused[0].reason.startswith("MongoDB: ")
    assert "rsi" in refused[0].reason
    assert mongo_store.documents(C)["a"] == {"n": 1}


@pytest.mark.integration
@pytest.mark.parametrize("over", [1_000, MEGABYTE], ids=["by little", "by far"])
def test_a_document_that_grows_too_large_is_refused(mongo_store: MongoStore, over: int) -> None:
    mongo_store.sink.write([Write(C, "bad", {"first": "x" * 9 * MEGABYTE})])
    bad = Write(C, "bad", {"second": "x" * (7 * MEGABYTE + over)})
    refused = mongo_store.sink.write([bad, Write(C, "a", {"n": 1})])
    assert [refusal.write for refusal in refused] == [bad]
    assert "16777216" in refused[0].reason or "16MB" in refused[0].reason
    assert mongo_store.documents(C)["a"] == {"n": 1}


@pytest.mark.integration
def test_refusals_of_several_collections_are_all_told(mongo_store: MongoStore) -> None:
    bad = [Write(name, "bad", {"n": 2**63}) for name in ("one", "two")]
    good = [Write(name, "good", {"n": 1}) for name in ("one", "two")]
    refused = mongo_store.sink.write([*bad, *good])
    assert [refusal.write for refusal in refused] == bad
    assert mongo_store.documents("one") == mongo_store.documents("two") == {"good": {"n": 1}}


@pytest.mark.integration
def test_a_bulk_of_several_messages_to_the_server(mongo_store: MongoStore) -> None:
    # More than one message (48 MB) can hold, so that one is stored when the next is found bad.
    large = [Write(C, str(n), {"text": "x" * 10 * MEGABYTE}, Mode.INSERT_ONLY) for n in range(6)]
    refused = mongo_store.sink.write([*large, Write(C, "bad", {"n": 2**63})])
    assert [refusal.write.id for refusal in refused] == ["bad"]
    assert sorted(mongo_store.documents(C)) == [str(n) for n in range(6)]


CREDENTIALS = ("me", "s3cret")


def test_an_outage_names_the_address_without_credentials() -> None:
    user, password = CREDENTIALS
    sink = MongoSink(
        read_settings(
            _env_file=None,
            mongodb_uri=f"mongodb://{user}:{password}@127.0.0.1:1/",
            mongodb_timeout_s=0.05,
        )
    )
    with pytest.raises(StoreUnavailable, match=r"no MongoDB at mongodb://127\.0\.0\.1:1/") as told:
        sink.write([Write(C, "a", {})])
    assert told.value.address == "mongodb://127.0.0.1:1/"
    assert password not in str(told.value)
    sink.close()


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:27017",
        "mongodb://",
        "mongodb://127.0.0.1:99999/",
        "mongodb://me:s3cret/x@127.0.0.1/",
        "mongodb://me:s3cret@x@127.0.0.1/",
    ],
)
def test_what_is_no_connection_string_is_a_configuration_error(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="MONGODB_URI") as told:
        MongoSink(read_settings(_env_file=None, mongodb_uri=uri))
    assert "s3cret" not in str(told.value)


@pytest.mark.integration
def test_a_mongod_killed_and_started_again_takes_the_same_call(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path, avoid_usual_port=True) as server:
        settings = read_settings(_env_file=None, mongodb_uri=server.uri, mongodb_timeout_s=0.2)
        sink = MongoSink(settings)
        assert _until_taken(sink, [Write(C, "a", {"n": 1})]) == 0
        call = [Write(C, "a", {"n": 2}), Write(C, "b", {"n": 3})]
        server.kill()
        with pytest.raises(StoreUnavailable):
            sink.write(call)
        server.start()
        _until_taken(sink, call)
        with connect(settings) as client:
            found = {one["_id"]: one["n"] for one in database(client, settings)[C].find()}
        assert found == {"a": 2, "b": 3}
        sink.close()


@pytest.mark.integration
async def test_what_closes_waits_for_no_mongod_that_is_away(tmp_path: Path) -> None:
    """However long it may look for one otherwise: here longer than a test may take."""
    with EmbeddedMongo(tmp_path, avoid_usual_port=True) as server:
        settings = read_settings(_env_file=None, mongodb_uri=server.uri, mongodb_timeout_s=600)
        sink, client = MongoSink(settings), connect_async(settings)
        assert sink.write([Write(C, "a", {"n": 1})]) == []
        assert await client[settings.mongodb_database][C].find_one() is not None
        server.kill()
        sink.close()
        await client.close()


def _until_taken(sink: MongoSink, writes: list[Write]) -> int:
    """Make the same call until it is taken, as a writer does; returns how often it was not."""
    for attempt in itertools.count():
        try:
            assert sink.write(writes) == []
        except StoreUnavailable:
            if attempt > 100:
                raise
        else:
            return attempt
    raise AssertionError
