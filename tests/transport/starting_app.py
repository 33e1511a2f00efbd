"""`mixed_app`, told to end while it starts: at its table."""

from __future__ import annotations

import os
import signal
from typing import Any

from tests.transport.mixed_app import app, counts

__all__ = ["app"]

table: Any = counts
start = table.on_start


async def end_and_start() -> None:
    """Behave as if SIGTERM came now."""
    os.kill(os.getpid(), signal.SIGTERM)
    await start()


table.on_start = end_and_start
