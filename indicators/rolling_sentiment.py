"""What texts about one thing said in the last 24 hours: a mean that forgets, and counts by hour."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Self

HOURS = 24
"""Hours of posts that count: the one of the newest post, and those before it."""

MOST_IDS = 5_000
"""Posts that are remembered by their id; beyond that the oldest hour's first ones are forgotten."""

_HOUR_MS = 3_600_000
# Bytes of the hash that stands for an id, which may itself be hundreds of characters long.
_DIGEST = 8


def attention(engagement: float) -> float:
    """The weight of a post that `engagement` people liked, answered and so on.

    Formula:
        1 + log10(1 + engagement)

        So nobody's post counts as one, and each tenfold engagement adds one more: a post that a
        million people liked outweighs seven that nobody did, and not a million.

    Examples:
        >>> attention(0), attention(9), attention(99)
        (1.0, 2.0, 3.0)
    """
    return 1.0 + math.log10(1.0 + engagement)


@dataclass(slots=True)
class _Hour:
    """The posts of one hour; weights are decayed to its beginning, so those later in it grow."""

    count: int = 0
    weight: float = 0.0
    value: float = 0.0
    # Hashes of ids in the order of their arrival: a dict is an ordered set.
    ids: dict[bytes, None] = field(default_factory=dict)


class RollingSentiment:
    """The mean sentiment of the posts of 24 hours, the newer ones weighing more.

    Formula:
        mean = sum(w * s * d) / sum(w * d),  d = 2 ** (-(newest - t) / half_life)

        over all posts with sentiment s, weight w and time t in the hour of the newest post (by
        the clock, UTC) or in the 23 hours before. `weight_at(T)` is sum(w * d) with T for newest.

    The sums are kept by hour, so a post costs the same however many there are, and an hour is
    forgotten as a whole. All that counts is which posts there were: one that comes late gives the
    very mean that it would have given in its turn, and one that is older than the 24 hours would
    be forgotten by now and is not taken. A post that comes again, by its id, does not count again,
    as long as its hour lasts and no `MOST_IDS` others have come since.

    Parameters:
        half_life_s: age at which a post counts half, in seconds, 60 or more.

    Examples:
        >>> rolling = RollingSentiment(half_life_s=3600)
        >>> rolling.add("a", 0, 1.0)
        True
        >>> rolling.add("b", 3_600_000, -0.5)
        True
        >>> rolling.add("a", 0, 1.0)
        False
        >>> rolling.mean, rolling.weight_at(3_600_000)
        (0.0, 1.5)
        >>> rolling.counts()[-2:]
        [1, 1]
    """

    __slots__ = ("_hours", "_known", "half_life_s", "newest")

    def __init__(self, half_life_s: float) -> None:
        if not half_life_s >= 60.0 or math.isinf(half_life_s):
            raise ValueError(f"half_life_s must be 60 or more seconds, not {half_life_s!r}")
        self.half_life_s = half_life_s
        #: Time of the newest post, ms since the epoch; None before the first one.
        self.newest: int | None = None
        self._hours: dict[int, _Hour] = {}
        #: The ids of all hours: who edits a post may move it to another one.
        self._known: set[bytes] = set()

    def add(self, id_: str, time_ms: int, sentiment: float, weight: float = 1.0) -> bool:
        """Take in a post; returns whether it counts, or came before, or is too old.

        Parameters:
            id_: what the post is known by.
            time_ms: when it was posted, ms since the epoch.
            sentiment: -1 to 1.
            weight: above 0.
        """
        number = time_ms // _HOUR_MS
        if self.newest is not None and number <= self.newest // _HOUR_MS - HOURS:
            return False
        digest = blake2b(id_.encode(), digest_size=_DIGEST).digest()
        if digest in self._known:
            return False
        self._known.add(digest)
        hour = self._hours.get(number)
        if hour is None:
            hour = self._hours[number] = _Hour()
        hour.ids[digest] = None
        grown = weight * 2.0 ** ((time_ms - number * _HOUR_MS) / (1000.0 * self.half_life_s))
        hour.count += 1
        hour.weight += grown
        hour.value += grown * sentiment
        if self.newest is None or time_ms > self.newest:
            self.newest = time_ms
            self._forget_before(number - HOURS + 1)
        if len(self._known) > MOST_IDS:
            self._forget_an_id()
        return True

    @property
    def mean(self) -> float | None:
        """The mean sentiment, -1 to 1; None before the first post."""
        if self.newest is None:
            return None
        weight, value = self._sums(self.newest)
        # Rounding could take it a hair beyond what sentiments can be.
        return max(-1.0, min(1.0, value / weight))

    def weight_at(self, time_ms: int) -> float:
        """The weight of all posts, decayed to `time_ms`, which is not before the newest one."""
        return self._sums(time_ms)[0]

    @property
    def count(self) -> int:
        """The posts that count."""
        return sum(hour.count for hour in self._hours.values())

    def counts(self) -> list[int]:
        """The posts of each of the 24 hours, that of the newest post last."""
        last = 0 if self.newest is None else self.newest // _HOUR_MS
        hours = (self._hours.get(last - back) for back in reversed(range(HOURS)))
        return [0 if hour is None else hour.count for hour in hours]

    def state(self) -> list[Any]:
        """Everything but the half-life, as plain JSON."""
        return [
            self.newest,
            [
                [number, hour.count, hour.weight, hour.value, b"".join(hour.ids).hex()]
                for number, hour in self._hours.items()
            ],
        ]

    @classmethod
    def from_state(cls, half_life_s: float, state: Any) -> Self:
        """The sentiment as it was when `state` was taken.

        Parameters:
            half_life_s: that of the sentiment which wrote the state.
            state: what `state()` returned, also after a way through JSON.

        Raises:
            ValueError: if the state has another shape.
        """
        rolling = cls(half_life_s)
        try:
            rolling.newest, hours = state
            for number, count, weight, value, ids in hours:
                rolling._hours[number] = _Hour(count, weight, value, dict.fromkeys(_digests(ids)))
        except TypeError as error:
            raise ValueError(f"a state is [newest, hours], not {state!r:.60}") from error
        rolling._known.update(*(hour.ids for hour in rolling._hours.values()))
        return rolling

    def _sums(self, time_ms: int) -> tuple[float, float]:
        """The weight of all posts and the weighted sum of their sentiments, decayed to a time."""
        weight = value = 0.0
        for number, hour in self._hours.items():
            decay = 2.0 ** ((number * _HOUR_MS - time_ms) / (1000.0 * self.half_life_s))
            weight += hour.weight * decay
            value += hour.value * decay
        return weight, value

    def _forget_before(self, first: int) -> None:
        for number in [number for number in self._hours if number < first]:
            self._known.difference_update(self._hours.pop(number).ids)

    def _forget_an_id(self) -> None:
        oldest = self._hours[min(number for number, hour in self._hours.items() if hour.ids)]
        digest = next(iter(oldest.ids))
        del oldest.ids[digest]
        self._known.remove(digest)


def _digests(ids: str) -> Iterator[bytes]:
    raw = bytes.fromhex(ids)
    return (raw[start : start + _DIGEST] for start in range(0, len(raw), _DIGEST))
