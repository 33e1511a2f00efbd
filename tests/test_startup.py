"""What a worker does before it works: it reads the alert rules, and waits for its servers."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import rules_in_words, settings_table
from config import Settings, read_settings
from errors import ConfigurationError
from startup import read_rules
from tests.deployment import Worker
from tests.eventually import eventually

RULES = '[webhooks]\nops = "https://a.example/"\n\n[[rule]]\nname = "it"\nwhen = "rsi < 30"\n'


def given(path: Path | None, **more: Any) -> Settings:
    """Settings with a rules file."""
    return read_settings(_env_file=None, alert_rules=path, **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A rules file."""
    found = tmp_path / "alerts.toml"
    found.write_text(RULES, encoding="utf-8")
    return found


def test_without_a_file_there_are_no_rules() -> None:
    assert not read_rules(given(None))


def test_webhooks_of_the_setting_come_before_those_of_the_file(path: Path) -> None:
    webhooks = "me=https://b.example/,ops=https://c.example/"
    book = read_rules(given(path, alert_webhooks=webhooks))
    assert {name: one.url for name, one in book.webhooks.items()} == {
        "ops": "https://c.example/",
        "me": "https://b.example/",
    }


def test_rules_know_the_indicators_that_are_kept(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'rsi' is no name that is known"):
        read_rules(given(path, indicators="sma 20"))


def test_a_webhook_that_is_none_is_refused_without_its_address(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="setting ALERT_WEBHOOKS: entry 1") as caught:
        read_rules(given(path, alert_webhooks="https://s3cret.example/"))
    assert "s3cret" not in str(caught.value)


def test_the_doctor_says_which_rules_there_are(path: Path) -> None:
    assert rules_in_words(given(path)) == f"1 rules of {path}, webhooks: ops"
    assert rules_in_words(given(None)) == "no rules (ALERT_RULES is not set)"


def test_addresses_of_webhooks_are_not_shown(path: Path) -> None:
    shown = given(
        path, alert_webhooks="ops=https://a.example/s3cret", alert_webhook_secret="k" * 16
    )
    table = settings_table(shown)
    cells = [str(cell) for column in table.columns for cell in column.cells]
    assert cells.count("********") == 2
    assert "s3cret" not in "".join(cells)
    assert any("127.0.0.1:27017" in cell for cell in cells)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_before_kafka_answers(silent: str, tmp_path: Path, number: signal.Signals) -> None:
    """It would have waited for ten minutes."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": silent,
        "KAFKA_TIMEOUT_S": "600",
        "MONGODB_URI": f"mongodb://{silent}/",
        "DATA_DIR": str(tmp_path / "data"),
    }
    worker = Worker("app", environment, tmp_path / "worker.log")
    try:
        eventually(lambda: worker.says("Starting..."), "it has started")
        worker.signal(number)
        assert worker.process.wait(60) == 0, worker.tail()
        assert not worker.says("Traceback"), worker.tail()
    finally:
        worker.kill()
