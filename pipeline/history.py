"""How far the workers are with the history that was loaded."""

from __future__ import annotations

from pipeline.status import Reading

#: So long without a message of history processed, and it is said, once, in seconds.
STANDS_STILL_S = 60.0


class HistoryProgress:
    """Follows the readings while history is worked through.

    Args:
        bars: how many were loaded.
        before: the numbers before that; None if there are none.
    """

    def __init__(self, bars: int, before: Reading | None) -> None:
        self._bars = bars
        self._stored_before = 0 if before is None else before.data["prices"].stored or 0
        #: How many messages waited at last, and since when so many.
        self._waiting = -1
        self._since = 0.0
        self._warned = False

    def look(self, reading: Reading) -> tuple[str, str]:
        """Return what goes on, and a warning if it has come to a standstill; each is said once."""
        stored = max(0, (reading.data["prices"].stored or 0) - self._stored_before)
        note = f"working through the history: {stored:,} of {self._bars:,} bars stored"
        if reading.history != self._waiting:
            self._waiting, self._since = reading.history, reading.at
        elif reading.at - self._since > STANDS_STILL_S and not self._warned:
            self._warned = True
            still = reading.at - self._since
            return note, (
                f"no history was processed for {still:.0f} s, {self._waiting} messages wait"
            )
        return note, ""
