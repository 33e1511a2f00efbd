"""Where the packaged servers run."""

from __future__ import annotations

import platform
import sys

from embedded.errors import EmbeddedError

_MACHINES = ("x86_64", "aarch64")


def require_supported(system: str | None = None, machine: str | None = None) -> None:
    """Raise EmbeddedError unless this machine (or the one given) is Linux on x86-64 or aarch64."""
    system = sys.platform if system is None else system
    machine = platform.machine() if machine is None else machine
    if system != "linux" or machine not in _MACHINES:
        raise EmbeddedError(
            f"The embedded servers run on Linux (x86-64, aarch64), not on {system} ({machine}).",
            remedy="start Docker, or give KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI",
        )
