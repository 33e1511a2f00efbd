"""`run_streaming_pipeline.py` as a process, on real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from embedded.locate import Servers
from sources import recorded
from tests.deployment import ROOT, Deployment, free_port
from tests.eventually import eventually

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


def test_yahoo_out_of_reach_names_the_recording(tmp_path: Path) -> None:
    """Nothing listens at the address: one line that says what works without a network."""
    arguments = ["AAPL", "--source", "yahoo", "--initial-load"]
    code, _, errors = run(tmp_path, arguments, {"YAHOO_BASE_URL": "http://127.0.0.1:9"})
    assert code == 2, errors
    assert "--source replay" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["AAPL", "--interval", "0"], ("--interval", "'0'")),
        (["TSLA", "--initial-load"], ("TSLA", "AAPL, FB, GOOG, IBM, MSFT", "--source simulated")),
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
    arguments = ["AAPL", "--kafka-host", "127.0.0.1", "--kafka-port", str(port)]
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
    code, _, errors = run(tmp_path, ["AAPL"], environment)
    assert code == 3
    assert f"no MongoDB at mongodb://127.0.0.1:{port}" in errors
    assert "secret" not in errors
    assert errors.count("\n") == 1


@pytest.mark.integration
def test_runs_for_the_duration_and_sums_up(deployment: Deployment, tmp_path: Path) -> None:
    arguments = ["FB", "--initial-load", "--duration", "0.12", "--speed", "5", "--interval", "0.5"]
    code, output, errors = run(tmp_path, arguments, deployment.environment())
    assert (code, errors) == (0, ""), output
    assert output.replace("\n", "").isprintable()
    assert f"FB: {HISTORY_OF_FB} bars of history produced" in output
    assert "first document in MongoDB after" in output
    assert "simulated news, posts and observations on Kafka" in output
    assert "Summary (the 0:07 are over)" in output
    assert "lag              0" in output

    stored = list(deployment.database["stock_prices"].find({"ticker": "FB"}).sort("time", 1))
    assert HISTORY_OF_FB < len(stored) < ALL_OF_FB
    # Live bars came after the history, so that each has its indicators.
    assert all("indicators" in document for document in stored)
    times = [document["time"] for document in stored]
    assert len(set(times)) == len(times)


@pytest.mark.integration
def test_what_is_skipped_does_not_come(deployment: Deployment, tmp_path: Path) -> None:
    arguments = ["FB", "--initial-load", "--speed", "1000"]
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
        tmp_path, ["FB", "--interval", "0.2", "--workers", "2"], deployment.environment()
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
    arguments = ["FB", "--initial-load", "--speed", "1000"]
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
