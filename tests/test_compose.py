"""docker-compose.yml: what the documents promise of it, and how safe it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings
from embedded import kafka_jars
from scripts.dockerfile import one, stages

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
SETTINGS = {name.upper() for name in Settings.model_fields}
#: What Compose puts into its place, by `${NAME...}` or, in a container's environment, by `NAME:`.
VARIABLES = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))

#: Ports on this machine; those of the profiles last.
PORTS = {
    "kafka": 9092,
    "kafka-ui": 8080,
    "mongodb": 27017,
    "mongo-express": 8081,
    "financial-trends-app": 6066,
    "kafka-2": 9094,
    "kafka-3": 9095,
    "prometheus": 9090,
    "grafana": 3000,
}
PROGRAM = ("financial-trends-app", "worker")
#: Settings that follow from where the containers are, and not from .env.
GIVEN = {"KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI", "WEB_HOST", "WEB_TOKEN", "WEB_ALLOWED_HOSTS"}
#: Settings whose default holds in a container, as other services rely on it, or its Kafka has none.
DEFAULTS = {"MONGODB_DATABASE", "DATA_DIR", "WEB_PORT"} | {
    name for name in SETTINGS if name.startswith(("KAFKA_SECURITY", "KAFKA_SASL", "KAFKA_SSL"))
}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def settings_in(text: str) -> dict[str, str]:
    """The assignments of a file like .env."""
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def default_of(variable: str) -> str:
    """What the variable is where .env does not have it."""
    found = set(re.findall(rf"\$\{{{variable}:-([^}}]*)\}}", TEXT))
    assert len(found) == 1, f"{variable} has several defaults: {found}"
    return found.pop()


# -- names and ports


def test_services_have_the_names_that_the_documents_use() -> None:
    named = {name: one["container_name"] for name, one in SERVICES.items() if name != "worker"}
    assert named == {name: name for name in PORTS}


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_ports_are_the_usual_ones_and_on_loopback_only(name: str, port: int) -> None:
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_there_may_be_any_number_of_workers() -> None:
    worker, app = (SERVICES[name] for name in ("worker", "financial-trends-app"))
    assert not {"ports", "container_name", "hostname"} & set(worker)
    assert worker["scale"] == 0
    own = {"ports", "container_name", "hostname", "scale"}
    assert {key: value for key, value in worker.items() if key not in own} == {
        key: value for key, value in app.items() if key not in own
    }


def test_the_port_of_the_page_is_the_setting_and_the_image_says_so() -> None:
    port = Settings.model_fields["web_port"].default
    assert PORTS["financial-trends-app"] == port
    assert one(stages()[-1], "EXPOSE").value == str(port)


@pytest.mark.parametrize("document", ["README.md", "docs/docker.md"])
def test_documents_have_the_ports(document: str) -> None:
    rows = re.findall(r"^\| `([\w-]+)`.*?(\d{4,5})[^|]*\|$", read(document), re.MULTILINE)
    listed = {name: int(port) for name, port in rows}
    assert listed.items() <= PORTS.items()
    everywhere = {name for name in PORTS if "profiles" not in SERVICES[name]}
    assert listed.keys() >= (PORTS.keys() if document.startswith("docs") else everywhere)


def test_profiles_are_those_that_the_document_tells_of() -> None:
    profiles = {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one}
    assert profiles == {
        "kafka-2": ["cluster"],
        "kafka-3": ["cluster"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
    }
    assert {"--profile monitoring", "deploy/cluster.env"} <= set(
        re.findall(r"--profile \w+|deploy/[\w.]+", read("docs/docker.md"))
    )


# -- images


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-\d+)?", tag)


@pytest.mark.parametrize("name", ["kafka", "kafka-2", "kafka-3"])
def test_kafka_is_the_one_that_embedded_runs(name: str) -> None:
    assert SERVICES[name]["image"] == f"apache/kafka:{kafka_jars.VERSION}"


def test_the_image_has_the_version_of_the_program() -> None:
    version = re.search(r'^version = "(.*)"', read("pyproject.toml"), re.MULTILINE)
    assert version is not None
    assert {SERVICES[name]["image"] for name in PROGRAM} == {f"financial-trends-app:{version[1]}"}


# -- safety


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "network_mode", "pid", "ipc"} & set(service)
    # The program's image says itself who runs it (tests/scripts/test_try_image.py).
    assert name in PROGRAM or service["user"].partition(":")[0] not in ("0", "root")


@pytest.mark.parametrize("name", SERVICES)
def test_files_of_this_machine_are_read_only_and_of_this_directory(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        if source in FILE["volumes"]:
            assert mode == []
        else:
            assert mode == ["ro"], f"{source} on {target} can be written"
            assert source.startswith("./deploy/")


def _passwords() -> Iterator[str]:
    for service in SERVICES.values():
        for variable, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|UR[IL]$", variable) and value is not None:
                yield value


def test_every_password_comes_from_outside() -> None:
    values = list(_passwords())
    assert len(values) > 8
    assert all("${" in value for value in values)
    secrets = {name for value in values for name in re.findall(r"\$\{(\w+)", value)}
    assert secrets == required()


def required() -> set[str]:
    """The variables without which Compose refuses to start."""
    return set(re.findall(r"\$\{(\w+):\?", TEXT))


def test_a_page_reaches_what_it_shows_and_nothing_else() -> None:
    networks = {name: set(one["networks"]) for name, one in SERVICES.items()}
    assert networks["kafka-ui"] == {"kafka"}
    assert networks["mongo-express"] == {"mongodb"}
    assert networks["prometheus"] == networks["grafana"] == {"web"}
    assert set().union(*networks.values()) == set(FILE["networks"])


# -- settings


@pytest.mark.parametrize("name", PROGRAM)
def test_the_worker_gets_every_setting_that_stands_in_the_env_file(name: str) -> None:
    environment = SERVICES[name]["environment"]
    passed_on = {variable for variable, value in environment.items() if value is None}
    assert set(environment) - passed_on == GIVEN
    # One that is new belongs into docker-compose.yml, under `x-worker`, as the others do.
    assert passed_on == SETTINGS - GIVEN - DEFAULTS


def test_addresses_inside_are_those_of_the_services() -> None:
    environment = SERVICES["worker"]["environment"]
    assert default_of("KAFKA_BROKERS") == "kafka:29092"
    assert "@mongodb:27017/?replicaSet=rs0" in environment["MONGODB_URI"]
    assert "rs0" in SERVICES["mongodb"]["command"]
    users = read("deploy/mongodb/users.js")
    database = Settings.model_fields["mongodb_database"].default
    assert set(re.findall(r'db: "(\w+)"', users)) == {database}
    user = re.search(r'user: "(\w+)"', users)
    assert user is not None
    assert environment["MONGODB_URI"].startswith(f"mongodb://{user[1]}:")
    # Under these names other workers and Prometheus ask, and the web server answers to them.
    asked = environment["WEB_ALLOWED_HOSTS"].split(",")
    assert set(PROGRAM) < set(asked)


def test_variables_that_are_no_settings_are_described_and_made() -> None:
    described = set(re.findall(r"^\| `([A-Z_]+)` \|", read("docs/docker.md"), re.MULTILINE))
    own = VARIABLES - SETTINGS | required()
    assert described == own | {"COMPOSE_PROFILES", "TOPIC_REPLICATION_FACTOR"}
    made = re.search(r"^for name in (.*); do$", read("scripts/docker-env.sh"), re.MULTILINE)
    assert made is not None
    assert set(made[1].split()) == required()
    cluster = settings_in(read("deploy/cluster.env"))
    assert VARIABLES - SETTINGS - required() == cluster.keys() - {
        "COMPOSE_PROFILES",
        "TOPIC_REPLICATION_FACTOR",
    }


# -- Kafka


@pytest.mark.parametrize(("name", "node"), [("kafka", 1), ("kafka-2", 2), ("kafka-3", 3)])
def test_kafka_tells_containers_and_this_machine_each_an_address_they_can_reach(
    name: str, node: int
) -> None:
    environment = SERVICES[name]["environment"]
    assert environment["KAFKA_NODE_ID"] == str(node)
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == (
        f"CONTAINERS://{name}:29092,HOST://127.0.0.1:{PORTS[name]}"
    )
    assert environment["KAFKA_LISTENERS"] == (
        f"CONTAINERS://:29092,HOST://:{PORTS[name]},CONTROLLER://:9093"
    )
    assert environment["PATH"].startswith("/opt/kafka/bin:")


def test_a_cluster_is_the_three_brokers() -> None:
    cluster = settings_in(read("deploy/cluster.env"))
    brokers = ("kafka", "kafka-2", "kafka-3")
    assert cluster["KAFKA_BROKERS"] == ",".join(f"{name}:29092" for name in brokers)
    assert cluster["KAFKA_CONTROLLERS"] == ",".join(
        f"{SERVICES[name]['environment']['KAFKA_NODE_ID']}@{name}:9093" for name in brokers
    )
    assert default_of("KAFKA_CONTROLLERS") == cluster["KAFKA_CONTROLLERS"].split(",")[0]
    assert (cluster["TOPIC_REPLICATION_FACTOR"], cluster["KAFKA_MIN_INSYNC_REPLICAS"]) == ("3", "2")
    assert default_of("TOPIC_REPLICATION_FACTOR") == default_of("KAFKA_MIN_INSYNC_REPLICAS") == "1"


# -- start order


def test_everybody_waits_for_what_he_needs() -> None:
    healthy = {"condition": "service_healthy"}
    for name in PROGRAM:
        assert SERVICES[name]["depends_on"] == {"kafka": healthy, "mongodb": healthy}
    assert SERVICES["kafka-ui"]["depends_on"] == {"kafka": healthy}
    assert SERVICES["mongo-express"]["depends_on"] == {"mongodb": healthy}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_how_it_is(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries", "start_period"} < set(check)


def test_the_program_is_well_once_it_works() -> None:
    for name in PROGRAM:
        assert SERVICES[name]["healthcheck"]["test"][1:] == [
            *("python", "-m", "web.healthcheck", "ready")
        ]
