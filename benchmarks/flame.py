"""A flame graph of a worker under load, drawn by py-spy.

python -m benchmarks.flame
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from rich.console import Console

from benchmarks import results
from benchmarks.arena import arena
from benchmarks.errors import ContestantFailed
from benchmarks.process import Process
from benchmarks.roster import OURS_WITH_SNAPSHOTS, WORKER_READY, worker
from pipeline.workers import COMMAND

TICKERS, BARS = 200, 200_000
#: Samples a second, and for how long.
RATE, SECONDS = 200, 8
TARGET = results.FOLDER / "profile.svg"


def main() -> None:
    """Draw; exit code 1 where py-spy may not look into processes."""
    spy = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    if spy is None:
        sys.exit("error: py-spy is not installed: `make profile` installs it")
    results.FOLDER.mkdir(exist_ok=True)
    try:
        with arena() as place:
            place.refill(TICKERS, BARS)
            task = place.task(OURS_WITH_SNAPSHOTS, tickers=TICKERS, bars=BARS)
            log = Path(task.directory) / "log.txt"
            with Process("the worker", COMMAND, worker()(place, task), log) as process:
                process.wait_for(WORKER_READY)
                command = [
                    *(spy, "record", "--pid", str(process.pid), "--threads", "--gil"),
                    *("--rate", str(RATE), "--duration", str(SECONDS)),
                    *("--format", "flamegraph", "--output", str(TARGET)),
                ]
                done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
                left = BARS - place.documents(task)
    except ContestantFailed as error:
        sys.exit(f"error: {error}")
    if done.returncode != 0:
        sys.exit(
            f"error: py-spy: {done.stderr.strip()}\n"
            "it needs the right to trace processes: root, or kernel.yama.ptrace_scope=0"
        )
    if left == 0:
        Console().print(f"the worker was through before {SECONDS} s were over: it idled at the end")
    Console().print(f"{SECONDS} s of a worker under load, samples that held the GIL: {TARGET}")


if __name__ == "__main__":
    main()
