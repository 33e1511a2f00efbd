"""Worker processes: started, watched, restarted when they end, stopped cleanly."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from errors import ConfigurationError
from pipeline.environment import ROOT

State = Literal["starting", "running", "waiting", "given up", "stopped"]
Tell = Callable[[str], None]

#: The command line of a worker, behind a script that ends it when this process is gone.
COMMAND = (
    sys.executable,
    str(ROOT / "pipeline" / "worker_main.py"),
    *("faust", "-A", "app", "worker", "-l", "info"),
)

#: Failures in a row, before it served once, after which a worker is given up.
GIVE_UP_AFTER = 5
LONGEST_BACKOFF_S = 30.0
#: A worker that ran so long starts again without a pause, in seconds.
GOOD_RUN_S = 60.0
#: How long a worker may take to stop before it is killed, in seconds.
STOP_TIMEOUT_S = 20.0
_TICK_S = 0.1
_TAIL_LINES = 10
_TAIL_BYTES = 64 * 1024


def backoff_s(failures: int) -> float:
    """Return the pause before the next start after so many failures in a row, in seconds.

    >>> [backoff_s(n) for n in (1, 2, 3, 4, 5, 6, 60)]
    [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    """
    return min(LONGEST_BACKOFF_S, 2.0 ** min(failures - 1, 10))


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker process as it is now.

    Attributes:
        index: its number, from 0.
        state: ``starting`` until its web server answers, then ``running``; ``waiting`` for the next
            start after it ended; ``given up``; ``stopped``.
        pid: of its process, None if there is none.
        web: where its web server is, such as ``http://127.0.0.1:6066``.
        restarts: how often it was started again.
        log_file: what it prints.
    """

    index: int
    state: State
    pid: int | None
    web: str
    restarts: int
    log_file: Path


class Worker:
    """One worker process and its successors. Not thread-safe; :class:`WorkerPool` holds the lock.

    Args:
        index: its number, from 0.
        environment: its settings; WEB_PORT and DATA_DIR are added.
        address: host and first port of its web server; a taken port is passed over.
        data_dir: its own folder.
        log_file: where its output goes; what is there is kept beside it as ``.1``.
        tell: receives one-line reports.
        ports: the ports that workers beside it have, by index.
    """

    def __init__(
        self,
        index: int,
        environment: Mapping[str, str],
        *,
        address: tuple[str, int],
        data_dir: Path,
        log_file: Path,
        tell: Tell,
        ports: dict[int, int],
    ) -> None:
        self.index = index
        self.state: State = "waiting"
        self.restarts = -1
        self.log_file = log_file
        self._environment = environment
        self._host, self._first_port = address
        self._data_dir = data_dir
        self._tell = tell
        self._ports = ports
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._failures_before_serving = 0
        self._started_at = 0.0
        self._start_at = 0.0
        self._log_start = 0
        log_file.parent.mkdir(parents=True, exist_ok=True)
        if log_file.exists():
            log_file.replace(log_file.with_suffix(".log.1"))

    @property
    def status(self) -> WorkerStatus:
        """What is known of it."""
        process = self._process
        return WorkerStatus(
            index=self.index,
            state=self.state,
            pid=None if process is None else process.pid,
            web=f"http://{self._reachable}:{self._ports.get(self.index, self._first_port)}",
            restarts=max(0, self.restarts),
            log_file=self.log_file,
        )

    def look(self, now: float) -> None:
        """Do what is due: start it, notice that it serves, notice that it ended."""
        if self.state == "waiting" and now >= self._start_at:
            self._start(now)
        elif self._process is not None:
            code = self._process.poll()
            if code is not None:
                self._ended(code, now)
            elif self.state == "starting" and self._serves():
                self.state = "running"
                self._failures_before_serving = 0
            elif self.state == "running" and now - self._started_at > GOOD_RUN_S:
                self._failures = 0

    def terminate(self) -> None:
        """Ask it to stop; it makes its last checkpoint."""
        self.state = "stopped"
        if self._process is not None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait until it has ended; kill it once the deadline (monotonic seconds) is over."""
        process = self._process
        if process is None:
            return
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._tell(f"worker {self.index} (pid {process.pid}) does not stop: killing it")
            process.kill()
            process.wait()
        self._forget(process)

    def _start(self, now: float) -> None:
        port = self._choose_port()
        self._data_dir.mkdir(parents=True, exist_ok=True)
        own = {"WEB_PORT": str(port), "DATA_DIR": str(self._data_dir)}
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                COMMAND,
                cwd=ROOT,
                env={**self._environment, **own},
                # Its end tells the worker that we are gone; see worker_main.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C in our terminal is for us; workers are stopped in good order.
                start_new_session=True,
            )
        self.state = "starting"
        self.restarts += 1
        self._started_at = now

    def _choose_port(self) -> int:
        """Return the usual port, or the next one that is free and no other worker's."""
        taken = {port for index, port in self._ports.items() if index != self.index}
        port = self._first_port
        while port in taken or not _is_free(self._host, port):
            port += 1
            if port > 65535:
                raise ConfigurationError(
                    f"WEB_PORT is {self._first_port}: no port from there on is free on {self._host}"
                )
        if port not in (self._first_port, self._ports.get(self.index)):
            self._tell(f"worker {self.index}: port {self._first_port} is taken, using {port}")
        self._ports[self.index] = port
        return port

    @property
    def _reachable(self) -> str:
        return "127.0.0.1" if self._host in ("0.0.0.0", "::", "") else self._host  # noqa: S104

    def _serves(self) -> bool:
        try:
            with socket.create_connection((self._reachable, self._ports[self.index]), 0.2):
                return True
        except OSError:
            return False

    def _ended(self, code: int, now: float) -> None:
        process = self._process
        if process is None:
            return
        self._forget(process)
        self._failures += 1
        if self.state == "starting":
            self._failures_before_serving += 1
        who = f"worker {self.index} (pid {process.pid}) {_how(code)}"
        lines = tail(self.log_file, self._log_start)
        complaints = [line for line in lines if line.startswith("error:")]
        if self._failures_before_serving >= GIVE_UP_AFTER:
            self.state = "given up"
            self._tell(f"{who}, {GIVE_UP_AFTER} times in a row: given up. {self.log_file} ends:")
            for line in complaints[-1:] or lines:
                self._tell(f"  {line}")
            return
        pause = backoff_s(self._failures)
        self.state = "waiting"
        self._start_at = now + pause
        for line in complaints[-1:]:
            self._tell(f"worker {self.index}: {line}")
        self._tell(f"{who}: starting it again in {pause:g} s")

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()
        self._process = None


class WorkerPool:
    """Some worker processes and the thread that looks after them.

    Args:
        environment: the settings of all (see :func:`pipeline.environment.environment`).
        count: how many.
        address: host of their web servers, and the first one's port; the next has the next.
        data_dir: has a folder for each.
        logs_dir: has a log file for each.
        tell: receives one-line reports, from any thread.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        count: int,
        *,
        address: tuple[str, int],
        data_dir: Path,
        logs_dir: Path,
        tell: Tell,
    ) -> None:
        host, port = address
        ports: dict[int, int] = {}
        self._workers = [
            Worker(
                index,
                environment,
                address=(host, port + index),
                data_dir=data_dir / f"worker-{index}",
                log_file=logs_dir / f"worker-{index}.log",
                tell=tell,
                ports=ports,
            )
            for index in range(count)
        ]
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="workers", daemon=True)

    def start(self) -> None:
        """Start the workers and their supervision; returns without waiting for them to serve.

        Raises:
            ConfigurationError: there is no port for one; none is left running.
        """
        try:
            for worker in self._workers:
                worker.look(time.monotonic())
        except BaseException:
            self.stop()
            raise
        self._supervisor.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop all, cleanly (SIGTERM) or after ``timeout_s`` by force; may be called again."""
        self._over.set()
        with self._lock:
            for worker in self._workers:
                worker.terminate()
            deadline = time.monotonic() + timeout_s
            for worker in self._workers:
                worker.wait(deadline)
        if self._supervisor.is_alive():
            self._supervisor.join()

    def status(self) -> tuple[WorkerStatus, ...]:
        """Return what is known of each worker, in order."""
        return tuple(worker.status for worker in self._workers)

    def _supervise(self) -> None:
        while not self._over.wait(_TICK_S):
            with self._lock:
                if self._over.is_set():
                    return
                self._look(self._workers)

    def _look(self, workers: Iterable[Worker]) -> None:
        for worker in workers:
            # No memory, no port: no reason to leave the others alone.
            with contextlib.suppress(OSError, ConfigurationError):
                worker.look(time.monotonic())


def tail(log_file: Path, start: int = 0, lines: int = _TAIL_LINES) -> list[str]:
    """Return the last lines of a log file that stand behind byte ``start``."""
    with log_file.open("rb") as log:
        size = log.seek(0, 2)
        log.seek(max(start, size - _TAIL_BYTES))
        text = log.read().decode(errors="replace")
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do: connections of a predecessor that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _how(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
