"""Remembers which process a server is, and is never deceived by a recycled pid."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import psutil

# The start time that Linux reports may move by a clock tick or a small correction of the clock;
# the same pid is not given to another process that soon.
_TOLERANCE_S = 2.0


def write_atomically(path: Path, text: str) -> None:
    """Write a small file so that a crash leaves either the old or the new text."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def remember(path: Path, pid: int) -> None:
    """Record a process that was just started, by its pid and the time it was created."""
    created = psutil.Process(pid).create_time()
    write_atomically(path, json.dumps({"pid": pid, "created": created}))


def find(path: Path) -> psutil.Process | None:
    """Return the recorded process if it still runs; None if it ended or its pid is another's."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pid, created = int(record["pid"]), float(record["created"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < _TOLERANCE_S
        if same and process.status() == psutil.STATUS_ZOMBIE:
            reap(pid)
            return None
    except psutil.NoSuchProcess:
        return None
    return process if same else None


def reap(pid: int) -> int | None:
    """Collect the exit code of a child that ended (negative: a signal); None if there is none."""
    with contextlib.suppress(ChildProcessError):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended == pid:
            return os.waitstatus_to_exitcode(status)
    return None
