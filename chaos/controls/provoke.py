"""Brings a worker into the situations in which the faults of the controls do harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chaos.feed import Feed
from embedded.waiting import until

#: What the judge must find in each app, one of these kinds; nothing in the program itself.
CONTROLS: dict[str, frozenset[str]] = {
    "app": frozenset(),
    "chaos.controls.acknowledged_first": frozenset({"lost", "wrong"}),
    "chaos.controls.applied_twice": frozenset({"wrong"}),
    "chaos.controls.dropped_silently": frozenset({"lost"}),
}

ROUNDS = 150
_KILLS = (0.1, 0.3, 0.5)
_TIMEOUT_S = 180.0
_LOOK_EVERY_S = 0.02


class Killable(Protocol):
    """A worker process."""

    def kill(self) -> None:
        """End it at once."""


def provoke(feed: Feed, start: Callable[[], Killable], stored: Callable[[], int]) -> None:
    """Put a backlog on Kafka, and kill workers while they work it off; the last one goes on.

    Args:
        feed: what to send it with; its topics exist.
        start: starts a worker.
        stored: how many bars are in MongoDB.

    Raises:
        TimeoutError: a worker gets nowhere.
    """
    feed.send(ROUNDS)
    bars = feed.bars_sent
    for part in _KILLS:
        worker = start()
        wanted = part * bars
        if not until(lambda: stored() >= wanted, _TIMEOUT_S, _LOOK_EVERY_S):  # noqa: B023 - at once
            raise TimeoutError(f"{stored()} of {bars} bars stored within {_TIMEOUT_S:g} s")
        worker.kill()
    start()
