"""Compose itself, where it is installed."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

import pytest

from scripts.dockerfile import ROOT

#: Passwords of nobody: every variable without which Compose refuses to start.
PASSWORDS = {
    name: f"{name.lower()}-of-nobody"
    for name in (
        "WEB_TOKEN",
        "MONGODB_ROOT_PASSWORD",
        "MONGODB_PASSWORD",
        "KAFKA_UI_PASSWORD",
        "MONGO_EXPRESS_PASSWORD",
        "GRAFANA_PASSWORD",
    )
}


@functools.cache
def command() -> tuple[str, ...] | None:
    """Return the command that runs Compose here, None where there is none."""
    for words in (("docker-compose",), ("docker", "compose")):
        path = shutil.which(words[0])
        if path is None:
            continue
        found = (path, *words[1:])
        if subprocess.run([*found, "version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return found
    return None


def compose(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Compose on our file, with these variables and no .env; skip the test without Compose."""
    found = command()
    if found is None:
        pytest.skip("neither `docker-compose` nor `docker compose` is installed here")
    # Elsewhere than the file, so that a .env beside it plays no part.
    where = ["--project-directory", "/", "-f", str(ROOT / "docker-compose.yml")]
    return subprocess.run(  # noqa: S603 - Compose itself, on our file
        [*found, *where, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        # A name, as that of the directory is none.
        env={"PATH": os.environ["PATH"], "COMPOSE_PROJECT_NAME": "trends", **environment},
    )
