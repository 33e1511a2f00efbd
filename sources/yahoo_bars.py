"""yfinance's tables, as bars: which rows are bars, when each is over, and what adjusted them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from errors import InvalidRecord
from models import BAR, Bar, intake
from models.frames import YFINANCE_EXTRAS, TableRules, of_ticker, rows_of_frame
from sources import market_hours
from sources.market_hours import DAY_MS, WITHIN_DAY_MS

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

#: Exchange tickers are polled until so long after the close, ms.
GRACE_MS = 15 * 60_000
#: A bar counts as over so long after its end, ms: the last trades, and after a session the
#: closing auction's, take a while to show.
SETTLE_MS, SETTLE_SESSION_MS = 5_000, GRACE_MS

_PRICES = ("open", "high", "low", "close")
_TABLE = TableRules(
    known=frozenset(BAR.fields),
    ignored=YFINANCE_EXTRAS,
    left_out_without=_PRICES,
    may_be_empty=frozenset({*_PRICES, "volume", "adjusted_close"}),
)
#: Columns of what changes the bars before it.
_ADJUSTING = ("Dividends", "Stock Splits", "Capital Gains")


class BarReader:
    """Reads bars of one length.

    Args:
        source: what the bars name as their source.
        interval: their length, one of :data:`sources.market_hours.INTERVALS`.
        now: ms since the epoch.
    """

    def __init__(self, source: str, interval: str, now: Callable[[], int]) -> None:
        self._source = source
        self.interval = interval
        self._now = now

    def bars(self, key: str, frame: pd.DataFrame, now: int) -> list[Bar] | None:
        """Return the bars of one ticker that have begun by ``now``; None if it has no rows."""
        table = self._table(key, frame)
        if table is None:
            return None
        rows = [row for _, row in rows_of_frame(table, _TABLE)]
        if not rows:
            return None
        parsed = {bar.time: bar for row in rows if (bar := self._bar(key, row, now)) is not None}
        bars = [parsed[moment] for moment in sorted(parsed)]
        while bars and self._is_snapshot(key, bars):
            bars.pop()
        return [bar for bar in bars if self._span(key, bar.time)[0] <= now]

    def adjustments(self, key: str, frame: pd.DataFrame) -> list[int]:
        """Return the days of dividends and splits in a table, midnight UTC, ms, in order."""
        table = self._table(key, frame)
        if table is None:
            return []
        days: set[int] = set()
        for column in _ADJUSTING:
            if column in table.columns:
                amounts = table[column].fillna(0)
                days.update(midnight(_ms(moment)) for moment in amounts[amounts != 0].index)
        return sorted(days)

    def over_at(self, key: str, moment: int) -> int:
        """Return when the bar at ``moment`` counts as closed, ms."""
        end = self._span(key, moment)[1]
        daily = self.interval not in WITHIN_DAY_MS
        at_close = daily and market_hours.calendar_of(key) is not None
        return end + (SETTLE_SESSION_MS if at_close else SETTLE_MS)

    def _table(self, key: str, frame: pd.DataFrame) -> pd.DataFrame | None:
        if frame.columns.nlevels == 2 and key not in frame.columns.get_level_values("Ticker"):
            return None
        table = of_ticker(frame, key)
        if self.interval in WITHIN_DAY_MS and len(table):
            table = table.tz_convert("UTC")
        return table

    def _bar(self, key: str, row: dict[str, Any], now: int) -> Bar | None:
        """Return a row as a Bar; None if it lacks a price or breaks a rule."""
        if any(name not in row for name in _PRICES):
            return None
        fields = {
            "volume": 0.0,
            **row,
            "interval": self.interval,
            "source": self._source,
            "ingested": now,
        }
        try:
            bar = intake.bars(key, fields)[0]
        except InvalidRecord as error:
            # One bad row among thousands must not stop the ticker.
            log.warning("source yahoo: %s: a bar is left out: %s", key, error)
            return None
        bar.closed = self.over_at(key, bar.time) <= now
        return bar

    def _is_snapshot(self, key: str, bars: Sequence[Bar]) -> bool:
        """Tell whether the last row is the last trade, which Yahoo writes after the bars.

        It has the time of that trade and no length; after the close, that is the close itself.
        """
        length = WITHIN_DAY_MS.get(self.interval)
        if length is None:
            return False
        moment = bars[-1].time
        if market_hours.calendar_of(key) is not None:
            session = market_hours.session_at(key, moment)
            return session is None or (moment - session.open) % length != 0
        return len(bars) > 1 and (moment - bars[-2].time) % length != 0

    def _span(self, key: str, moment: int) -> tuple[int, int]:
        # Far back nothing depends on the hour; a calendar's year costs a tenth of a second.
        if self._now() - moment > 60 * DAY_MS:
            return moment, moment
        return market_hours.span(key, self.interval, moment)


def midnight(moment: int) -> int:
    """Return the midnight, UTC, at or before ``moment``, ms."""
    return moment - moment % DAY_MS


def _ms(moment: Any) -> int:
    """Return an index's time, ms; a date's is midnight UTC."""
    return int((moment if moment.tzinfo else moment.tz_localize("UTC")).timestamp() * 1000)
