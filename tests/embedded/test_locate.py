"""In which order servers are looked for, and who stops them."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded import stack
from embedded.docker import Container, DockerEngine
from embedded.errors import EmbeddedError
from embedded.locate import find_servers
from tests.embedded.stub import stub

KAFKA, MONGODB = "kafka.example:9092", "mongodb://user:secret@mongo.example/"


class Engine(DockerEngine):
    """Answers as told, and starts containers in name only; no engine runs where tests do."""

    def __init__(self, *, answers: bool = True, broken: bool = False) -> None:
        self.asked = False
        self.running: set[str] = set()
        self._answers = answers
        self._broken = broken

    def answers(self) -> bool:
        self.asked = True
        return self._answers

    def kafka(self) -> Container:
        return self._start("kafka")

    def mongodb(self) -> Container:
        return self._start("mongodb")

    def _start(self, name: str) -> Container:
        if self._broken:
            raise EmbeddedError(f"no image of {name}")
        self.running.add(name)
        return Container(f"{name}.docker", lambda: self.running.discard(name))


def test_given_addresses_win(tmp_path: Path) -> None:
    engine, said = Engine(), list[str]()
    with find_servers(KAFKA, MONGODB, data_dir=tmp_path, log=said.append, docker=engine) as found:
        assert (found.kafka, found.mongodb) == (KAFKA, MONGODB)
        assert (found.kafka_from, found.mongodb_from) == ("given", "given")
    assert not engine.asked
    assert not list(tmp_path.iterdir())
    assert "secret" not in "".join(said)


def test_docker_comes_next_and_is_stopped(tmp_path: Path) -> None:
    engine = Engine()
    found = find_servers(None, None, data_dir=tmp_path, log=list[str]().append, docker=engine)
    assert (found.kafka, found.mongodb) == ("kafka.docker", "mongodb.docker")
    assert (found.kafka_from, found.mongodb_from) == ("docker", "docker")
    assert engine.running == {"kafka", "mongodb"}
    found.stop()
    found.stop()
    assert engine.running == set()


def test_each_server_is_decided_by_itself(tmp_path: Path) -> None:
    engine = Engine()
    found = find_servers(None, MONGODB, data_dir=tmp_path, log=list[str]().append, docker=engine)
    assert (found.kafka_from, found.mongodb_from) == ("docker", "given")
    assert engine.running == {"kafka"}
    found.stop()


@pytest.mark.integration
@pytest.mark.parametrize("engine", [Engine(answers=False), Engine(broken=True)])
def test_embedded_comes_last_and_is_left_running(running: stack.Stack, engine: Engine) -> None:
    assert running.mongodb is not None
    data_dir = running.servers[0].data_dir
    found = find_servers(KAFKA, None, data_dir=data_dir, log=list[str]().append, docker=engine)
    assert (found.kafka_from, found.mongodb_from) == ("given", "embedded")
    assert found.mongodb == running.mongodb.uri
    found.stop()
    assert running.mongodb.answers()


@pytest.mark.integration
def test_embedded_that_was_started_is_stopped(tmp_path: Path) -> None:
    quiet = list[str]().append
    found = find_servers(
        KAFKA, None, data_dir=tmp_path, log=quiet, usual_ports=False, docker=Engine(answers=False)
    )
    with found:
        one, other = stack.status(tmp_path)
        assert (one.address, other.address) == (None, found.mongodb)
    assert [one.pid for one in stack.status(tmp_path)] == [None, None]


def test_no_engine_is_found_out_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    assert DockerEngine().answers() is False


def test_something_that_is_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stub(tmp_path) as server:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{server.address}")
        assert DockerEngine().answers() is False
