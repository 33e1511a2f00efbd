"""Trades as they happen, by yfinance's WebSocket under a supervisor.

yfinance's ``WebSocket`` ends with its connection, whatever ended it, and never ends one that says
nothing (its ``AsyncWebSocket`` spins after a clean close). So a thread reads one connection, and
another supervises: it subscribes, ends a connection that is silent while markets are open, and
opens the next one after a pause that doubles. Nobody waits for either: who wants prices looks at
the last trade of each ticker.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.rules import DAY_MS
from sources import market_hours

log = logging.getLogger(__name__)

#: A connection is given up after so long without a message in market hours, in seconds.
STALE_S = 60.0
#: First and longest pause before the next connection, in seconds; up to half as much again.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
#: Yahoo forgets a subscription that is not repeated, says yfinance; every so many seconds.
SUBSCRIBE_AGAIN_S = 15.0
#: How often the supervisor looks, in seconds.
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Trade:
    """The last trade of a ticker.

    Attributes:
        price: in the quote currency.
        time: when it happened, ms.
        day_volume: the day's volume with it, in shares; None where it is not told.
    """

    price: float
    time: int
    day_volume: float | None


class TradeStream:
    """Follows tickers on Yahoo's stream.

    Args:
        url: the stream's address; yfinance's own where None.
        stale_s: the longest silence in market hours, in seconds.
        first_pause_s: before the second connection, in seconds; it doubles with each that brings
            nothing.
        now: seconds since the epoch, for market hours.
        jitter: a number in 0..1, evenly spread.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        stale_s: float = STALE_S,
        first_pause_s: float = FIRST_PAUSE_S,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._url = url
        self._stale_s = stale_s
        self._first_pause_s = first_pause_s
        self._now = now
        self._jitter = jitter
        self._wanted: frozenset[str] = frozenset()
        #: Replaced as a whole for each trade of a ticker, so readers need no lock.
        self._last: dict[str, Trade] = {}
        self._heard_at = -math.inf
        self._failures = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def last(self) -> Mapping[str, Trade]:
        """The last trade of each ticker that had one."""
        return self._last

    def follow(self, tickers: Iterable[str]) -> None:
        """Follow ``tickers`` and no others; the first call starts the stream."""
        self._wanted = frozenset(tickers)
        if self._thread is None and self._wanted and not self._ended.is_set():
            self._thread = threading.Thread(
                target=self._supervise, name="yahoo-stream", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """End the stream; returns at once, and may be called again."""
        self._ended.set()

    def join(self, timeout_s: float) -> bool:
        """Return whether the stream has ended, within so many seconds."""
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def _supervise(self) -> None:
        while not self._ended.is_set():
            heard_before = self._heard_at
            reason = self._one_connection()
            if self._ended.is_set():
                return
            self._failures = 1 if self._heard_at > heard_before else self._failures + 1
            longest = self._first_pause_s * 2 ** min(self._failures - 1, 10)
            pause = min(longest, LONGEST_PAUSE_S) * (1 + self._jitter() / 2)
            # Once, then now and then: prices are polled meanwhile, and a night is long.
            if self._failures in (1, 10) or self._failures % 100 == 0:
                log.warning(
                    "source yahoo: the stream ended: %s; polls go on, next try in %.0f s",
                    reason,
                    pause,
                )
            self._ended.wait(pause)

    def _one_connection(self) -> str:
        """Follow the stream until it ends; return why it did."""
        from yfinance import WebSocket  # noqa: PLC0415 - slow: only where it is needed

        # It connects in a way that its library is going to change, as to prices.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
        quiet = {"verbose": False}
        socket: Any = WebSocket(**quiet) if self._url is None else WebSocket(self._url, **quiet)
        subscribed = self._wanted
        try:
            # Opens the connection, or raises after ten seconds.
            socket.subscribe(sorted(subscribed))
        except Exception as error:  # noqa: BLE001 - whatever a socket and its handshake can raise
            return f"no connection: {type(error).__name__}: {error}"
        reader = threading.Thread(
            target=socket.listen, args=(self._take,), name="yahoo-trades", daemon=True
        )
        reader.start()
        try:
            return self._watch(socket, reader, subscribed)
        finally:
            _give_up(socket, reader)

    def _watch(self, socket: Any, reader: threading.Thread, subscribed: frozenset[str]) -> str:
        """Look after a connection; return why it is not to be used any more."""
        opened = said = time.monotonic()
        while not self._ended.wait(LOOK_S):
            if not reader.is_alive():
                return "it was closed, or said what cannot be read"
            now = time.monotonic()
            silent = now - max(self._heard_at, opened)
            wanted = self._wanted
            if silent > self._stale_s:
                if self._open(wanted):
                    return f"silent for {silent:.0f} s while markets are open"
                opened = now
            if wanted != subscribed or now - said >= SUBSCRIBE_AGAIN_S:
                try:
                    if gone := subscribed - wanted:
                        socket.unsubscribe(sorted(gone))
                    if wanted:
                        socket.subscribe(sorted(wanted))
                except Exception as error:  # noqa: BLE001 - as above
                    return f"it broke: {type(error).__name__}: {error}"
                subscribed, said = wanted, now
        return "closed"

    def _open(self, tickers: Iterable[str]) -> bool:
        now = int(self._now() * 1000)
        return any(market_hours.is_open(ticker, now) for ticker in tickers)

    def _take(self, message: Mapping[str, Any]) -> None:
        """Keep a message's trade; called by yfinance in the reader's thread."""
        ticker = message.get("id")
        trade = _trade(message)
        if ticker not in self._wanted or trade is None:
            return
        if trade.time > self._now() * 1000 + DAY_MS:
            return  # it would be the last one for ever
        self._heard_at = time.monotonic()
        before = self._last.get(ticker)
        if before is None or trade.time >= before.time:
            self._last[ticker] = trade


def _trade(message: Mapping[str, Any]) -> Trade | None:
    """Return what a decoded message says; None if that is no trade.

    Numbers of 64 bits are texts in it, as in protobuf's JSON; what is 0 is left out.
    """
    try:
        price, at = float(message["price"]), int(message["time"])
        volume = float(message["day_volume"]) if "day_volume" in message else None
    except (KeyError, TypeError, ValueError):
        return None
    if not (0 < price < math.inf and at > 0):
        return None
    return Trade(price, at, volume if volume is None or volume >= 0 else None)


def _give_up(socket: Any, reader: threading.Thread) -> None:
    """Close a connection, which ends its reader as well."""
    try:
        socket.close()
    except Exception as error:  # noqa: BLE001 - it may be broken in any way
        log.debug("source yahoo: closing the stream: %r", error)
    reader.join(1.0)
