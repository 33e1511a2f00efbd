"""The image: what the Dockerfile says, and what comes of its commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.locate import Servers
from scripts.dockerfile import ROOT, context, environment, exec_form, one, stages

FIRST, LAST = stages()[1], stages()[-1]


def test_the_base_is_an_argument_and_both_stages_stand_on_it() -> None:
    assert one(stages()[0], "ARG").value == "BASE_IMAGE=python:3.11-slim-bookworm"
    assert one(FIRST, "FROM").value == "${BASE_IMAGE} AS build"
    assert one(LAST, "FROM").value == "${BASE_IMAGE}"


def test_nothing_is_compiled_and_nothing_is_installed_in_the_last_stage() -> None:
    commands = " ; ".join(one.value for stage in stages() for one in stage if one.name == "RUN")
    assert "--only-binary=:all:" in commands
    assert "apt-get" not in commands
    last = " ; ".join(instruction.value for instruction in LAST if instruction.name == "RUN")
    assert "pip" not in last


def test_it_runs_as_a_user_without_rights() -> None:
    user = one(LAST, "USER")
    assert user.value == "10001:10001"
    assert any(
        instruction.name == "RUN" and "useradd --uid 10001 " in instruction.value
        for instruction in LAST
    )
    # Nothing is done as that user but running, so that it owns no file of the program.
    after = {instruction.name for instruction in LAST if instruction.line > user.line}
    assert after == {"EXPOSE", "HEALTHCHECK", "CMD"}


def test_signals_reach_the_worker() -> None:
    assert exec_form(one(LAST, "CMD").value)[:4] == ["faust", "-A", "app", "worker"]
    with pytest.raises(ValueError, match="is not a JSON list"):
        exec_form("faust -A app worker")


def test_variables_follow_from_those_before() -> None:
    found = environment(LAST, {"PATH": "/bin"})
    assert found["PATH"] == "/opt/venv/bin:/bin"


def test_the_image_has_the_program_and_neither_secrets_nor_data() -> None:
    files = context()
    tracked = subprocess.run(
        ["git", "ls-files"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    beside = ("tests/", "benchmarks/", "chaos/", "scripts/", "deploy/", "docs/", ".", "fuzz/")
    program = {name for name in tracked if name.endswith(".py") and not name.startswith(beside)}
    static = {name for name in tracked if name.startswith("web/static/")}
    assert program | static | {"requirements.txt"} <= files
    assert not {name for name in files if name.startswith(beside)}


def test_a_file_of_secrets_stays_outside(tmp_path: Path) -> None:
    (root := tmp_path / "context").mkdir()
    (root / ".dockerignore").write_bytes((ROOT / ".dockerignore").read_bytes())
    for name in (".env", ".data/kafka/log", ".git/config", "web/__pycache__/page.pyc", "app.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    assert context(root) == {"app.py"}


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_its_commands_make_a_deployment_that_works(servers: Servers) -> None:
    where = {"KAFKA_BOOTSTRAP_SERVERS": servers.kafka, "MONGODB_URI": servers.mongodb}
    tried = subprocess.run(
        [sys.executable, "-m", "scripts.try_image"],
        cwd=ROOT,
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr
    assert "0 failed, 0 skipped" in tried.stdout
