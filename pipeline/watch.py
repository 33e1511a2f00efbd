"""Keeps reading the numbers in a thread of its own, so that a slow server freezes no display."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from errors import FinancialTrendsError
from pipeline.status import Gauges, Reading

#: Seconds between two readings.
EVERY_S = 0.5
#: Rates are taken over so many seconds.
RATE_WINDOW_S = 5.0


class Watch:
    """The latest numbers, and how fast they move.

    Args:
        gauges: read by the watch's thread alone, until :meth:`stop`.
        on_reading: called with each reading, in that thread.

    Attributes:
        first: the first reading, what there was before; None until it is there.
        latest: the last reading; None until there is one.
        problem: why the last reading failed; None if it did not.
    """

    def __init__(self, gauges: Gauges, on_reading: Callable[[Reading], None] | None = None) -> None:
        self.first: Reading | None = None
        self.latest: Reading | None = None
        self.problem: str | None = None
        self._gauges = gauges
        self._on_reading = on_reading
        # Replaced, never changed: other threads read it.
        self._recent: tuple[Reading, ...] = ()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> Reading:
        """Read once, and keep reading in the background; returns that first reading.

        Raises:
            BrokerUnavailable, StoreUnavailable: a server does not answer.
        """
        self.first = self._gauges.read()
        self._take(self.first)
        self._thread.start()
        return self.first

    def stop(self) -> None:
        """Stop reading; may be called again."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def rates(self) -> dict[str, float]:
        """Return messages processed per second, by kind, over the last few seconds."""
        recent = self._recent
        if len(recent) < 2:
            return {}
        old, new = recent[0], recent[-1]
        return {
            kind: max(0.0, (now.processed - old.data[kind].processed) / (new.at - old.at))
            for kind, now in new.data.items()
        }

    def age_s(self) -> float:
        """Return how old the latest reading is, in seconds."""
        return 0.0 if self.latest is None else time.monotonic() - self.latest.at

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            try:
                self._take(self._gauges.read())
                self.problem = None
            except FinancialTrendsError as error:
                self.problem = str(error)

    def _take(self, reading: Reading) -> None:
        self.latest = reading
        young = (old for old in self._recent if reading.at - old.at <= RATE_WINDOW_S)
        self._recent = (*young, reading)
        if self._on_reading is not None:
            self._on_reading(reading)
