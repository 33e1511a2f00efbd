"""How many requests a provider may still be sent."""

from __future__ import annotations

import functools
import math
import random
import threading
import time
from collections.abc import Callable

#: First pause after a 429 that names none, and the longest of all, in seconds.
FIRST_COOLDOWN_S = 60.0
LONGEST_COOLDOWN_S = 900.0
#: What a provider may ask for at most with Retry-After, in seconds.
LONGEST_RETRY_AFTER_S = 3_600.0


class TokenBucket:
    """Counts requests against a rate, and knows when the provider has had enough.

    Safe to call from any thread. It does not wait for anything: who asks decides.

    Args:
        per_minute: requests a minute in the long run, and at most at once; above 0.
        clock: seconds from any start, never backwards.
        jitter: a number in 0..1, evenly spread, so that several processes do not come back at
            the same moment.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if not per_minute > 0:
            raise ValueError(f"per_minute={per_minute!r}: must be above 0 requests a minute")
        self.capacity = max(1.0, float(per_minute))
        self._per_second = per_minute / 60
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._level = self.capacity
        self._filled = clock()
        self._blocked_until = -math.inf
        self._refusals = 0

    def available(self) -> int:
        """Return how many requests may be sent now; 0 while blocked."""
        with self._lock:
            if self._clock() < self._blocked_until:
                return 0
            self._fill()
            return max(0, int(self._level + 1e-9))

    def wait(self) -> float:
        """Return the seconds until one request may be sent, 0 where it may now."""
        with self._lock:
            self._fill()
            missing = max(0.0, (1 - self._level) / self._per_second)
            return max(missing, self._blocked_until - self._clock(), 0.0)

    def spend(self, requests: int = 1) -> None:
        """Count requests that are being sent; more than are available are owed."""
        with self._lock:
            self._fill()
            self._level -= requests

    def refused(self, retry_after: float | None = None) -> float:
        """Send nothing for a while, because the provider answered 429.

        Args:
            retry_after: the seconds that it asked for, if it did.

        Returns:
            The seconds: what was asked for, or a minute, doubled with each refusal in a row; and
            up to half as much again by chance.
        """
        with self._lock:
            if retry_after is None:
                doubled = FIRST_COOLDOWN_S * (1 << min(self._refusals, 10))
                seconds = min(doubled, LONGEST_COOLDOWN_S)
            else:
                seconds = min(max(retry_after, 1.0), LONGEST_RETRY_AFTER_S)
            seconds *= 1 + self._jitter() / 2
            self._refusals += 1
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)
            return seconds

    def answered(self) -> None:
        """Note that the provider answers again."""
        with self._lock:
            self._refusals = 0

    def blocked(self) -> float:
        """Return the seconds left of the pause that :meth:`refused` began, 0 without one."""
        with self._lock:
            return max(0.0, self._blocked_until - self._clock())

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self.capacity, self._level + (now - self._filled) * self._per_second)
        self._filled = now


@functools.cache
def process_bucket(provider: str, per_minute: float) -> TokenBucket:  # noqa: ARG001 - the key
    """Return this process's one bucket for a provider: providers count by address, not by source.

    Args:
        provider: any name.
        per_minute: its rate; two rates are two buckets, so ask with the setting's value.
    """
    return TokenBucket(per_minute)
