"""Where sources that cost money count what they use."""

from __future__ import annotations

from typing import Protocol


class Spend(Protocol):
    """Counts by day, for all who share it. `sinks.spend.DailySpend` is the one of the workers."""

    def take(self, day: str, limit: int, fewest: int, most: int) -> tuple[int, int]:
        """Return how many more may be used on ``day`` (UTC) now, and how many are used by then.

        None where fewer than ``fewest`` are left of ``limit``, else at most ``most``.

        Raises:
            StoreUnavailable: it cannot be counted now.
        """

    def give_back(self, day: str, count: int) -> None:
        """Count so many of ``day`` as not used.

        Raises:
            StoreUnavailable: it cannot be counted now; they count as used.
        """

    def close(self) -> None:
        """Give up connections."""


class SpendHere:
    """Counts in this process alone."""

    def __init__(self) -> None:
        self._day = ""
        self._read = 0

    def take(self, day: str, limit: int, fewest: int, most: int) -> tuple[int, int]:
        """Return what is granted, and what is used by then (see :class:`Spend`)."""
        if day > self._day:
            self._day, self._read = day, 0
        left = limit - self._read
        granted = min(left, most) if left >= fewest else 0
        self._read += granted
        return granted, self._read

    def give_back(self, day: str, count: int) -> None:
        """Count so many of ``day`` as not used."""
        if day == self._day:
            self._read -= count

    def close(self) -> None:
        """Hold nothing."""
