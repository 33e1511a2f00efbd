"""Log lines: what a worker and a script print, and what they never print."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import Settings, read_settings
from monitoring.logs import HIDDEN, JsonLines, redactor, worker_logging
from tests.deployment import ROOT, Deployment
from tests.monitoring.conftest import SECRET, TOKEN


def settings(**given: Any) -> Settings:
    return read_settings(_env_file=None, **given)


def record(message: str, *arguments: object, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("a.logger", logging.WARNING, __file__, 1, message, arguments, None)
    made.__dict__.update(more)
    return made


def line(made: logging.LogRecord, **given: Any) -> dict[str, Any]:
    """The object of a record's line."""
    text = JsonLines(redactor(settings(**given))).format(made)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_has_the_event_and_its_extras() -> None:
    found = line(record("%s bars\nof %s", 3, "AAPL", ticker="AAPL"))
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "WARNING",
        "logger": "a.logger",
        "process": os.getpid(),
        "message": "3 bars\nof AAPL",
        "ticker": "AAPL",
    }


def test_an_error_has_its_traceback_in_the_same_line() -> None:
    try:
        raise ValueError("what went wrong")
    except ValueError:
        found = line(record("failed", exc_info=sys.exc_info()))
    assert found["exception"].endswith("ValueError: what went wrong")


@pytest.mark.parametrize(
    "given",
    [
        {"web_token": 't0p s3cret/ü" token'},
        {"kafka_sasl_password": 't0p s3cret/ü" token'},
        {"mongodb_uri": "mongodb://me:t0p%20s3cret%2F%C3%BC%22%20token@db.example/"},
        {
            "mongodb_uri": "mongodb://db.example/?tls=true"
            "&tlsCertificateKeyFilePassword=t0p%20s3cret%2F%C3%BC%22%20token"
        },
    ],
    ids=["token", "password", "address", "option"],
)
@pytest.mark.parametrize("form", ['t0p s3cret/ü" token', "t0p%20s3cret%2F%C3%BC%22%20token"])
def test_secrets_are_hidden_in_every_form(given: dict[str, Any], form: str) -> None:
    for made in (record(f"at {form}!"), record("at %s!", form), record("at", extra=f"{form}!")):
        text = json.dumps(line(made, **given), ensure_ascii=False)
        assert "s3cret" not in text
        assert HIDDEN in text
    plain = worker_logging(settings(**given))["formatters"]["default"]
    formatter = plain["()"](plain["redact"], plain["fmt"])
    assert f"at {HIDDEN}!" in formatter.format(record("at %s!", form))


def test_what_is_no_secret_stays() -> None:
    found = redactor(settings(mongodb_uri="mongodb://db.example:27017/?tls=true"))
    text = "mongodb://db.example:27017/?tls=true"
    assert found(text) == text


@pytest.mark.integration
def test_a_worker_prints_json_and_nothing_else(deployment: Deployment) -> None:
    lines = deployment.workers[0].log.read_text().splitlines()
    events = [json.loads(text) for text in lines]
    assert any("Worker ready" in event["message"] for event in events)
    assert {"time", "level", "logger", "process", "message"} <= set.intersection(
        *(set(event) for event in events)
    )
    text = "\n".join(lines)
    assert TOKEN not in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("script", "options"),
    [("run_streaming_pipeline.py", ["--source", "replay"]), ("test_kafka_integration.py", [])],
)
def test_a_script_says_its_error_as_json(script: str, options: list[str]) -> None:
    given = {"LOG_FORMAT": "json", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    done = subprocess.run(  # noqa: S603 - arguments of our own
        [sys.executable, str(ROOT / script), "AAPL", *options],
        env=os.environ | given,
        cwd=Path("/"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    events = [json.loads(text) for text in done.stderr.splitlines()]
    assert [event["level"] for event in events] == ["ERROR"]
    assert events[0]["message"].startswith("no Kafka broker at 127.0.0.1:1")
