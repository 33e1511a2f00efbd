"""The Docker files: what they promise in the documents, and that Compose reads them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings
from embedded import kafka_jars

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
VARIABLES = sorted(set(re.findall(r"\$\{(\w+)", TEXT)))

PORTS = {
    "kafka": 9092,
    "kafka-ui": 8080,
    "mongodb": 27017,
    "mongo-express": 8081,
    "financial-trends-app": 6066,
}


def test_services_have_the_names_that_the_documents_use() -> None:
    assert {name: one["container_name"] for name, one in SERVICES.items()} == {
        name: name for name in PORTS
    }


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_ports_are_the_usual_ones_and_on_loopback_only(name: str, port: int) -> None:
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-\d+)?", tag)


def test_kafka_is_the_one_that_embedded_runs() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka_jars.VERSION}"


def test_kafka_tells_containers_and_this_machine_each_an_address_they_can_reach() -> None:
    environment = SERVICES["kafka"]["environment"]
    advertised = environment["KAFKA_ADVERTISED_LISTENERS"]
    assert advertised == "CONTAINERS://kafka:29092,HOST://127.0.0.1:9092"
    assert environment["PATH"].startswith("/opt/kafka/bin:")


@pytest.mark.parametrize("name", ["kafka", "mongodb"])
def test_servers_say_when_they_are_ready_and_the_worker_waits(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    waited_for = SERVICES["financial-trends-app"]["depends_on"]
    assert waited_for[name] == {"condition": "service_healthy"}


def test_the_worker_gets_settings_that_exist() -> None:
    environment = SERVICES["financial-trends-app"]["environment"]
    assert {name.lower() for name in environment} <= set(Settings.model_fields)
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == "kafka:29092"
    assert environment["WEB_HOST"] == "0.0.0.0"  # noqa: S104 - in its container


@pytest.mark.parametrize("variable", VARIABLES)
def test_variables_are_documented(variable: str) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.search(rf"^# {variable}=", example, re.MULTILINE)


def test_empty_variables_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
    found = Settings(_env_file=None)  # type: ignore[call-arg]
    fields = Settings.model_fields
    assert {name: getattr(found, name.lower()) for name in VARIABLES} == {
        name: fields[name.lower()].default for name in VARIABLES
    }


def test_the_image_has_the_program_and_neither_secrets_nor_data() -> None:
    ignored = set((ROOT / ".dockerignore").read_text(encoding="utf-8").split())
    needed = {path.name for path in ROOT.glob("*.py")} | {"requirements.txt", "embedded"}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    needed |= packages - {"tests", "benchmarks", "chaos", "fuzz"}
    assert not needed & ignored
    assert {".env", ".data", ".git", ".venv"} <= ignored


def test_the_image_runs_without_root_on_a_pinned_python() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "ARG PYTHON_VERSION=3.11" in lines
    assert "FROM python:${PYTHON_VERSION}-slim" in lines
    assert "USER worker" in lines
    assert lines.index("USER worker") < next(i for i, x in enumerate(lines) if x.startswith("CMD"))


def _compose() -> list[str] | None:
    """Return the command that runs Compose here, None where there is none."""
    for command in (["docker-compose"], ["docker", "compose"]):
        path = shutil.which(command[0])
        if path is None:
            continue
        found = [path, *command[1:]]
        if subprocess.run([*found, "version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return found
    return None


def _read(**environment: str) -> subprocess.CompletedProcess[str]:
    """Have Compose read the file, with these variables set."""
    compose = _compose()
    if compose is None:
        pytest.skip("neither `docker-compose` nor `docker compose` is installed here")
    command = [*compose, "--project-directory", str(ROOT), "-f", str(ROOT / "docker-compose.yml")]
    return subprocess.run(  # noqa: S603 - Compose itself, on our file
        [*command, "config", "-q"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )


def test_compose_accepts_the_file() -> None:
    read = _read(WEB_TOKEN="a-token-of-24-characters")  # noqa: S106 - of nobody
    assert (read.returncode, read.stderr) == (0, "")


def test_compose_refuses_a_worker_that_is_open_to_all() -> None:
    read = _read(WEB_TOKEN="")
    assert read.returncode != 0
    assert "put WEB_TOKEN=" in read.stderr
