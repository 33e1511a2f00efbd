"""What all servers have in common: starting, finding again, stopping, failing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from embedded import ports
from embedded.errors import EmbeddedError
from embedded.waiting import until
from tests.embedded.stub import Stub, stub


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Stub]:
    one = stub(tmp_path)
    yield one
    one.kill()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_starts_once_and_stops(server: Stub) -> None:
    assert not server.running
    assert server.start() is True
    assert server.answers()
    assert server.start() is False
    assert server.stop() is True
    assert not server.running
    assert server.stop() is False


def test_another_object_speaks_of_the_same_server(server: Stub) -> None:
    server.start()
    other = stub(server.data_dir)
    assert (other.pid, other.port) == (server.pid, server.port)
    assert other.stop()
    assert not server.running


def test_is_detached_from_the_terminal(server: Stub) -> None:
    server.start()
    assert server.pid is not None
    assert os.getsid(server.pid) == server.pid != os.getsid(0)
    assert Path(f"/proc/{server.pid}/fd/0").readlink() == Path(os.devnull)


def test_pid_file_of_a_dead_process(server: Stub) -> None:
    server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert until(lambda: not server.running, 5)
    assert server.start() is True


def test_recycled_pid_is_not_killed(server: Stub, bystander: subprocess.Popen[bytes]) -> None:
    created = psutil.Process(bystander.pid).create_time()
    server.home.mkdir()
    record = {"pid": bystander.pid, "created": created - 3600}
    (server.home / "server.pid").write_text(json.dumps(record))
    assert not server.running
    assert server.stop() is False
    assert server.kill() is False
    assert bystander.poll() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_damaged_pid_file_means_not_running(server: Stub, text: str) -> None:
    server.home.mkdir()
    (server.home / "server.pid").write_text(text)
    assert not server.running


def test_port_is_kept_over_a_restart(server: Stub) -> None:
    server.start()
    port = server.port
    server.stop()
    server.start()
    assert server.port == port


def test_taken_port_gives_another(server: Stub) -> None:
    server.start()
    port = server.port
    server.stop()
    with socket.create_server((ports.HOST, port)):
        server.start()
        assert server.port != port
        assert server.answers()


def test_taken_port_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedError, match=f"cannot listen on 127.0.0.1:{port}"):
            stub(tmp_path, port).start()


def test_error_tells_the_end_of_the_log(tmp_path: Path) -> None:
    script = "import sys; [print('line', n) for n in range(99)]; print('no such disk'); sys.exit(3)"
    server = stub(tmp_path, script=script)
    with pytest.raises(EmbeddedError) as caught:
        server.start()
    message = str(caught.value)
    assert "Stub ended while starting (exit code 3)" in message
    assert "no such disk" in message
    assert "line 98" in message
    assert "line 1\n" not in message
    assert str(server.log_file) in message
    assert "reset" in message
    assert not server.running


def test_error_names_the_signal(tmp_path: Path) -> None:
    server = stub(tmp_path, script="import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    with pytest.raises(EmbeddedError, match="SIGILL"):
        server.start()


def test_server_that_never_answers_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stub, "start_timeout_s", 0.5)
    server = stub(tmp_path, script="import time; time.sleep(60)")
    with pytest.raises(EmbeddedError, match="did not answer"):
        server.start()
    assert not server.running


def test_server_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stub, "stop_timeout_s", 0.5)
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    server = stub(tmp_path, script=ignore + Stub.script)
    server.start()
    assert server.stop() is True
    assert not server.running


def test_two_starts_at_once_make_one_server(tmp_path: Path) -> None:
    results: list[bool] = []
    starters = [
        threading.Thread(target=lambda: results.append(stub(tmp_path).start())) for _ in range(2)
    ]
    for thread in starters:
        thread.start()
    for thread in starters:
        thread.join(20)
    assert sorted(results) == [False, True]
    assert stub(tmp_path).stop()


def test_context_manager_stops_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), stub(tmp_path) as server:
        assert server.running
        raise ZeroDivisionError
    assert not server.running
