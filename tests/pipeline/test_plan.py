"""From the command line to the settings of a run."""

from __future__ import annotations

import shlex
import time

import pytest

from pipeline.options import parse
from pipeline.run import plan
from tests.sources.providers.yahoo import Chart, YahooServer, row


def planned(line: str) -> dict[str, object]:
    """The settings of a run."""
    return dict(plan(parse(shlex.split(line))).settings)


@pytest.mark.parametrize("source", ["replay", "simulated"])
def test_prices_known_ahead_come_with_everything_else(source: str) -> None:
    assert planned(f"AAPL --source {source}")["simulate_missing"] is True


def test_live_prices_come_with_live_news_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with YahooServer() as yahoo:
        today = int(time.time()) // 86_400 * 86_400
        yahoo.charts["AAPL"] = Chart([row(today - 86_400 * back, 50.0) for back in range(9, 0, -1)])
        monkeypatch.setenv("YAHOO_BASE_URL", yahoo.url)
        settings = planned("AAPL --source yahoo")
    assert settings["simulate_missing"] is False
    assert settings["news_source"] == "rss"


def test_who_wants_none_of_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATE_MISSING", "false")
    assert planned("AAPL --source replay")["simulate_missing"] is False


def test_configured_news_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWS_SOURCE", "rss")
    assert planned("AAPL --source replay")["news_source"] == "rss"


@pytest.mark.parametrize("kind", ["news", "economic", "twitter", "reddit"])
def test_each_kind_can_be_skipped(kind: str) -> None:
    settings = planned(f"AAPL --source replay --skip-{kind}")
    skipped = {name for name in settings if name.startswith("skip_") and settings[name]}
    assert skipped == {f"skip_{kind}"}
