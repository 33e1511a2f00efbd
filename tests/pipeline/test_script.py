"""`run_streaming_pipeline.py` as a process, on real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from embedded.locate import Servers
from sources import recorded
from tests.deployment import ROOT, Deployment, free_port
from tests.eventually import eventually
from tests.sources.providers.server import HANG
from tests.sources.providers.yahoo import CHART, Chart, YahooServer, row

SCRIPT = ROOT / "run_streaming_pipeline.py"
#: Of FB's recording: bars of its first two thirds, the history, and all.
ALL_OF_FB = len(recorded.bars("FB"))
HISTORY_OF_FB = int(ALL_OF_FB * 2 / 3)


def start(
    directory: Path, arguments: list[str], environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    with (directory / "output").open("w") as output:
        return subprocess.Popen(  # noqa: S603 - arguments of our own
            [sys.executable, str(SCRIPT), *arguments],
            cwd=directory,
            # Colours that were asked for are for terminals only.
            env=os.environ | {"FORCE_COLOR": "1"} | (environment or {}),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )


def finish(process: subprocess.Popen[str], directory: Path) -> tuple[int, str, str]:
    _, errors = process.communicate(timeout=100)
    return process.returncode, (directory / "output").read_text(), errors


def run(
    directory: Path, arguments: list[str], environment: dict[str, str] | None = None
) -> tuple[int, str, str]:
    return finish(start(directory, arguments, environment), directory)


@pytest.mark.parametrize("arguments", [["AAPL"], ["AAPL", "MSFT", "--initial-load", "--stream"]])
def test_yahoo_out_of_reach_names_the_recording(arguments: list[str], tmp_path: Path) -> None:
    """Yahoo is the default. Nothing listens there: one line says what works without a network."""
    environment = {"YAHOO_BASE_URL": "http://127.0.0.1:9", "PRICE_SOURCE": ""}
    code, output, errors = run(tmp_path, arguments, environment)
    assert code == 3, errors
    assert output == ""  # no server was looked for
    assert errors.startswith("error: Yahoo: AAPL: ")
    assert "--source replay" in errors
    assert errors.count("\n") == 1


def test_yahoo_that_hangs_is_given_up(tmp_path: Path) -> None:
    with YahooServer() as yahoo:
        yahoo.on(f"{CHART}AAPL", HANG)
        began = time.monotonic()
        code, _, errors = run(tmp_path, ["AAPL"], {"YAHOO_BASE_URL": yahoo.url})
        seconds = time.monotonic() - began
    assert code == 3, errors
    assert "no answer within" in errors
    assert "--source replay" in errors
    # Eight for Yahoo; the rest is Python's start on a busy machine.
    assert seconds < 30


def test_a_ticker_that_yahoo_does_not_have(tmp_path: Path) -> None:
    with YahooServer() as yahoo:
        code, _, errors = run(tmp_path, ["NOSUCH"], {"YAHOO_BASE_URL": yahoo.url})
    assert code == 2, errors
    assert "does not have NOSUCH" in errors
    assert errors.count("\n") == 1


def test_only_yahoo_has_a_stream(tmp_path: Path) -> None:
    code, _, errors = run(tmp_path, ["AAPL", "--stream", "--source", "replay"])
    assert code == 2, errors
    assert "--source yahoo" in errors


@pytest.mark.integration
def test_yahoo_loads_and_streams(deployment: Deployment, tmp_path: Path) -> None:
    """The default: history, and the bar that is forming, in one database."""
    # Where it is noon: for some minutes after midnight, yesterday's bar is not closed yet.
    ahead = 12 - datetime.now(UTC).hour
    today = (int(time.time()) + ahead * 3_600) // 86_400 * 86_400 - ahead * 3_600
    with YahooServer() as yahoo:
        rows = [row(today - 86_400 * back, 50.0 + back % 17) for back in range(600, -1, -1)]
        zone = f"Etc/GMT{-ahead:+d}"
        yahoo.charts["PETR4.SA"] = Chart(rows, zone=zone, long_name="Petroleo Brasileiro S.A.")
        environment = deployment.environment() | {"YAHOO_BASE_URL": yahoo.url}
        arguments = ["PETR4.SA", "--initial-load", "--skip-news", "--interval", "1"]
        process = start(tmp_path, arguments, environment)
        prices = deployment.database["stock_prices"]
        eventually(
            lambda: prices.find_one({"closed": False}) or process.poll() is not None, "a live bar"
        )
        process.send_signal(signal.SIGINT)
        code, output, errors = finish(process, tmp_path)
    assert (code, errors) == (0, ""), output
    assert output.replace("\n", "").isprintable()
    assert "PETR4.SA 1d: 600 bars of history produced" in output
    assert prices.count_documents({"closed": True, "indicators": {"$exists": True}}) == 600
    assert prices.count_documents({"closed": False}) == 1
    name = deployment.database["company_names"].find_one({"_id": "PETR4.SA"})
    assert name is not None
    assert name["name"] == "Petroleo Brasileiro S.A."


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["AAPL", "--interval", "0"], ("--interval", "'0'")),
        (
            ["TSLA", "--initial-load", "--source", "replay"],
            ("TSLA", "AAPL, FB, GOOG, IBM, MSFT", "--source simulated"),
        ),
    ],
)
def test_bad_usage(arguments: list[str], names: tuple[str, ...], tmp_path: Path) -> None:
    code, output, errors = run(tmp_path, arguments)
    assert code == 2, errors
    assert output == ""  # no server was looked for
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert [name for name in names if name not in errors] == []


def test_no_broker_at_the_address_given(tmp_path: Path) -> None:
    port = free_port()
    arguments = [
        "AAPL",
        "--source",
        "replay",
        "--kafka-host",
        "127.0.0.1",
        "--kafka-port",
        str(port),
    ]
    code, _, errors = run(tmp_path, arguments)
    assert code == 3
    assert f"no Kafka broker at 127.0.0.1:{port}" in errors
    assert errors.count("\n") == 1


@pytest.mark.integration
def test_no_mongodb_at_the_address_given(servers: Servers, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka,
        "MONGODB_URI": f"mongodb://me:secret@127.0.0.1:{port}",
    }
    code, _, errors = run(tmp_path, ["AAPL", "--source", "replay"], environment)
    assert code == 3
    assert f"no MongoDB at mongodb://127.0.0.1:{port}" in errors
    assert "secret" not in errors
    assert errors.count("\n") == 1


@pytest.mark.integration
def test_runs_for_the_duration_and_sums_up(deployment: Deployment, tmp_path: Path) -> None:
    arguments = ["FB", "--source", "replay", "--initial-load", "--duration", "0.2"]
    # So slowly that the recording lasts longer than the run, also where that is slow to end.
    arguments += ["--speed", "1.5", "--interval", "0.5"]
    code, output, errors = run(tmp_path, arguments, deployment.environment())
    assert (code, errors) == (0, ""), output
    assert output.replace("\n", "").isprintable()
    assert f"FB: {HISTORY_OF_FB} bars of history produced" in output
    assert "first document in MongoDB after" in output
    assert "simulated news, posts and observations on Kafka" in output
    assert "Summary (the 0:12 are over)" in output
    assert "lag              0" in output

    stored = list(deployment.database["stock_prices"].find({"ticker": "FB"}).sort("time", 1))
    assert HISTORY_OF_FB < len(stored) < ALL_OF_FB
    # Live bars came after the history, so that each has its indicators.
    assert all("indicators" in document for document in stored)
    times = [document["time"] for document in stored]
    assert len(set(times)) == len(times)
    (trend,) = deployment.database["trends"].find()
    assert f"  trends           FB {trend['direction']} {trend['strength']}\n" in output
    changes = deployment.database["trend_history"].count_documents({})
    assert changes > 0
    assert f"    trend_history          {changes:,} (+{changes:,})\n" in output


@pytest.mark.integration
def test_what_is_skipped_does_not_come(deployment: Deployment, tmp_path: Path) -> None:
    arguments = ["FB", "--source", "replay", "--initial-load", "--speed", "1000"]
    arguments += ["--skip-news", "--skip-twitter", "--skip-economic"]
    code, output, errors = run(tmp_path, arguments, deployment.environment())
    assert (code, errors) == (0, ""), output
    counts = {
        name: deployment.database[name].count_documents({})
        for name in ("news", "twitter_sentiment", "economic_indicators", "reddit_sentiment")
    }
    assert counts.pop("reddit_sentiment") > 0
    assert set(counts.values()) == {0}


@pytest.mark.integration
def test_ctrl_c_ends_it_with_a_summary(deployment: Deployment, tmp_path: Path) -> None:
    output = tmp_path / "output"
    process = start(
        tmp_path,
        ["FB", "--source", "replay", "--interval", "0.2", "--workers", "2"],
        deployment.environment(),
    )
    eventually(
        lambda: "first document in MongoDB" in output.read_text() or process.poll() is not None,
        "it streams",
    )
    process.send_signal(signal.SIGINT)
    code, text, errors = finish(process, tmp_path)
    assert (code, errors) == (0, ""), text
    assert "Summary (stopped)" in text
    assert deployment.broker.lag(deployment.settings.app_id, ["stock-prices"])["stock-prices"] == 0


@pytest.mark.integration
def test_ends_with_the_recording(deployment: Deployment, tmp_path: Path) -> None:
    arguments = ["FB", "--source", "replay", "--initial-load", "--speed", "1000"]
    code, output, errors = run(tmp_path, arguments, deployment.environment())
    assert (code, errors) == (0, ""), output
    assert "Summary (every recording has been played to its end)" in output
    stored = list(deployment.database["stock_prices"].find({"ticker": "FB"}).sort("time", 1))
    assert len(stored) == ALL_OF_FB

    # Everything else came, too, in the same time.
    for name in ("news", "twitter_sentiment", "reddit_sentiment", "economic_indicators"):
        found = list(deployment.database[name].find())
        assert {document["source"] for document in found} == {"simulated"}, name
        latest = max(document["time"] for document in found)
        assert stored[0]["time"] < latest < stored[-1]["time"] + timedelta(days=1), name
    assert deployment.database["dead_letters"].count_documents({}) == 0

    code, output, errors = run(tmp_path, arguments, deployment.environment())
    assert (code, errors) == (0, ""), output
    assert f"FB: {HISTORY_OF_FB} of {HISTORY_OF_FB} bars already stored" in output
    assert "every recording was played to its end before" in output
