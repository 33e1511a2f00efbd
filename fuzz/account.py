"""What became of each message: a document, a dead letter, or a reason for neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from errors import InvalidRecord
from fuzz.messages import Message
from models import INTEGRATION_TEST, OURSELVES
from sinks import Origin, Write, documents
from sinks.base import POSITIONS, Document
from topics import ALL_TOPICS

#: Topic, partition and offset.
Place = tuple[str, int, int]

_CODECS = {spec.name: spec.codec for spec in ALL_TOPICS}
#: Topics whose valid messages make no document of their own.
_NO_DOCUMENT = {
    "macro-backdrop": "state: the backdrop of each partition",
    "commands": "a command, carried out",
    "trends": "written by the program, which reads it for rules, and there are none",
    "alerts": "written by the program, which reads it for webhooks, and there are none",
    "dead-letters": "written by the program, which does not read it",
}
#: Topics whose messages no agent decodes.
_UNREAD = ("trends", "alerts", "dead-letters")
#: What a dead letter says of a message on which the program itself failed.
_OUR_FAULT = "the program failed on it"


@dataclass
class Account:
    """What became of the messages.

    Attributes:
        fates: how many messages, by what became of them.
        findings: those of which it cannot be said, or must not be so.
    """

    fates: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def account(sent: Mapping[Place, Message], database: Database[Document]) -> Account:
    """Find each message again, once all are processed."""
    made = Account()
    letters = {
        letter["_id"]: letter
        for letter in database["dead_letters"].find({}, {"value": 0})
        if letter["topic"] not in _UNREAD
    }
    places = {"|".join(map(str, place)) for place in sent}
    expected: dict[tuple[str, str], list[tuple[Write, Place]]] = {}
    for place, message in sent.items():
        letter = letters.get("|".join(map(str, place)))
        fate = _of_letter(letter) if letter is not None else None
        writes, reason = _meant(place, message)
        if fate is None and writes:
            for write in writes:
                expected.setdefault((write.collection, write.id), []).append((write, place))
            fate = "document"
        elif fate is None:
            fate = reason
        if fate.startswith("!"):
            made.findings.append(f"{place}: {fate[1:]}: key {message.key!r}, {_shown(message)}")
        made.fates[fate] += 1
    stray = sorted(letters.keys() - places)
    made.findings += [f"dead letter {name} of a message that was not sent" for name in stray]
    made.findings += _missing(expected, database)
    return made


def _of_letter(letter: Document) -> str:
    if not letter["error"]:
        return "!a dead letter without a reason"
    if _OUR_FAULT in letter["error"]:
        return f"!{letter['error']}"
    return "dead letter"


def _meant(place: Place, message: Message) -> tuple[list[Write], str]:
    """Return the writes that a message means, or what becomes of it without any."""
    topic = place[0]
    codec = _CODECS[topic]
    if topic in _UNREAD or codec is None:
        return [], _NO_DOCUMENT[topic]
    try:
        record = codec.decode(message.key, message.value)
    except InvalidRecord as error:
        return [], f"!refused ({error}), and no dead letter says so"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        return [], f"!the decoder failed: {error!r}"
    source = getattr(record, "source", None)
    if topic in _NO_DOCUMENT:
        reason = _NO_DOCUMENT[topic]
    elif source == OURSELVES and topic == "technical-indicators":
        reason = "says to be the program's own, which is stored with its bar"
    elif source == INTEGRATION_TEST:
        reason = "a check of the deployment, stored for a minute at most"
    else:
        return documents.writes_of(topic, record, Origin(*place, message.key, message.value)), ""
    return [], reason


def _missing(
    expected: Mapping[tuple[str, str], list[tuple[Write, Place]]], database: Database[Document]
) -> Iterator[str]:
    """Yield the documents that should be there and are not, or say something else."""
    by_collection: dict[str, list[str]] = {}
    for collection, name in expected:
        by_collection.setdefault(collection, []).append(name)
    for collection, names in by_collection.items():
        for start in range(0, len(names), 1_000):
            wanted = names[start : start + 1_000]
            found = database[collection].find({"_id": {"$in": wanted}})
            stored = {one["_id"]: one for one in found}
            for name in wanted:
                writes = expected[collection, name]
                if name not in stored:
                    yield f"{collection} {name!r} is not stored, sent at {writes[-1][1]}"
                else:
                    yield from _differences(stored[name], writes)


def _differences(stored: Document, writes: Iterable[tuple[Write, Place]]) -> Iterator[str]:
    """Yield what a document says otherwise than the message that it says it comes from."""
    for write, (topic, partition, offset) in writes:
        if not stored.get(POSITIONS, {}).get(topic, "").endswith(f"|{partition}|{offset:015d}"):
            continue  # another message came after it
        if stored.get("closed") is True and write.document.get("closed") is False:
            continue  # a bar still forming changes none that is closed
        for name, value in write.document.items():
            # A sentiment that nobody gave is the program's own.
            ours = name == "sentiment" and value is None
            if name == "indicators":
                found: Any = {one: stored[name].get(one) for one in value}
            else:
                found = stored.get(name)
            if not ours and found != value:
                yield f"{write.collection} {write.id!r}: {name} is {found!r}, sent {value!r}"


def _shown(message: Message) -> str:
    value = message.value
    return "no value" if value is None else f"{len(value)} bytes {value[:300]!r}"
