"""The program that stops once the rows of rules are saved and those of indicators are not.

It does so as soon as there is a file `hold` among its own.
A kill then leaves rules that have seen bars which the indicators have to be computed of again.
"""

from __future__ import annotations

import asyncio
import logging

from app import app, settings
from tables.indicators import IndicatorTable
from tests.integration.conftest import HOLDING_BACK
from transport.checkpoint import Rows

__all__ = ["app"]

log = logging.getLogger(__name__)

_send = IndicatorTable.send


async def _not_any_more(self: IndicatorTable, rows: Rows) -> None:
    if (settings.data_dir / "hold").exists():
        log.warning(HOLDING_BACK)
        await asyncio.Event().wait()
    await _send(self, rows)


IndicatorTable.send = _not_any_more  # type: ignore[method-assign, assignment]
