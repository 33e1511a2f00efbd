"""Looking at dead letters, and sending one again: mended, or after the program was.

Everything here blocks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from agents.services import partition_of
from broker import Broker
from config import Settings
from delivery import Sender
from errors import InvalidRecord, Refused
from models import Codec
from sinks import Origin, documents
from sinks.base import Document
from sinks.mongo import connect, database, unavailable
from topics import ALL_TOPICS

#: How often it is looked whether a message that was sent again is processed, in seconds.
_LOOK_EVERY_S = 0.3

_CODECS: dict[str, Codec[Any]] = {
    spec.name: spec.codec for spec in ALL_TOPICS if spec.codec is not None
}


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a message that was sent again.

    Attributes:
        topic: where it was sent.
        stored: collection and ``_id`` of its (first) document, None where it makes none.
        processed: whether a worker has dealt with it yet.
        refused: why it is a dead letter once more, None where it is not.
    """

    topic: str
    stored: tuple[str, str] | None
    processed: bool
    refused: str | None = None


class DeadLetters:
    """The dead letters of a deployment. A context manager.

    Every method raises StoreUnavailable if MongoDB does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = connect(settings)
        self._letters = database(self._client, settings)[documents.DEAD_LETTERS]

    def __enter__(self) -> DeadLetters:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def newest(self, topic: str | None, limit: int) -> list[Document]:
        """Return the newest dead letters, of one topic or of all, without their values."""
        where = {} if topic is None else {"topic": topic}
        with self._explained():
            found = self._letters.find(where, {"value": 0})
            return list(found.sort("time", DESCENDING).limit(limit))

    def get(self, letter: str) -> Document:
        """Return one dead letter by its id, ``topic|partition|offset``.

        Raises:
            Refused: there is none.
        """
        with self._explained():
            found = self._letters.find_one({"_id": letter})
        if found is None:
            raise Refused(
                f"there is no dead letter {letter!r}: `faust -A app dead-letters list` shows "
                "which there are"
            )
        return found

    def replay(self, letter: str, value: bytes | None, *, again: bool, wait_s: float) -> Replay:
        """Send a dead letter's message to its topic once more, and see what becomes of it.

        It lands once, however often it is sent: its document stands under its business key.

        Args:
            letter: its id.
            value: the message, mended; None for what was stored, after the program was mended.
            again: although it was sent again before.
            wait_s: longest wait for a worker, in seconds.

        Raises:
            Refused: there is none, it has been sent again, or it would be refused once more.
            BrokerUnavailable: Kafka does not answer; nothing was sent.
        """
        found = self.get(letter)
        if "replayed" in found and not again:
            when = found["replayed"].isoformat(timespec="seconds")
            raise Refused(f"{letter} was sent again already, at {when}: --again does it once more")
        topic: str = found["topic"]
        if value is None and found["size"] > len(found["value"] or b""):
            raise Refused(
                f"{letter} has {found['size']} bytes, too many to be kept whole: give the message "
                "by --value FILE"
            )
        sent = found["value"] if value is None else value
        key, stored = _checked(topic, sent)
        partition = partition_of(key.decode(), self._settings.topic_partitions)
        with Broker(self._settings) as broker:
            first = broker.end_offsets([topic])[topic, partition]
            sender = Sender(self._settings)
            try:
                sender.send(topic, [(key, sent)])
            finally:
                sender.close()
            with self._explained():
                mark = {"$set": {"replayed": datetime.now(UTC)}}
                self._letters.update_one({"_id": letter}, mark)
            last = broker.end_offsets([topic])[topic, partition]
            processed = self._wait(broker, (topic, partition), last, wait_s)
        refused = self._refused_since(topic, partition, first, sent) if processed else None
        return Replay(topic, stored, processed, refused)

    def _wait(self, broker: Broker, place: tuple[str, int], offset: int, wait_s: float) -> bool:
        deadline = time.monotonic() + wait_s
        while broker.committed(self._settings.app_id).get(place, 0) < offset:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_EVERY_S)
        return True

    def _refused_since(self, topic: str, partition: int, offset: int, value: bytes) -> str | None:
        where = {"topic": topic, "partition": partition, "offset": {"$gte": offset}, "value": value}
        with self._explained():
            found = self._letters.find_one(where)
        return None if found is None else str(found["error"])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except PyMongoError as error:
            raise unavailable(self._settings.mongodb_address, error) from error


def _checked(topic: str, value: bytes | None) -> tuple[bytes, tuple[str, str] | None]:
    """Return the key of a message, and where it will be stored, if this program would take it.

    The key follows from the value, so that a wrong one is mended as well.
    """
    codec = _CODECS.get(topic)
    if codec is None:
        raise Refused(f"{topic} is no topic that workers read")
    try:
        record = codec.decode(_key_in(codec, value), value)
    except InvalidRecord as error:
        raise Refused(
            f"it would be refused again: {error}. Mend it: `show ID --save FILE`, change the "
            "file, `replay ID --value FILE`"
        ) from error
    key = codec.encode_key(record)
    writes = documents.writes_of(topic, record, Origin(topic, 0, 0, key, value))
    return key, (writes[0].collection, writes[0].id) if writes else None


def _key_in(codec: Codec[Any], value: bytes | None) -> bytes | None:
    try:
        name = orjson.loads(value or b"")[codec.key]
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return None  # the codec says what is wrong
    return name.encode() if isinstance(name, str) else None


def shown(value: bytes | None) -> str:
    """Return a message for people: JSON indented, anything else with its bytes escaped."""
    if value is None:
        return "(no value: a tombstone)"
    try:
        return orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return value.decode("utf-8", "backslashreplace")


def row(letter: Document) -> Sequence[str]:
    """Return a dead letter's row in the list: id, time, size, replayed, error."""
    replayed = letter.get("replayed")
    return (
        letter["_id"],
        letter["time"].isoformat(timespec="seconds"),
        str(letter["size"]),
        "" if replayed is None else replayed.isoformat(timespec="seconds"),
        letter["error"],
    )
