"""A server that runs as a detached process: started, awaited, found again, stopped."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NoReturn, Self

import psutil

from embedded import locks, pidfile, platforms, ports
from embedded.errors import EmbeddedError

Log = Callable[[str], None]

_logger = logging.getLogger("embedded")
_POLL_S = 0.1
# The first start may download; whoever waits for it waits long.
_LOCK_TIMEOUT_S = 300.0


class ServerProcess(ABC):
    """One server, its files in a folder of its own below `data_dir`.

    The object holds no state that matters: whether the server runs is read from its pid file, so
    any number of objects (in any number of processes) can speak of the same server.

    Args:
        data_dir: the folder that holds the servers' folders; made when it is missing.
        port: the port to listen on. None: the port of the last start if it is free, else the usual
            one, else any free one.
        avoid_usual_port: whether to leave the usual port to others when `port` is None.
        log: receives one-line reports of what takes time.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    usual_port: ClassVar[int]
    start_timeout_s: ClassVar[float]
    stop_timeout_s: ClassVar[float] = 20.0

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        avoid_usual_port: bool = False,
        log: Log = _logger.info,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.home = self.data_dir / self.name
        self.storage = self.home / "storage"
        self.log_file = self.home / "server.log"
        self._wanted_port = port
        self._avoid_usual_port = avoid_usual_port
        self._log = log
        self._pid_file = self.home / "server.pid"
        self._ports_file = self.home / "ports.json"

    # What each server knows of itself.

    @property
    @abstractmethod
    def address(self) -> str:
        """What a client needs to connect."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Prepare the files for a start (the ports are chosen) and return the command line."""

    @abstractmethod
    def _ready(self) -> bool:
        """Tell whether clients are served; do the steps that need the running server."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the server answers a client now; takes a few seconds at most."""

    def _extra_ports(self) -> list[str]:
        """Names of further ports that this server needs, besides `port`."""
        return []

    # What is known from the outside.

    @property
    def process(self) -> psutil.Process | None:
        """The server's process, or None if it does not run."""
        return pidfile.find(self._pid_file)

    @property
    def pid(self) -> int | None:
        """The server's process id, or None if it does not run."""
        process = self.process
        return None if process is None else process.pid

    @property
    def running(self) -> bool:
        """Whether the server's process runs (it may still be starting)."""
        return self.process is not None

    @property
    def port(self) -> int:
        """The port of the running server, or of its last or next start."""
        if self._wanted_port is not None and not self.running:
            return self._wanted_port
        return self._ports().get("port", self.usual_port)

    # Starting.

    def start(self) -> bool:
        """Start the server and wait until it serves clients.

        Returns:
            True if this call started it, False if it ran already.

        Raises:
            EmbeddedError: it did not start, or not in time; nothing is left running.
        """
        with self.lock():
            started = self.launch()
            try:
                self.wait_ready()
            except BaseException:
                if started:
                    self.kill()
                raise
        return started

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold this server against other processes that would start or stop it.

        Raises:
            EmbeddedError: the servers do not run on this platform.
        """
        platforms.require_supported()
        path = self.data_dir / f"{self.name}.lock"
        return locks.exclusive(path, log=self._log, timeout_s=_LOCK_TIMEOUT_S)

    def launch(self) -> bool:
        """Start the process without waiting for it, under `lock()`; False if it ran already.

        Raises:
            EmbeddedError: something that the server needs is missing.
        """
        if self.running:
            return False
        self.home.mkdir(parents=True, exist_ok=True)
        self._choose_ports()
        command = self._command()
        if self.log_file.exists():
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        # Not subprocess.Popen: it warns when it is forgotten while its child runs, and this child
        # is meant to outlive us. Other open files of ours are not inherited (PEP 446).
        pid = os.posix_spawn(
            command[0],
            command,
            # A data directory may have any name: Java reads file names by the locale.
            os.environ | {"LC_ALL": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log_file), log_flags, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,  # a Ctrl-C in our terminal is not for the server
        )
        pidfile.remember(self._pid_file, pid)
        return True

    def wait_ready(self) -> None:
        """Wait until the launched server serves clients.

        Raises:
            EmbeddedError: it ended, or did not get there in `start_timeout_s` seconds.
        """
        pid = self.pid
        deadline = time.monotonic() + self.start_timeout_s
        while True:
            code = None if pid is None else pidfile.reap(pid)
            if code is not None or not self.running:
                self._fail(f"{self.title} ended while starting{_how(code)}.")
            if self._ready():
                return
            if time.monotonic() > deadline:
                self._fail(
                    f"{self.title} did not answer on {self.address} "
                    f"within {self.start_timeout_s:.0f} s."
                )
            time.sleep(_POLL_S)

    def _fail(self, what: str) -> NoReturn:
        remedy = (
            f"read the log; if the data are damaged, "
            f"`python -m embedded --data-dir {self.data_dir} reset` deletes them"
        )
        raise EmbeddedError(what, log=self.log_file, remedy=remedy)

    # Stopping.

    def stop(self) -> bool:
        """Stop the server cleanly (SIGTERM); after `stop_timeout_s` seconds, SIGKILL.

        Returns:
            True if it ran.
        """
        with self.lock():
            return self._end(signal.SIGTERM)

    def kill(self) -> bool:
        """End the server at once (SIGKILL), as a crash would; True if it ran."""
        return self._end(signal.SIGKILL)

    def _end(self, sign: signal.Signals) -> bool:
        process = self.process
        if process is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(sign)
            try:
                process.wait(self.stop_timeout_s)
            except psutil.TimeoutExpired:
                self._log(f"{self.title} did not stop in {self.stop_timeout_s:.0f} s: killing it")
                process.kill()
                process.wait(self.stop_timeout_s)
        self._pid_file.unlink(missing_ok=True)
        return True

    def delete_data(self) -> None:
        """Stop the server and delete its folder, logs included."""
        with self.lock():
            self._end(signal.SIGTERM)
            shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Ports, kept over a stop so that clients find the server where it was.

    def _ports(self) -> dict[str, int]:
        try:
            stored = json.loads(self._ports_file.read_text(encoding="utf-8"))
            return {str(name): int(port) for name, port in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _choose_ports(self) -> None:
        last = self._ports()
        if self._wanted_port is None:
            usual = None if self._avoid_usual_port else self.usual_port
            port = ports.choose([last.get("port"), usual])
        elif ports.is_free(self._wanted_port):
            port = self._wanted_port
        else:
            raise EmbeddedError(
                f"{self.title} cannot listen on {ports.HOST}:{self._wanted_port}: "
                "another process does.",
                remedy="give another port, or none to have a free one chosen",
            )
        chosen = {"port": port}
        for name in self._extra_ports():
            chosen[name] = ports.choose([last.get(name)], exclude=set(chosen.values()))
        pidfile.write_atomically(self._ports_file, json.dumps(chosen))


def _how(code: int | None) -> str:
    if code is None:  # not our child: another process started it
        return ""
    if code < 0:
        return f" (killed by {signal.Signals(-code).name})"
    return f" (exit code {code})"
