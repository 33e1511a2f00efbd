"""A look at the topics: how far they reach, who is how far behind, and how fast they grow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from broker import Broker
from config import Settings
from errors import BrokerUnavailable
from monitoring.kafka import PATIENCE_S, Kafka
from topics import ALL_TOPICS, CONSUMED

#: A place in Kafka: topic and partition.
Place = tuple[str, int]

#: So long a look stands, in seconds: whoever reloads more often costs nothing.
FRESH_S = 1.0
#: With views by ticker there may be thousands.
MOST_TOPICS = 200
#: Consumer groups whose offsets are asked for; each takes a connection of its own.
MOST_GROUPS = 8


@dataclass(frozen=True, slots=True)
class Look:
    """The topics at one moment.

    Attributes:
        at: when, in monotonic seconds.
        begins: the first offset still kept, by place.
        ends: the offset that the next message gets.
        committed: by consumer group, the offset it has committed, by place.
        left_out: how many topics were too many.
    """

    at: float
    begins: Mapping[Place, int]
    ends: Mapping[Place, int]
    committed: Mapping[str, Mapping[Place, int]]
    left_out: int

    @property
    def names(self) -> list[str]:
        """The topics, those of the program first."""
        return list(dict.fromkeys(name for name, _ in self.ends))

    def places(self, topic: str) -> list[Place]:
        """Return the partitions of a topic."""
        return [place for place in self.ends if place[0] == topic]

    def messages(self, places: Iterable[Place]) -> int:
        """Return how many offsets are kept; a compacted topic has fewer messages."""
        return sum(self.ends[place] - self.begins[place] for place in places)

    def lag(self, group: str, places: Iterable[Place]) -> int | None:
        """Return how many messages a group has not committed; None of topics that it leaves alone.

        Where it has committed nothing yet, all that is kept lies before it.
        """
        done = self.committed[group]
        followed = {topic for topic, _ in done}
        places = [place for place in places if place[0] in followed]
        if not places:
            return None
        return sum(
            max(0, self.ends[one] - max(done.get(one, 0), self.begins[one])) for one in places
        )

    def rate(self, before: Look | None, places: Iterable[Place]) -> float | None:
        """Return messages a second since the look ``before``; None without one."""
        if before is None:
            return None
        grown = sum(self.ends[place] - before.ends.get(place, 0) for place in places)
        return max(0.0, grown / (self.at - before.at))


class Looks:
    """Looks at the topics of the program, one look at a time.

    Topics of other programs on the same brokers are none of its business, and not shown.

    Args:
        settings: where the brokers are; whose group comes first.
        kafka: asks them.
    """

    def __init__(self, settings: Settings, kafka: Kafka) -> None:
        self._settings = settings
        self._kafka = kafka
        self._one_at_a_time = asyncio.Lock()
        self._before: Look | None = None
        self._last: Look | None = None

    async def now(self) -> tuple[Look, Look | None]:
        """Return a look that is at most :data:`FRESH_S` old, and the one before it.

        Raises:
            BrokerUnavailable: Kafka does not answer.
        """
        async with self._one_at_a_time:
            if self._last is None or time.monotonic() - self._last.at > FRESH_S:
                found = await self._kafka.ask(_look, self._settings)
                self._before, self._last = self._last, found
            return self._last, self._before


def is_ours(topic: str, settings: Settings) -> bool:
    """Whether a topic is one of the program, a view of one, or a changelog of this group."""
    if topic.startswith(f"{settings.app_id}-") and topic.endswith("-changelog"):
        return True
    name = topic.partition(".")[0]
    return any(spec.name == topic or (spec.per_ticker and spec.name == name) for spec in ALL_TOPICS)


def _others(broker: Broker, settings: Settings) -> dict[str, dict[Place, int]]:
    """Return what other groups have committed, as far as this worker may know it."""
    found = {}
    # Its connections end with it.
    with Broker(settings, PATIENCE_S) as passing, suppress(BrokerUnavailable):
        others = [group for group in broker.groups() if group != settings.app_id]
        for group in others[:MOST_GROUPS]:
            with suppress(BrokerUnavailable):
                found[group] = passing.committed(group)
    return found


def _look(broker: Broker, settings: Settings) -> Look:
    order = {spec.name: number for number, spec in enumerate(ALL_TOPICS)}
    names = [name for name in broker.partitions() if is_ours(name, settings)]
    names.sort(key=lambda name: (order.get(name, len(order)), name))
    shown = names[:MOST_TOPICS]
    own = settings.app_id
    committed = {own: broker.committed(own), **_others(broker, settings)}
    begins = broker.start_offsets(shown)
    # Last, so that nobody seems to be ahead of the end.
    at, ends = time.monotonic(), broker.end_offsets(shown)
    known = {
        group: {place: offset for place, offset in offsets.items() if place in ends}
        for group, offsets in committed.items()
    }
    # The workers follow these, also where nothing was there to commit yet.
    known[own] = dict.fromkeys((one for one in ends if one[0] in CONSUMED), 0) | known[own]
    return Look(
        at,
        begins,
        ends,
        {group: offsets for group, offsets in known.items() if offsets or group == own},
        len(names) - len(shown),
    )
