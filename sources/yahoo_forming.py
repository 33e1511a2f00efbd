"""The bars still forming, as the last trades have changed them since the last poll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models import Bar
from sources import market_hours
from sources.market_hours import WITHIN_DAY_MS
from sources.yahoo_stream import Trade, TradeStream


@dataclass(slots=True)
class _Forming:
    """One ticker's bar, and the day's volume when it was polled, where it is known."""

    bar: Bar
    day_volume: float | None = None


class FormingBars:
    """Refreshes the last polled bar of each ticker by its trades.

    The close becomes the last trade's price, high and low reach to it. The volume of a daily bar is
    the day's; that of a shorter bar grows as the day's does. All of it is provisional: the next
    poll has the whole bar.

    Args:
        stream: brings the trades.
        interval: length of the bars.
    """

    def __init__(self, stream: TradeStream, interval: str) -> None:
        self._stream = stream
        self._interval = interval
        self._bars: dict[str, _Forming] = {}
        self._shown: dict[str, Trade] = {}

    def follow(self, tickers: Sequence[str]) -> None:
        """Follow the trades of ``tickers``."""
        self._stream.follow(tickers)

    def polled(self, bars: Sequence[Bar]) -> list[Bar]:
        """Take the bars of a poll, and return them."""
        for bar in bars:
            if bar.closed:
                # The next one begins with its first trade, or with the next poll.
                self._bars.pop(bar.ticker, None)
            else:
                trade = self._stream.last.get(bar.ticker)
                day_volume = None if trade is None else trade.day_volume
                self._bars[bar.ticker] = _Forming(bar.derive(), day_volume)
        return list(bars)

    def refreshed(self, tickers: Sequence[str], now: int) -> list[Bar]:
        """Return the bars that trades have changed since they were last returned.

        Args:
            tickers: those of interest.
            now: ms since the epoch, for ``ingested``.
        """
        found = []
        for ticker in tickers:
            trade, forming = self._stream.last.get(ticker), self._bars.get(ticker)
            if trade is None or forming is None or trade is self._shown.get(ticker):
                continue
            self._shown[ticker] = trade
            if self._within(forming.bar, trade):
                self._refresh(forming, trade, now)
                found.append(forming.bar.derive())
        return found

    def close(self) -> None:
        """End the stream."""
        self._stream.close()

    def _within(self, bar: Bar, trade: Trade) -> bool:
        """Whether a trade belongs to the bar: not the night's, and not the next bar's."""
        begin, end = market_hours.span(bar.ticker, self._interval, bar.time)
        return begin <= trade.time < end and market_hours.is_open(bar.ticker, trade.time)

    def _refresh(self, forming: _Forming, trade: Trade, now: int) -> None:
        bar = forming.bar
        bar.close = trade.price
        bar.high, bar.low = max(bar.high, trade.price), min(bar.low, trade.price)
        # Adjusted for dividends still to come, which nobody knows: as the close.
        bar.adjusted_close = trade.price
        bar.ingested = now
        if trade.day_volume is None:
            return
        if self._interval == "1d":
            bar.volume = max(bar.volume, trade.day_volume)
        elif self._interval in WITHIN_DAY_MS and forming.day_volume is not None:
            bar.volume += max(0.0, trade.day_volume - forming.day_volume)
        forming.day_volume = trade.day_volume
