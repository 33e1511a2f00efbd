"""The whole judgement: Kafka against what was acknowledged, MongoDB against Kafka, the offsets."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.database import Database

from chaos.feed import Ledger
from chaos.judge import log
from chaos.judge.compare import DOUBLE, LOST, WRONG, Complaint, compare
from chaos.judge.expected import BarHistory, Document, Expected, expected
from chaos.judge.letters import compare_letters
from chaos.judge.log import Entry
from chaos.judge.reference import Parameters
from chaos.judge.trends import compare_trends
from chaos.messages import INDICATORS, TOPICS

OFFSETS = "offsets"
DEAD_LETTERS = "dead-letters"

#: What the program calls itself in the snapshots that it publishes.
PROGRAM = "financial-trends"


class Finding(NamedTuple):
    """One thing that is not as it must be: its kind (``lost``, ``double``, ...), and what."""

    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be judged.

    Attributes:
        kafka: bootstrap servers.
        mongodb: connection string.
        database: its name.
        group: the consumer group of the program, its APP_ID.
        ledger: what was sent.
        starts: where the topics began; what is before is somebody else's.
    """

    kafka: str
    mongodb: str
    database: str
    group: str
    ledger: Ledger
    starts: Mapping[tuple[str, int], int] = field(default_factory=dict)


def judge(case: Case, parameters: Parameters, *, recomputed: bool) -> list[Finding]:
    """Return all that is wrong; nothing where everything is as promised.

    Args:
        case: where to look, and what was sent.
        parameters: of the indicators that are in force.
        recomputed: every ticker was rebuilt from its stored bars; else late bars have no values,
            and each bar that came in time has been published with its values.
    """
    entries = log.read(case.kafka, TOPICS, case.starts)
    letters = log.read(case.kafka, [DEAD_LETTERS], case.starts)
    ours = [entry for entry in entries if entry.number in case.ledger.sent]
    messages = {_place(e): case.ledger.sent[e.number] for e in ours if e.number is not None}
    good = [entry for entry in ours if messages[_place(entry)].reason is None]
    poison = {place: m for place, m in messages.items() if m.reason is not None}
    options: CodecOptions[Document] = CodecOptions(tz_aware=True)
    with MongoClient[Document](case.mongodb, tz_aware=True) as client:
        database = client.get_database(case.database, options)
        wanted = expected(good)
        found: list[Complaint] = [
            *_delivered(case.ledger, ours),
            *compare_letters(database, poison, letters),
            *compare(database, wanted, parameters, recomputed=recomputed),
            *_offsets(case),
        ]
        if not recomputed:
            found += _published(database, wanted, entries)
    return [Finding(*complaint) for complaint in found]


def judge_trends(case: Case, replayed: str, tickers: Collection[str]) -> list[Finding]:
    """Return where a trend is another one than in the database ``replayed`` by one worker."""
    found = compare_trends(case.mongodb, case.database, replayed, tickers)
    return [Finding(*complaint) for complaint in found]


def _place(entry: Entry) -> str:
    return f"{entry.topic}|{entry.partition}|{entry.offset}"


def _delivered(ledger: Ledger, entries: list[Entry]) -> Iterator[Complaint]:
    """Kafka itself: what it acknowledged is there, where it said, once, as it was sent."""
    times: Counter[int | None] = Counter(entry.number for entry in entries)
    by_number = {entry.number: entry for entry in entries}
    for number, place in ledger.acknowledged.items():
        entry = by_number.get(number)
        if entry is None or (entry.topic, entry.partition, entry.offset) != place:
            yield LOST, f"Kafka: message {number} is not at {place}"
        elif (entry.key, entry.value) != (ledger.sent[number].key, ledger.sent[number].value):
            yield WRONG, f"Kafka: message {number} at {place} is another one"
    for repeated, count in times.items():
        if count > 1:
            yield DOUBLE, f"Kafka: message {repeated} is there {count} times"
    for number, why in ledger.refused.items():
        yield LOST, f"Kafka: message {number} was given up: {why}"


def _offsets(case: Case) -> Iterator[Complaint]:
    for place, left in log.unfinished(case.kafka, case.group, TOPICS).items():
        yield OFFSETS, f"{place}: the committed offset is {left} from the end"


def _published(
    database: Database[Document], wanted: Expected, entries: list[Entry]
) -> Iterator[Complaint]:
    """Each bar that came in time is published with the values that its document has."""
    published: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry.topic == INDICATORS and entry.number is None and entry.value is not None:
            snapshot = json.loads(entry.value)
            if snapshot["source"] == PROGRAM and snapshot["closed"]:
                bar = (snapshot["ticker"], snapshot["interval"], snapshot["time"])
                if snapshot["values"] not in published[bar]:
                    published[bar].append(snapshot["values"])
    for key, history in wanted.bars.items():
        # What a history that came late has changed since is published nowhere.
        if not history.in_bulk:
            yield from _published_of(database, key, history, published)


def _published_of(
    database: Database[Document],
    key: tuple[str, str],
    history: BarHistory,
    published: Mapping[tuple[str, str, int], list[dict[str, Any]]],
) -> Iterator[Complaint]:
    where = {"ticker": key[0], "interval": key[1]}
    stored = {one["_id"]: one.get("indicators", {}) for one in database["stock_prices"].find(where)}
    for bar in history.applied:
        _id = f"{key[0]}|{key[1]}|{bar['time']}"
        snapshots = published.get((*key, bar["time"]), [])
        if not snapshots:
            yield LOST, f"technical-indicators: no snapshot of {_id}"
        elif len(snapshots) > 1:
            yield WRONG, f"technical-indicators: {_id} was published with different values"
        elif _id in stored and not snapshots[0].items() <= stored[_id].items():
            yield WRONG, f"technical-indicators: {_id} was published with other values than stored"
