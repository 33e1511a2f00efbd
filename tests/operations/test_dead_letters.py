"""Dead letters are listed, shown, and replayed: mended, they land once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from broker import client_config
from embedded.locate import Servers
from errors import Refused
from operations.dead_letters import DeadLetters, Replay, shown
from tests.deployment import Deployment, bar
from tests.integration.test_tables import faust
from tests.verify import START_MS

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.fixture(scope="module")
def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One deployment with one worker."""
    deployment = Deployment(servers, tmp_path_factory.mktemp("letters"), checkpoint_interval_s=0.1)
    deployment.start_worker().wait_ready()
    yield deployment
    deployment.close()


def refused(deployment: Deployment, topic: str, key: bytes, value: bytes | None) -> dict[str, Any]:
    """Send a message that is refused; return its dead letter."""
    producer = Producer(client_config(deployment.settings) | {"partitioner": "murmur2_random"})
    producer.produce(topic, value, key=key)
    assert producer.flush(30) == 0
    deployment.drained()
    (letter,) = deployment.database["dead_letters"].find({"topic": topic, "value": value})
    return letter


def test_a_mended_message_lands_once(running: Deployment, tmp_path: Path) -> None:
    """List, show and save it, mend the file, replay it; a second time is refused."""
    wrong = bar("MENDED", START_MS).asdict() | {"close": "101.5"}
    letter = refused(running, "stock-prices", b"MENDED", orjson.dumps(wrong))
    listed = faust(running, "dead-letters", "list", "--topic", "stock-prices")
    assert letter["_id"] in listed.stdout, listed.stderr
    assert "close" in listed.stdout
    file = tmp_path / "message.json"
    as_shown = faust(running, "dead-letters", "show", letter["_id"])
    assert '"close": "101.5"' in as_shown.stdout
    faust(running, "dead-letters", "show", letter["_id"], "--save", str(file))
    assert file.read_bytes() == letter["value"]

    with DeadLetters(running.settings) as letters:
        with pytest.raises(Refused, match="would be refused again: close="):
            letters.replay(letter["_id"], None, again=False, wait_s=0)
        mended = orjson.dumps(orjson.loads(file.read_bytes()) | {"close": 101.5})
        file.write_bytes(mended)
        done = faust(running, "dead-letters", "replay", letter["_id"], "--value", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"stored as stock_prices MENDED|1m|{START_MS}" in done.stdout
        with pytest.raises(Refused, match="was sent again already"):
            letters.replay(letter["_id"], mended, again=False, wait_s=0)
        again = letters.replay(letter["_id"], mended, again=True, wait_s=30)
        assert (again.processed, again.refused) == (True, None)
        assert letters.get(letter["_id"])["replayed"] is not None
    (stored,) = running.database["stock_prices"].find({"ticker": "MENDED"})
    assert stored["close"] == 101.5
    assert stored["indicators"]["obv"] == 1000.0
    assert running.database["dead_letters"].count_documents({"key": b"MENDED"}) == 1


def test_a_wrong_key_is_mended_by_the_value(running: Deployment) -> None:
    """The stored value is good: it is sent under the key that it needs."""
    value = orjson.dumps(bar("RIGHT", START_MS).asdict())
    letter = refused(running, "stock-prices", b"WRONG", value)
    with DeadLetters(running.settings) as letters:
        done = letters.replay(letter["_id"], None, again=False, wait_s=30)
    place = ("stock_prices", f"RIGHT|1m|{START_MS}")
    assert done == Replay("stock-prices", place, processed=True, refused=None)
    assert running.database["stock_prices"].count_documents({"ticker": "RIGHT"}) == 1


def test_it_says_if_the_message_is_refused_once_more(running: Deployment) -> None:
    """What only the agent can know: a post on the other platform's topic."""
    post = {"ticker": "POST", "platform": "twitter", "id": "1", "text": "t", "time": START_MS}
    value = orjson.dumps(post | {"source": "test", "ingested": START_MS})
    letter = refused(running, "reddit-sentiment", b"POST", value)
    done = faust(running, "dead-letters", "replay", letter["_id"])
    assert done.returncode == 1
    assert "refused once more: platform='twitter'" in done.stdout
    assert running.database["dead_letters"].count_documents({"value": value}) == 2


def test_it_does_not_wait_for_ever(running: Deployment) -> None:
    """Without a worker, the message is sent and its place is told."""
    value = orjson.dumps(bar("LATER", START_MS).asdict() | {"volume": -1})
    letter = refused(running, "stock-prices", b"LATER", value)
    settings = running.settings.model_copy(update={"app_id": "nobody"})
    mended = orjson.dumps(bar("LATER", START_MS).asdict())
    with DeadLetters(settings) as letters:
        done = letters.replay(letter["_id"], mended, again=False, wait_s=0)
    assert not done.processed
    assert done.stored == ("stock_prices", f"LATER|1m|{START_MS}")


def test_what_is_not_there_is_refused(running: Deployment) -> None:
    """One line that says what to do, and exit code 2."""
    done = faust(running, "dead-letters", "show", "stock-prices|0|999999")
    assert done.returncode == 2
    assert "there is no dead letter 'stock-prices|0|999999'" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_strange_error_cannot_write_on_the_terminal(running: Deployment) -> None:
    """Escape sequences and markup in a key are shown, not obeyed."""
    letter = refused(running, "financial-news", b"\x1b[31m[red]X", b"\x1b]0;title\x07")
    shows, lists = (
        faust(running, "dead-letters", *arguments).stdout
        for arguments in (("show", letter["_id"]), ("list",))
    )
    assert letter["_id"] in lists
    assert not {"\x1b", "\x07"} & set(shows + lists)
    assert "[31m[red]X" in shows


def test_any_value_can_be_shown() -> None:
    """Nothing, bytes, JSON."""
    assert shown(None) == "(no value: a tombstone)"
    assert shown(b"\xff12") == "\\xff12"
    assert shown(b'{"a":1}') == '{\n  "a": 1\n}'
