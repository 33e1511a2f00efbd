"""Going back: the workers' state is deleted, and their offsets are rewound.

What is then processed a second time lands in the same documents, so going back too far costs time
and nothing else. Everything here blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from broker import Broker
from config import Settings
from errors import Refused
from topics import INPUTS, MACRO_BACKDROP

Offsets = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reset will do.

    Attributes:
        group: the workers' consumer group.
        offsets: where processing will go on, by topic and partition.
        again: how many messages of each topic will be processed, once more or for the first time.
        gone: how many messages of each topic Kafka does not keep any more.
        changelogs: topics to delete, with the state of the workers.
    """

    group: str
    offsets: Offsets
    again: Mapping[str, int]
    gone: Mapping[str, int]
    changelogs: tuple[str, ...]


def refuse_while_workers_run(broker: Broker, group: str) -> None:
    """Return if the group has no members.

    Raises:
        Refused: it has; names them.
    """
    members = broker.members(group)
    if members:
        raise Refused(
            f"workers of {group} run: {', '.join(sorted(members))}. Stop them first; one that was "
            "killed counts for another 10 s"
        )


def plan(
    broker: Broker, settings: Settings, changelogs: Iterable[str], since_ms: int | None
) -> Plan:
    """Return what a reset to a time would do; it changes nothing.

    Args:
        broker: the brokers.
        settings: whose group.
        changelogs: the topics of the workers' tables.
        since_ms: process again what was sent since then, ms since the epoch; None: everything.

    Raises:
        Refused: workers run.
        BrokerUnavailable: Kafka does not answer.
    """
    refuse_while_workers_run(broker, settings.app_id)
    topics = [spec.name for spec in INPUTS]
    starts, ends = broker.start_offsets(topics), broker.end_offsets(topics)
    offsets = starts if since_ms is None else broker.offsets_at(topics, since_ms)
    existing = broker.partitions()
    again, gone = dict.fromkeys(topics, 0), dict.fromkeys(topics, 0)
    for place, offset in offsets.items():
        again[place[0]] += ends[place] - offset
        gone[place[0]] += starts[place]
    # Compacted: the state of its table follows from all of it, whenever that was sent.
    offsets = {**offsets, **broker.start_offsets([MACRO_BACKDROP.name])}
    doomed = tuple(name for name in changelogs if name in existing)
    return Plan(settings.app_id, offsets, again, gone, doomed)


def carry_out(broker: Broker, made: Plan) -> None:
    """Rewind the offsets, then delete the state.

    In this order: where the second step fails, state that is ahead of its offsets recognises what
    it has seen; without state, the offsets would be too far on.

    Raises:
        Refused: a worker was started meanwhile.
        BrokerUnavailable: Kafka does not answer; carry it out again.
    """
    refuse_while_workers_run(broker, made.group)
    broker.rewind(made.group, made.offsets)
    broker.delete_topics(made.changelogs)
