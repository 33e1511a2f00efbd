"""The program with a pause between the changelog's acknowledgement and the commit of offsets.

A kill in that pause leaves state that is ahead of the offsets, so that the guards have work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from faust.types import TP

from app import app
from tests.integration.conftest import HOLDING_BACK
from transport.consumer import BatchingConsumer

__all__ = ["app"]

PAUSE_S = 1.5

log = logging.getLogger(__name__)

_commit_offsets = BatchingConsumer.commit_offsets


async def _slowly(self: BatchingConsumer, offsets: Mapping[TP, int]) -> bool:
    log.warning(HOLDING_BACK)
    await asyncio.sleep(PAUSE_S)
    return await _commit_offsets(self, offsets)


BatchingConsumer.commit_offsets = _slowly  # type: ignore[method-assign]
