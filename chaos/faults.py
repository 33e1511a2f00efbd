"""What is done to the deployment, and how long nothing may move after it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from chaos.arena import Arena

#: Undoes a fault, once its consequences are measured; named for what then happens.
Repair = tuple[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes:
        name: for the report.
        limit_s: the longest pause that is promised, None where nothing is.
        act: does it; returns how to undo it, if that is not done already.
        since_end: the pause counts from the end of the fault, not from its beginning.
    """

    name: str
    limit_s: float | None
    act: Callable[[Arena, random.Random], Repair | None]
    since_end: bool = False


def _kill_worker(arena: Arena, chance: random.Random) -> Repair:
    arena.kill_worker(chance.choice(arena.workers))
    return "worker added", arena.start_worker


def _stop_worker(arena: Arena, chance: random.Random) -> Repair:
    arena.stop_worker(chance.choice(arena.workers))
    return "worker added", arena.start_worker


def _freeze_worker(arena: Arena, chance: random.Random) -> Repair:
    """Longer than its session: until the others have taken over what it had."""
    worker = chance.choice(arena.workers)
    worker.freeze()
    return "worker woke up", worker.thaw


def _add_worker(arena: Arena, _chance: random.Random) -> Repair:
    worker = arena.start_worker()
    return "worker removed", lambda: arena.stop_worker(worker)


def _kill_leader(arena: Arena, _chance: random.Random) -> Repair:
    broker = arena.kafka.leader_of_most()
    broker.kill()
    return "broker back", broker.start


def _kill_primary(arena: Arena, _chance: random.Random) -> Repair:
    primary = arena.mongodb.primary()
    primary.kill()
    return "member back", primary.start


def mongodb_away(outage_s: float) -> Fault:
    """Return the fault of having no member of MongoDB for so many seconds."""

    def act(arena: Arena, _chance: random.Random) -> None:
        arena.mongodb.kill()
        time.sleep(outage_s)
        arena.mongodb.start()

    return Fault("all of MongoDB away", 20.0, act, since_end=True)


KILL_WORKER = Fault("worker killed", 15.0, _kill_worker)
STOP_WORKER = Fault("worker stopped", 3.0, _stop_worker)
FREEZE_WORKER = Fault("worker frozen", 15.0, _freeze_worker)
ADD_WORKER = Fault("worker added", None, _add_worker)
KILL_LEADER = Fault("broker killed", 20.0, _kill_leader)
KILL_PRIMARY = Fault("MongoDB primary killed", 20.0, _kill_primary)

#: What repairs may cost, where something is promised.
REPAIR_LIMITS_S = {"worker removed": 3.0}


def all_faults(outage_s: float) -> tuple[Fault, ...]:
    """Return every kind of fault; MongoDB is away for ``outage_s`` seconds."""
    return (
        KILL_WORKER,
        STOP_WORKER,
        FREEZE_WORKER,
        ADD_WORKER,
        KILL_LEADER,
        KILL_PRIMARY,
        mongodb_away(outage_s),
    )
