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
from operations.dead_letters import shown
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

    as_it_was = faust(running, "dead-letters", "replay", letter["_id"])
    assert as_it_was.returncode == 2
    assert "would be refused again: close=" in as_it_was.stdout

    file.write_bytes(orjson.dumps(orjson.loads(file.read_bytes()) | {"close": 101.5}))
    replay = ("dead-letters", "replay", letter["_id"], "--value", str(file))
    done = faust(running, *replay)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"stored as stock_prices MENDED|1m|{START_MS}" in done.stdout
    second = faust(running, *replay)
    assert second.returncode == 2
    assert "sent again already" in second.stdout
    assert faust(running, *replay, "--again").returncode == 0
    (stored,) = running.database["stock_prices"].find({"ticker": "MENDED"})
    assert stored["close"] == 101.5
    assert stored["indicators"]["obv"] == 1000.0
    assert running.database["dead_letters"].count_documents({"key": b"MENDED"}) == 1
    assert "stock-prices|" in faust(running, "dead-letters", "list").stdout


def test_a_wrong_key_is_mended_by_the_value(running: Deployment) -> None:
    """The stored value is good: it is sent under the key that it needs."""
    value = orjson.dumps(bar("RIGHT", START_MS).asdict())
    letter = refused(running, "stock-prices", b"WRONG", value)
    done = faust(running, "dead-letters", "replay", letter["_id"])
    assert done.returncode == 0, done.stdout + done.stderr
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "stock-prices|0|999999"), "there is no dead letter 'stock-prices|0|999999'"),
        (("replay",), "which one? dead-letters replay ID"),
    ],
)
def test_what_is_not_there_is_refused(
    running: Deployment, arguments: tuple[str, ...], said: str
) -> None:
    """One line that says what to do, and exit code 2."""
    done = faust(running, "dead-letters", *arguments)
    assert done.returncode == 2
    assert said in done.stdout


def test_a_strange_error_cannot_write_on_the_terminal(running: Deployment) -> None:
    """Escape sequences and markup in a key are shown, not obeyed."""
    letter = refused(running, "financial-news", b"\x1b[31m[red]X", b"\x1b]0;title\x07")
    for action in ("show", "list"):
        printed = faust(running, "dead-letters", action, letter["_id"]).stdout
        assert "\x1b" not in printed
        assert "\x07" not in printed
    assert "[31m[red]X" in faust(running, "dead-letters", "show", letter["_id"]).stdout


def test_any_value_can_be_shown() -> None:
    """Nothing, bytes, JSON."""
    assert shown(None) == "(no value: a tombstone)"
    assert shown(b"\xff12") == "\\xff12"
    assert shown(b'{"a":1}') == '{\n  "a": 1\n}'
