"""Supervision, with stand-ins for the worker processes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline import workers
from pipeline.workers import WorkerPool, backoff_s, tail
from tests.deployment import free_port
from tests.eventually import eventually

SERVES = """
import os, socket, time
with socket.create_server(("127.0.0.1", int(os.environ["WEB_PORT"]))):
    time.sleep(60)
"""
FAILS = 'import sys; print("a line"); sys.exit("error: topic has 3 partitions")'
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVES

Start = Callable[..., WorkerPool]


@pytest.fixture
def told() -> list[str]:
    """What the pool reported."""
    return []


@pytest.fixture
def start(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a pool of processes that run a given program; the pauses are short."""
    monkeypatch.setattr(workers, "backoff_s", lambda failures: 0.05)
    pools: list[WorkerPool] = []

    def start(program: str, count: int = 1, port: int | None = None) -> WorkerPool:
        monkeypatch.setattr(workers, "COMMAND", (sys.executable, "-c", program))
        pool = WorkerPool(
            dict(os.environ),
            count,
            address=("127.0.0.1", free_port() if port is None else port),
            data_dir=tmp_path,
            logs_dir=tmp_path / "logs",
            tell=told.append,
        )
        pools.append(pool)
        pool.start()
        return pool

    yield start
    for pool in pools:
        pool.stop(0.0)


def running(pool: WorkerPool) -> bool:
    return all(worker.state == "running" for worker in pool.status())


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (10_000, 30)]
)
def test_pauses_double_up_to_a_limit(failures: int, pause: float) -> None:
    assert backoff_s(failures) == pause


def test_a_worker_that_ends_is_started_again(start: Start, told: list[str]) -> None:
    pool = start(SERVES, count=2)
    eventually(lambda: running(pool), "both serve", 20)
    first, second = pool.status()
    assert first.pid is not None
    assert first.web != second.web
    os.kill(first.pid, 9)
    eventually(lambda: pool.status()[0].restarts == 1 and running(pool), "it serves again", 20)
    assert pool.status()[0].pid != first.pid
    assert pool.status()[1] == second
    assert any("worker 0" in line and "SIGKILL" in line for line in told)


def test_one_that_fails_at_once_is_given_up(start: Start, told: list[str]) -> None:
    pool = start(FAILS)
    eventually(lambda: pool.status()[0].state == "given up", "given up", 20)
    assert pool.status()[0].restarts == workers.GIVE_UP_AFTER - 1
    assert "worker 0: error: topic has 3 partitions" in told
    assert any("given up" in line for line in told)
    assert told[-1] == "  error: topic has 3 partitions"


def test_stopping_is_by_force_in_the_end(start: Start, told: list[str]) -> None:
    pool = start(STUBBORN)
    eventually(lambda: running(pool), "it serves", 20)
    pid = pool.status()[0].pid
    assert pid is not None
    pool.stop(timeout_s=0.2)
    assert not psutil.pid_exists(pid)
    assert pool.status()[0].state == "stopped"
    assert any("killing" in line for line in told)
    pool.stop()


def test_a_taken_port_is_passed_over(start: Start, told: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        pool = start(SERVES, port=port)
        assert int(pool.status()[0].web.rpartition(":")[2]) > port
    assert f"port {port} is taken" in told[0]


def test_a_log_is_kept_once(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "worker-0.log"
    log.parent.mkdir()
    log.write_text("before\n")
    start(FAILS)
    eventually(lambda: "a line" in log.read_text(), "it writes its log", 20)
    assert "before" not in log.read_text()
    assert log.with_suffix(".log.1").read_text() == "before\n"


def test_tail(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"old\n" + b"".join(b"%d\n\n" % n for n in range(20)) + b"\xff\n")
    assert tail(log, start=4, lines=3) == ["18", "19", "\ufffd"]
    assert tail(log, start=log.stat().st_size) == []
