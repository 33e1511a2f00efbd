"""The program that stops once the rows of rules are saved and those of indicators are not.

A kill then leaves rules that have seen bars which the indicators have to be computed of again.
"""

from __future__ import annotations

import asyncio
import logging

from app import app
from tables.indicators import IndicatorTable
from tests.integration.conftest import HOLDING_BACK
from transport.checkpoint import Rows

__all__ = ["app"]

#: Checkpoints that are completed first.
COMPLETED = 1

log = logging.getLogger(__name__)

_send = IndicatorTable.send


async def _not_any_more(self: IndicatorTable, rows: Rows) -> None:
    if app.checkpoints.completed >= COMPLETED:
        log.warning(HOLDING_BACK)
        await asyncio.Event().wait()
    await _send(self, rows)


IndicatorTable.send = _not_any_more  # type: ignore[method-assign, assignment]
