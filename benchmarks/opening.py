"""How the benchmarks that run beside Quix Streams begin: one option, and its environment there."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from benchmarks import roster


def opened(about: str | None, less: str, target: str) -> tuple[bool, Console]:
    """Read the command line; return whether it is to be quick, and where to print.

    Ends the program where Quix Streams is not installed.

    Args:
        about: the docstring whose first line ``--help`` shows.
        less: what there is less of in a quick run.
        target: of the Makefile, which installs Quix Streams.
    """
    parser = argparse.ArgumentParser(description=(about or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help=less)
    quick: bool = parser.parse_args().quick
    if not roster.QUIX_PYTHON.exists():
        parser.error(f"{roster.QUIX_PYTHON} does not exist: `make {target}` installs it")
    return quick, Console(width=None if sys.stdout.isatty() else 140)
