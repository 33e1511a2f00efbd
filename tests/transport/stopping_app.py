"""`mixed_app`, told to end in the middle of a rebalance, and still ending when that is over."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from tests.transport.mixed_app import app

#: At which of its rebalances it is told to end: the first is its own joining.
STOP_AT = int(os.environ["TEST_STOP_AT"])

#: The generation of the group that the rebalance ended.
old: list[int] = []


def coordinator() -> Any:
    """aiokafka's, which belongs to another thread: only to look at."""
    consumer: Any = app.consumer
    return consumer._thread._consumer._coordinator


@app.on_partitions_revoked.connect
async def end(*_: Any, **__: Any) -> None:
    """Behave as if SIGTERM came now."""
    if app.rebalancing_count == STOP_AT:
        old.append(coordinator().generation)
        os.kill(os.getpid(), signal.SIGTERM)


@app.on_before_shutdown.connect
async def take_long(*_: Any, **__: Any) -> None:
    """Take as long as the rebalance, as a last checkpoint may."""

    def is_over() -> bool:
        return coordinator().generation not in old and not coordinator()._performed_join_prepare

    while not is_over():  # noqa: ASYNC110 - aiokafka has no asyncio.Event for it
        await asyncio.sleep(0.01)
