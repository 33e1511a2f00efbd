"""Keeps two commands from starting or stopping the same server at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from embedded.errors import EmbeddedError

_POLL_S = 0.1


@contextlib.contextmanager
def exclusive(path: Path, *, log: Callable[[str], None], timeout_s: float) -> Iterator[None]:
    """Hold the lock of this file; wait for another holder up to `timeout_s` seconds.

    The kernel releases the lock when its holder dies, so a crash leaves nothing to clean up.

    Raises:
        EmbeddedError: the other holder did not finish in time.
    """
    import fcntl  # noqa: PLC0415 (absent on Windows, where this package can still be imported)

    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_s
    told = False
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Another process has held {path} for {timeout_s:.0f} s.",
                        remedy="wait for the other `python -m embedded` to end, or end it",
                    ) from None
            if not told:
                log(f"waiting for another process that holds {path}")
                told = True
            time.sleep(_POLL_S)
        yield
