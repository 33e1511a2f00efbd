"""Brings a worker into the situations in which the faults of the controls do harm."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from chaos.feed import Feed
from embedded.waiting import until

#: What the judge must find in each app, one of these kinds; nothing in the program itself.
CONTROLS: dict[str, frozenset[str]] = {
    "app": frozenset(),
    "chaos.controls.acknowledged_first": frozenset({"lost", "wrong"}),
    "chaos.controls.applied_twice": frozenset({"wrong"}),
    "chaos.controls.committed_first": frozenset({"wrong"}),
    "chaos.controls.dropped_silently": frozenset({"lost"}),
}

#: How much is sent before each worker starts.
ROUNDS = 50
#: When a worker is killed, in seconds after the first document it stored: while others are on their
#: way; while its first offsets are; and while those of the second checkpoint are, which has the
#: state that the first one's cut came too early for.
_KILLED_AFTER_S = (0.0, 1.0, 4.5)
_TIMEOUT_S = 180.0
_LOOK_EVERY_S = 0.02


class Killable(Protocol):
    """A worker process."""

    def kill(self) -> None:
        """End it at once."""


def provoke(feed: Feed, start: Callable[[], Killable], stored: Callable[[], int]) -> None:
    """Kill workers while each works off a backlog of its own; the last one is left to finish.

    Args:
        feed: what to send it with; its topics exist.
        start: starts a worker.
        stored: how many bars are in MongoDB.

    Raises:
        TimeoutError: a worker gets nowhere.
    """
    for after_s in _KILLED_AFTER_S:
        feed.send(ROUNDS)
        before = stored()
        worker = start()
        if not until(lambda: stored() > before, _TIMEOUT_S, _LOOK_EVERY_S):  # noqa: B023 - at once
            raise TimeoutError(f"none but {before} bars stored within {_TIMEOUT_S:g} s")
        time.sleep(after_s)
        worker.kill()
    # What comes after the last kill shows whether the state before it is there.
    feed.send(ROUNDS)
    start()
