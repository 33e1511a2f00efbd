"""On what was measured: machine, versions, commit."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.process import ROOT
from embedded.kafka_jars import VERSION as KAFKA_VERSION

_PACKAGES = ("faust-streaming", "aiokafka", "uvloop", "pymongo", "orjson", "confluent-kafka", "ta")


def machine() -> dict[str, Any]:
    """What runs the benchmark."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions(mongod: str) -> dict[str, str]:
    """What it runs; ``mongod`` is the server's own word."""
    packages = {name: version(name) for name in _PACKAGES}
    return {
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        "mongod": mongod,
    } | packages


def commit() -> str:
    """The commit, with a hash of what is changed and not committed; "unknown" outside git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD").decode().strip()
        changed = _git("diff", "HEAD") + _git("ls-files", "-o", "--exclude-standard")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}+{hashlib.blake2b(changed, digest_size=4).hexdigest()}" if changed else head


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _git(*arguments: str) -> bytes:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S603
