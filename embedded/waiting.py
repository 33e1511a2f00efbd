"""Waiting for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

_POLL_S = 0.1


def until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Ask until the condition holds, for `timeout_s` seconds at most; tell whether it does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
