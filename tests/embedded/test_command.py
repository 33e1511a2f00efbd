"""`python -m embedded`, as a person or a script meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from embedded import stack
from embedded.__main__ import main


def command(data_dir: Path, *arguments: str) -> int:
    return main(["--data-dir", str(data_dir), *arguments])


def test_help_tells_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for word in ("up", "down", "status", "reset", "--data-dir", "9092", "27017"):
        assert word in shown


def test_nothing_runs_in_a_new_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path / "new", "status", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"kafka": None, "mongodb": None}
    assert command(tmp_path / "new", "status") == 1
    assert capsys.readouterr().out.count("not running") == 2
    assert command(tmp_path / "new", "down") == 0
    assert command(tmp_path / "new", "reset") == 0


def test_reset_says_what_it_deletes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mongodb" / "storage" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(10))
    (tmp_path / "worker").mkdir()
    assert command(tmp_path, "reset") == 0
    assert f"deleting {tmp_path / 'mongodb'}" in capsys.readouterr().err
    assert not (tmp_path / "mongodb").exists()
    assert (tmp_path / "worker").exists()


@pytest.mark.integration
def test_status_of_running_servers(
    running: stack.Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = running.servers[0].data_dir
    assert running.kafka is not None
    assert running.mongodb is not None
    assert command(data_dir, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "kafka": running.kafka.bootstrap_servers,
        "mongodb": running.mongodb.uri,
    }
    assert command(data_dir, "status") == 0
    table = capsys.readouterr().out
    for server in running.servers:
        assert str(server.pid) in table
        assert server.address in table
        assert str(server.home) in table


@pytest.mark.integration
def test_up_says_that_the_servers_run_already(running: stack.Stack) -> None:
    data_dir = running.servers[0].data_dir
    done = subprocess.run(  # noqa: S603 (arguments of our own)
        [sys.executable, "-m", "embedded", "--data-dir", str(data_dir), "up"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr.count("was already running") == 2
