"""Worker processes, and what they are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from chaos.judge.reference import Parameters
from embedded import ports

ROOT = Path(__file__).resolve().parent.parent

#: The consumer group, and the database, unless another is given.
NAME = "chaos"
PARTITIONS = 8

#: Of our own environment a worker gets no more than this: settings are the arena's alone.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")

#: How long a worker may take to end after SIGTERM.
STOP_S = 20.0


class Worker:
    """One `faust worker` process."""

    def __init__(self, name: str, app: str, directory: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        data = directory / name
        data.mkdir(parents=True)
        port = ports.free_port()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                # It ends when we do, however we end.
                [
                    *(sys.executable, str(ROOT / "pipeline" / "worker_main.py")),
                    *("faust", "-A", app, "worker", "-l", "info"),
                ],
                cwd=data,
                env=environment | {"WEB_PORT": str(port), "DATA_DIR": str(data)},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> int | None:
        """The exit code, None while the process runs."""
        return self.process.poll()

    @property
    def ready(self) -> bool:
        """Whether it has its partitions and works."""
        return "Worker ready" in self.log.read_text(errors="replace")

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.process.kill()
        self._gone()

    def _gone(self) -> int:
        code = self.process.wait(STOP_S)
        if self.process.stdin is not None:
            self.process.stdin.close()
        return code

    def stop(self) -> int | None:
        """Ask it to end (SIGTERM); return its exit code, None if it had to be killed."""
        self.process.terminate()
        try:
            return self._gone()
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def freeze(self) -> None:
        """Let it stand still (SIGSTOP)."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self.process.send_signal(signal.SIGCONT)


class Crew:
    """The workers of one consumer group, and the commands given to them.

    Args:
        directory: takes their files and logs.
        kafka: bootstrap servers.
        mongodb: connection string.
        app: what the workers run.
        replicas: how many of each topic.
        name: the consumer group, and the database.
        checkpoint_interval_s: seconds between checkpoints.

    Attributes:
        workers: those that are meant to run.
        parameters: of the indicators, for workers that start from now on.
        complaints: workers that ended by themselves, or did not end well.
    """

    def __init__(
        self,
        directory: Path,
        kafka: str,
        mongodb: str,
        app: str,
        *,
        replicas: int,
        name: str = NAME,
        checkpoint_interval_s: float = 1.0,
    ) -> None:
        self.workers: list[Worker] = []
        self.parameters = Parameters()
        self.complaints: list[str] = []
        self.directory = directory
        self._app = app
        self._started = 0
        self._told = {
            "APP_ID": name,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "TOPIC_REPLICATION_FACTOR": str(replicas),
            "MONGODB_URI": mongodb,
            "MONGODB_DATABASE": name,
            "CHECKPOINT_INTERVAL_S": str(checkpoint_interval_s),
        }

    @property
    def ready(self) -> bool:
        """Whether all have their partitions and work."""
        return all(worker.ready for worker in self.workers)

    def environment(self) -> dict[str, str]:
        """Return the settings, as a worker or a command of the app reads them."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        fixed = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        return inherited | fixed | self._told | {"INDICATORS": self.parameters.setting}

    def start_worker(self) -> Worker:
        """Start one more worker."""
        self._started += 1
        name = f"worker-{self._started}"
        worker = Worker(name, self._app, self.directory, self.environment())
        self.workers.append(worker)
        return worker

    def stop_worker(self, worker: Worker) -> None:
        """Stop a worker cleanly, and complain if it is not clean."""
        self.workers.remove(worker)
        code = worker.stop()
        if code is None:
            self.complaints.append(f"{worker.name} did not end within {STOP_S:g} s of SIGTERM")
        elif code != 0:
            self.complaints.append(f"{worker.name} ended with code {code} after SIGTERM")

    def kill_worker(self, worker: Worker) -> None:
        """Kill a worker."""
        self.workers.remove(worker)
        worker.kill()

    def mend(self) -> None:
        """Complain of workers that ended by themselves, and replace them."""
        for worker in list(self.workers):
            if worker.ended is not None:
                self.workers.remove(worker)
                self.complaints.append(f"{worker.name} ended by itself with code {worker.ended}")
                self.start_worker()

    def command(
        self, arguments: Sequence[str], timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the app, `faust -A app ...`, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "faust", "-A", "app", *arguments],
            cwd=self.directory,
            env=self.environment() | {"COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def end(self) -> None:
        """Kill the workers that are left."""
        for worker in self.workers:
            worker.kill()
        self.workers.clear()
