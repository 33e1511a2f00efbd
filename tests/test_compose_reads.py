"""docker-compose.yml as Compose itself reads it; its schema is checked on the way."""

from __future__ import annotations

import functools
from typing import Any

import yaml

from config import Settings
from tests.compose import PASSWORDS, compose
from tests.test_compose import PROGRAM, SERVICES, SETTINGS, read, required, settings_in


def test_the_passwords_here_are_those_that_are_required() -> None:
    assert PASSWORDS.keys() == required()


@functools.cache
def resolved(*profiles: str, **environment: str) -> dict[str, Any]:
    """The services as Compose would start them."""
    options = [word for profile in profiles for word in ("--profile", profile)]
    answer = compose(*options, "config", **PASSWORDS | environment)
    assert (answer.returncode, answer.stderr) == (0, "")
    services: dict[str, Any] = yaml.safe_load(answer.stdout)["services"]
    return services


def test_compose_accepts_the_file_with_all_profiles() -> None:
    assert resolved("cluster", "monitoring").keys() == SERVICES.keys()


def test_compose_refuses_to_start_without_a_password() -> None:
    answer = compose("config", "-q", **PASSWORDS | {"MONGODB_PASSWORD": ""})
    assert answer.returncode != 0
    assert "sh scripts/docker-env.sh" in answer.stderr


def test_settings_reach_the_worker_and_are_valid_there() -> None:
    given = {"TICKERS": "AAPL,IBM", "PRICE_SOURCE": "replay", "TOPIC_PARTITIONS": "4"}
    environment = resolved(**given)["worker"]["environment"]
    there = {name: value for name, value in environment.items() if value is not None}
    found = Settings(_env_file=None, **{name.lower(): value for name, value in there.items()})  # type: ignore[call-arg]
    assert there.keys() <= SETTINGS
    assert (found.tickers, found.price_source, found.topic_partitions) == (
        ("AAPL", "IBM"),
        "replay",
        4,
    )
    assert found.kafka_bootstrap_servers == "kafka:29092"
    assert found.web_allowed_hosts == ("financial-trends-app", "worker")


def test_settings_that_are_not_given_are_not_there() -> None:
    environment = resolved()["worker"]["environment"]
    assert environment["TICKERS"] is None
    assert environment["TOPIC_PARTITIONS"] is None


def test_a_cluster_is_made_by_the_lines_of_its_file() -> None:
    lines = settings_in(read("deploy/cluster.env"))
    services = resolved(**lines)
    assert {"kafka", "kafka-2", "kafka-3"} <= services.keys()
    assert services["worker"]["environment"]["TOPIC_REPLICATION_FACTOR"] == "3"
    for name in ("kafka", "kafka-2", "kafka-3"):
        environment = services[name]["environment"]
        assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] == lines["KAFKA_CONTROLLERS"]
        assert environment["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == "3"


def test_only_who_needs_a_password_gets_it() -> None:
    services = resolved("cluster", "monitoring")
    holders = {
        variable: {
            name
            for name, service in services.items()
            if password in yaml.safe_dump(service.get("environment", {}))
        }
        for variable, password in PASSWORDS.items()
    }
    assert holders == {
        "WEB_TOKEN": {*PROGRAM, "prometheus"},
        "MONGODB_ROOT_PASSWORD": {"mongodb"},
        "MONGODB_PASSWORD": {*PROGRAM, "mongodb", "mongo-express"},
        "KAFKA_UI_PASSWORD": {"kafka-ui"},
        "MONGO_EXPRESS_PASSWORD": {"mongo-express"},
        "GRAFANA_PASSWORD": {"grafana"},
    }
