"""`faust -A app alerts`: rules checked, listed and tried over a real MongoDB."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from rich.console import Console

from alerts import RuleBook
from config import Settings, read_settings
from embedded.locate import Servers
from models import INTEGRATION_TEST
from operations.alert_commands import _run, rules_table
from operations.alert_trial import Trial
from sinks.base import Document
from sinks.mongo import connect, database
from tests.alerts.rules import book
from tests.deployment import ROOT
from tests.web.demo import store_trends, trend
from tests.web.rows import MINUTE_MS, START_MS, news, put, put_bars

pytestmark = pytest.mark.integration

RULES = """
[webhooks]
ops = "https://hooks.example/s3cret"

[[rule]]
name = "low"
when = "close < 10"
message = "{ticker} [at] {close}"

[[rule]]
name = "weekly"
cooldown = "14d"
when = "close < 10"
interval = "1wk"
tickers = ["MSFT"]

[[rule]]
name = "press"
when = "news.latest < 0"

[[rule]]
name = "up"
when = "trend changes to up"
severity = "info"
webhooks = []

[[rule]]
name = "gone"
when = "silence of test > 1h"
"""


@pytest.fixture
def store(settings: Settings) -> Iterator[Database[Document]]:
    """An empty database, dropped afterwards."""
    with connect(settings) as client:
        yield database(client, settings)
        client.drop_database(settings.mongodb_database)


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> Settings:
    """Settings with rules, and a database of its own."""
    path = tmp_path / "alerts.toml"
    path.write_text(RULES, encoding="utf-8")
    return read_settings(
        _env_file=None,
        kafka_bootstrap_servers=servers.kafka,
        mongodb_uri=servers.mongodb,
        mongodb_database=f"test_{uuid.uuid4().hex[:12]}",
        alert_rules=path,
    )


def said(settings: Settings, *arguments: Any) -> str:
    """What the command prints."""
    out = io.StringIO()
    _run(Console(file=out, width=200), settings, *arguments)
    return out.getvalue()


def test_rules_are_tried_over_what_is_stored(settings: Settings, store: Database[Document]) -> None:
    put_bars(store, "AAPL", [12.0, 9.0, 8.0, 11.0, 9.5])
    put_bars(store, "AAPL", [12.0, 9.0], interval="1m", step_ms=MINUTE_MS)
    put_bars(store, "AAPL", [12.0, 9.0], interval="2m", source=INTEGRATION_TEST)
    put(store, [news("AAPL", str(n), START_MS + n, sentiment=0.5 - 0.6 * n) for n in range(3)])
    store_trends(store, [trend("AAPL", START_MS + n, way) for n, way in enumerate(["down", "up"])])
    trial = Trial(settings, book(RULES))
    found = trial.run("AAPL")
    day = 86_400_000
    assert {alert["id"] for alert in found} == {
        f"AAPL|low|1d|{START_MS + day}",
        f"AAPL|low|1d|{START_MS + 4 * day}",
        f"AAPL|low|1m|{START_MS + MINUTE_MS}",
        "AAPL|press|news|1",
        *(alert["id"] for alert in found if alert["rule"] == "up"),
    }
    assert [alert["rule"] for alert in found].count("up") == 1
    assert [alert["time"] for alert in found] == sorted(alert["time"] for alert in found)
    assert trial.looked_at == {"bar": 7, "news": 3, "trend": 2}
    shown = said(settings, "try", "aapl", None)
    assert "AAPL [at] 9.5" in shown
    assert "5 alerts over what is stored (7 bar, 3 news, 2 trend); silence is not tried" in shown


def test_a_ticker_without_anything(settings: Settings, store: Database[Document]) -> None:
    assert "NOPE: 0 alerts over what is stored (nothing)" in said(settings, "try", "NOPE", None)


def test_rules_are_checked_and_listed(settings: Settings) -> None:
    assert "right, 5 rules, 1 webhooks" in said(settings, "check", "", None)
    shown = said(settings, "list", "", None)
    assert re.search(r"low .* close < 10 .* all .* all, closed .* warning .* ops", shown)
    assert re.search(r"weekly .* MSFT .* 1wk, closed .* 14d", shown)
    assert "s3cret" not in shown


def test_an_empty_list() -> None:
    assert rules_table(RuleBook()).row_count == 0


def test_an_error_is_one_line_with_its_place(tmp_path: Path) -> None:
    """The whole command, in a process of its own; it needs no servers."""
    path = tmp_path / "mine.toml"
    path.write_text('[[rule]]\nname = "it"\nwhen = "rsl < 3"\n', encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-m", "faust", "-A", "app", "alerts", "check", "--rules", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"error: {path}:3:9: 'rsl' is no name that is known: did you mean rsi?" in done.stdout
