"""One contestant's process: started, listened to, looked at, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import psutil

from benchmarks.errors import ContestantFailed

ROOT = Path(__file__).resolve().parent.parent

#: Between two looks at a log; the resolution of every start, in seconds.
LOOK_S = 0.005
_STOP_TIMEOUT_S = 30.0
_MB = 1e6


class Process:
    """A process whose output goes to a log file.

    Args:
        name: for error messages.
        command: its arguments.
        environment: added to this process's own.
        log: where its output goes.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own contestants
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                # A worker of the program ends when this pipe does: with us, however we end.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A Ctrl-C is for the benchmark, which then ends them.
                start_new_session=True,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_for(self, text: str, timeout_s: float = 120.0) -> float:
        """Return the moment (perf_counter) at which ``text`` stands in its log.

        Raises:
            ContestantFailed: it ended before, or did not say it in time.
        """
        deadline = perf_counter() + timeout_s
        wanted = text.encode()
        with self.log.open("rb") as log:
            seen = b""
            while True:
                seen = seen[-len(wanted) :] + log.read()
                if wanted in seen:
                    return perf_counter()
                self.check()
                if perf_counter() > deadline:
                    raise self.failure(f"did not say {text!r} within {timeout_s:g} s")
                time.sleep(LOOK_S)

    def wait_end(self, timeout_s: float) -> None:
        """Return once it has ended by itself, well.

        Raises:
            ContestantFailed: it did not, or not in time.
        """
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise self.failure(f"did not end within {timeout_s:g} s") from None
        if code != 0:
            raise self.failure(f"ended with code {code}")

    def check(self) -> None:
        """Raise ContestantFailed if it has ended badly."""
        if self._process.poll() not in (None, 0):
            raise self.failure(f"ended with code {self._process.returncode}")

    def failure(self, what: str) -> ContestantFailed:
        """Return the error that says what this contestant did, with the end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return ContestantFailed("\n  ".join([f"{self.name} {what}; its log ends:", *lines[-15:]]))

    def rss_mb(self) -> float:
        """Its resident memory and its children's, in MB (10^6 bytes); 0 once it has ended."""
        try:
            own = psutil.Process(self.pid)
            both = [own, *own.children(recursive=True)]
            return sum(one.memory_info().rss for one in both) / _MB
        except psutil.NoSuchProcess:
            return 0.0

    def cpu_s(self) -> float:
        """Processor time that it has used so far, in seconds; 0 once it has ended."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return times.user + times.system + times.children_user + times.children_system

    def kill(self) -> None:
        """End it at once: nothing that it may still do is of interest."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Stop it: SIGTERM, and SIGKILL if that does not do."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
