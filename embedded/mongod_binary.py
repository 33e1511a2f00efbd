"""Finds the mongod of the installed wheel and checks that this machine can run it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

from embedded.errors import EmbeddedError

_WITHOUT_IT = "give MONGODB_URI (any MongoDB from 5.0 on, or Docker)"
_TIMEOUT_S = 10.0

# Debian's and Ubuntu's packages of what mongod links.
_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
    "libgcc_s.so.1": "libgcc-s1",
}


def locate() -> Path:
    """Return the path of a mongod that runs here.

    Raises:
        EmbeddedError: the wheel is not installed, or a shared library is missing.
    """
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        binary = Path(folder) / "db" / "bin" / "mongod"
        if binary.is_file():
            check_libraries(binary)
            return binary
    raise EmbeddedError(
        "The package that brings mongod is not installed.",
        remedy=f"pip install -r requirements-embedded.txt, or {_WITHOUT_IT}",
    )


def check_libraries(binary: Path) -> None:
    """Raise EmbeddedError if the loader misses a library of this program."""
    # Asks the loader itself: `ldd` is a script around this variable, and not on every machine.
    try:
        traced = subprocess.run(
            [str(binary)],
            env=os.environ | {"LD_TRACE_LOADED_OBJECTS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except OSError as error:  # another C library: the loader itself is missing
        raise EmbeddedError(f"{binary} cannot be run: {error}", remedy=_WITHOUT_IT) from error
    complain(missing_libraries(traced.stdout + traced.stderr))


def complain(missing: list[str]) -> None:
    """Raise EmbeddedError with the remedy if any library is missing."""
    if missing:
        known = list(dict.fromkeys(_PACKAGES[name] for name in missing if name in _PACKAGES))
        install = f"apt-get install {' '.join(known)}, or " if known else "install them, or "
        raise EmbeddedError(
            f"mongod needs libraries that this machine lacks: {', '.join(missing)}.",
            remedy=install + _WITHOUT_IT,
        )


def missing_libraries(trace: str) -> list[str]:
    """Return what the loader reports as not found: libraries, or versions of a library."""
    lines = (line.strip() for line in trace.splitlines())
    return [line.partition(" => ")[0].rpartition(": ")[2] for line in lines if "not found" in line]
