"""What Docker is told of a worker's health."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config import Settings, read_settings
from web import healthcheck


class Answers(BaseHTTPRequestHandler):
    """A worker that is alive, and not ready."""

    def do_GET(self) -> None:
        status = {"/health/live": 200, "/health/ready": 503}[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b'{"ready": false, "reason": "MongoDB does not answer"}\n')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def worker() -> Iterator[Settings]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield read_settings(_env_file=None, web_port=server.server_port, web_host="0.0.0.0")  # noqa: S104
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_answer_is_the_workers(worker: Settings) -> None:
    assert healthcheck.ask("live", worker)[0]
    well, said = healthcheck.ask("ready", worker)
    assert not well
    assert said == '503 {"ready": false, "reason": "MongoDB does not answer"}'


def test_a_worker_that_is_gone_is_not_well(worker: Settings) -> None:
    well, said = healthcheck.ask("live", worker.model_copy(update={"web_host": "127.0.0.2"}))
    assert not well
    assert said.startswith(f"no answer from 127.0.0.2:{worker.web_port}: ")


def test_the_exit_code_tells(worker: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", str(worker.web_port))
    assert healthcheck.main(["live"]) == 0
    assert healthcheck.main(["ready"]) == 1
    assert healthcheck.main(["dead"]) == healthcheck.main([]) == 2


def test_a_setting_that_is_not_allowed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB_PORT", "none")
    assert healthcheck.main(["live"]) == 1
    assert "setting WEB_PORT is 'none'" in capsys.readouterr().out
