"""Builds and runs the image's contents without Docker, by the Dockerfile's own commands.

::

    python -m scripts.try_image

Every RUN goes through a shell as it stands in the Dockerfile, in a new directory that takes the
place of ``/``, and as a user who may write nowhere else; then the CMD runs against a Kafka and a
MongoDB, the HEALTHCHECK asks it, and the deployment is checked. Only what makes the user is left
out. Servers are those of the settings, else embedded ones.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config import settings
from embedded import stack
from embedded.locate import Servers, find_servers
from embedded.ports import free_port
from embedded.waiting import until
from scripts.dockerfile import ROOT, Instruction, context, environment, exec_form, one, stages

#: Directories of the image that RUN, COPY and ENV name.
_PLACES = re.compile(r"(?<![\w.])/(opt|app|tmp)\b")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What reaches the package index from here: proxies, certificates.
_PASSED_ON = re.compile(r"(PIP_|SSL_)\w+|\w+_proxy", re.IGNORECASE)
#: Only a hang takes longer.
_START_TIMEOUT_S = 300.0
TICKERS = ("AAPL", "MSFT", "TSLA")


class Failed(RuntimeError):
    """A step did not end as it must; says which, and what it printed."""


class Image:
    """A directory that becomes what the image is.

    Args:
        root: takes the place of ``/``; exists and is empty.
        user: the name of the user who runs everything, None for the present one.
    """

    def __init__(self, root: Path, user: str | None) -> None:
        self.root = root
        self._as: dict[str, Any] = {}
        if user is not None:
            entry = pwd.getpwnam(user)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(root, entry.pw_uid, entry.pw_gid)
        path = f"{_SYSTEM_PATH}:{self._python_for_others(user)}"
        self._environment = {"PATH": path, "LANG": "C.UTF-8"}
        for name, value in os.environ.items():
            if _PASSED_ON.fullmatch(name):
                self._environment[name] = value

    def build(self) -> None:
        """Carry out the Dockerfile, stage by stage.

        Raises:
            Failed: a command ended with another code than 0.
        """
        for name in ("opt", "app", "tmp"):
            self._run(["mkdir", str(self.root / name)], self._environment, self.root)
        for stage in stages()[1:]:
            variables = environment(stage, self._environment)
            self.environment = {name: self.placed(value) for name, value in variables.items()}
            for instruction in stage:
                self._carry_out(instruction)
        self.command = exec_form(one(stages()[-1], "CMD").value)
        self.healthcheck = exec_form(one(stages()[-1], "HEALTHCHECK").value)
        self._run(["chmod", "-R", "a-w", "app", "opt"], self._environment, self.root)
        self._run(["chmod", "u+w", "app/.data"], self._environment, self.root)

    def run(
        self, arguments: Sequence[str], variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as `docker exec` would, with these variables besides the image's own."""
        return subprocess.run(  # noqa: S603 - what the Dockerfile and this file say
            arguments,
            cwd=self.root / "app",
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            **self._as,
        )

    def start(self, variables: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Start the CMD, with these variables besides the image's own."""
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - the Dockerfile's CMD
                self.command,
                cwd=self.root / "app",
                env={**self.environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self._as,
            )

    def placed(self, text: str) -> str:
        """Return ``text`` with the image's directories where they are here."""
        return _PLACES.sub(lambda found: f"{self.root}{found[0]}", text)

    def _carry_out(self, instruction: Instruction) -> None:
        if instruction.name == "COPY":
            self._copy(*instruction.value.split())
        elif instruction.name == "RUN" and not instruction.value.startswith("useradd "):
            print(f"RUN {instruction.value}", flush=True)
            shell = ["/bin/sh", "-c", self.placed(instruction.value)]
            self._run(shell, self.environment, self.root)

    def _copy(self, *words: str) -> None:
        if words[0].startswith("--from="):
            if words[1] != words[2]:
                raise Failed(f"COPY {' '.join(words)}: stages share their directories here")
            return
        what, where = words
        wanted = context() if what == "." else {what}
        for name in sorted(wanted):
            target = Path(self.placed(where)) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
        if self._as:
            owner = f"{self._as['user']}:{self._as['group']}"
            subprocess.run(["chown", "-R", owner, self.placed(where)], check=True)  # noqa: S603, S607

    def _run(self, arguments: Sequence[str], variables: Mapping[str, str], cwd: Path) -> None:
        done = subprocess.run(  # noqa: S603 - what the Dockerfile and this file say
            arguments,
            cwd=cwd,
            env=dict(variables),
            capture_output=True,
            text=True,
            check=False,
            **self._as,
        )
        if done.returncode != 0:
            raise Failed(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")

    def _python_for_others(self, user: str | None) -> str:
        """Return a directory to append to PATH: that of this Python, if the user may enter it."""
        here = Path(sys.base_prefix) / "bin"
        try:
            self._run([str(here / "python3"), "--version"], {}, self.root)
        except (Failed, PermissionError):
            return "/usr/bin" if user else str(here)
        return str(here)


def check(image: Image, variables: Mapping[str, str]) -> None:
    """Run the worker, ask it by the HEALTHCHECK, check the deployment, and stop it.

    Raises:
        Failed: any of it went wrong.
    """
    log = image.root / "worker.log"
    worker = image.start(variables, log)
    try:
        well = until(
            lambda: (
                worker.poll() is not None or image.run(image.healthcheck, variables).returncode == 0
            ),
            _START_TIMEOUT_S,
            every_s=2.0,
        )
        if not well or worker.poll() is not None:
            said = image.run(image.healthcheck, variables).stdout
            raise Failed(f"the worker is not well: {said}{log.read_text(encoding='utf-8')}")
        print(f"HEALTHCHECK {' '.join(image.healthcheck)}: well", flush=True)
        checked = image.run(["python", "test_kafka_integration.py", *TICKERS], variables)
        print(checked.stdout.strip().rpartition("\n")[0].rpartition("\n")[2], flush=True)
        if checked.returncode != 0:
            raise Failed(f"the deployment fails its check:\n{checked.stdout}{checked.stderr}")
        worker.send_signal(signal.SIGTERM)
        if worker.wait(timeout=_START_TIMEOUT_S) != 0:
            raise Failed(f"SIGTERM ended it badly:\n{log.read_text(encoding='utf-8')}")
        print("SIGTERM: ended well", flush=True)
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()


def main() -> int:
    """Do all of it in new directories, which are deleted afterwards."""
    chosen = settings()
    root = Path(tempfile.mkdtemp(prefix="try-image-"))
    root.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="try-image-servers-") as data_dir:
        try:
            image = Image(root, "nobody" if os.geteuid() == 0 else None)
            image.build()
            with find_servers(
                chosen.kafka_bootstrap_servers if chosen.kafka_given else None,
                chosen.mongodb_uri.get_secret_value() if chosen.mongodb_given else None,
                data_dir=Path(data_dir),
                log=print,
                usual_ports=False,
            ) as servers:
                check(image, variables_for(servers))
        except Failed as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 1
        finally:
            stack.reset(Path(data_dir))
            subprocess.run(["chmod", "-R", "u+w", str(root)], check=True)  # noqa: S603, S607
            shutil.rmtree(root)
    return 0


def variables_for(servers: Servers) -> dict[str, str]:
    """Return what docker-compose.yml would give the container, for these servers."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka,
        "MONGODB_URI": servers.mongodb,
        "WEB_PORT": str(free_port()),
        "WEB_TOKEN": secrets.token_urlsafe(),
    }


if __name__ == "__main__":
    sys.exit(main())
