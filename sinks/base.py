"""What is written where: the protocol of every sink, and the rule by which writes merge."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import bson
from bson.codec_options import CodecOptions

Document = dict[str, Any]

_AWARE: CodecOptions[Document] = CodecOptions(tz_aware=True)


class Mode(enum.Enum):
    """What a write does where a document with its id exists, and where none does."""

    #: Insert; where it exists, set the fields (those under ``indicators`` one by one).
    UPSERT = "upsert"
    #: The same, but leave a document alone that says ``closed: true``.
    UNLESS_CLOSED = "unless closed"
    #: Insert; leave what exists alone.
    INSERT_ONLY = "insert only"
    #: Set the fields of what exists; insert nothing.
    UPDATE_ONLY = "update only"
    #: Insert; replace what exists unless it is further: of a later ``time``, or of the same one and
    #: a greater ``version``. Every such document has both fields.
    FORWARD = "forward"
    #: The same, where a document is known to exist: replacing is tried first.
    LATEST = "latest"


#: The modes of documents that only move forward.
FORWARDS = (Mode.FORWARD, Mode.LATEST)


class Origin(NamedTuple):
    """The message that a write comes from."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


#: The field of a document that says from which messages it comes.
POSITIONS = "positions"

#: A name of each topic that a topic of the same name elsewhere, or made anew, does not have.
TopicIds = Mapping[str, str]


def positions(origins: Iterable[Origin], ids: TopicIds) -> dict[str, str]:
    """Return where the messages behind a document are, by topic: the last one of each.

    Positions of one partition sort as its offsets do. Topics without an id are left out.

    >>> positions([Origin("news", 3, 1207, None, None)], {"news": "kq3hT9xw"})
    {'news': 'kq3hT9xw|3|000000000001207'}
    """
    return {
        origin.topic: f"{ids[origin.topic]}|{origin.partition}|{origin.offset:015d}"
        for origin in origins
        if origin.topic in ids
    }


def is_newer(stored: Mapping[str, str], ours: Mapping[str, str]) -> bool:
    """Tell whether what is stored came from a later message of the same partition than ours."""
    return any(
        topic in stored
        and stored[topic] > position
        and stored[topic].rpartition("|")[0] == position.rpartition("|")[0]
        for topic, position in ours.items()
    )


@dataclass(slots=True)
class Write:
    """One document to be stored under a business key.

    ``document`` leaves ``_id`` out; ``origins`` are the messages that it comes from, in their
    order, which are to blame if it cannot be stored.
    """

    collection: str
    id: str
    document: Document
    mode: Mode = Mode.UPSERT
    origins: tuple[Origin, ...] = ()

    def how_far(self) -> tuple[Any, Any]:
        """Return what the modes that move forward compare."""
        return self.document["time"], self.document["version"]


class PackedWrite(Write):
    """A write whose document is BSON already; as a dict it is made only where one asks.

    ``packed`` is the whole document, with its ``_id`` and the positions of its messages.
    """

    __slots__ = ("_unpacked", "packed")

    def __init__(
        self, collection: str, id_: str, mode: Mode, origins: tuple[Origin, ...] = ()
    ) -> None:
        self.collection = collection
        self.id = id_
        self.mode = mode
        self.origins = origins
        self.packed = b""
        self._unpacked: Document | None = None

    @property
    def document(self) -> Document:  # type: ignore[override]
        """The fields, without the id and the positions of the messages."""
        if self._unpacked is None:
            whole = bson.decode(self.packed, _AWARE)
            del whole["_id"]
            whole.pop(POSITIONS, None)
            self._unpacked = whole
        return self._unpacked


@dataclass(slots=True)
class Refusal:
    """A write that no retry will make good, and why."""

    write: Write
    reason: str


class Sink(Protocol):
    """A place that keeps each document once. Blocking; one caller at a time.

    A write whose message is older than the one behind the stored document changes nothing: it comes
    from a worker that stood still while its partitions moved, or from a second reading.
    """

    def write(self, writes: Sequence[Write]) -> list[Refusal]:
        """Store ``writes``, at most one for each (collection, id); returns what was refused.

        Raises:
            StoreUnavailable: the store did not take them; the same call may be made again.
        """

    def close(self) -> None:
        """Free what the sink holds; no write may follow."""


def coalesce(writes: Iterable[Write]) -> list[list[Write]]:
    """Merge writes to the same document, into rounds to be stored one after another.

    In a round each document occurs once. Closed beats provisional, then the last one wins, and one
    round nearly always does; what no single write can say (an update of what exists, then a write
    unless that is closed) takes a second one.
    """
    writes = list(writes)
    if len({(write.collection, write.id) for write in writes}) == len(writes):
        return [writes] if writes else []
    rounds: list[dict[tuple[str, str], Write]] = []
    last_round: dict[tuple[str, str], int] = {}
    for write in writes:
        place = (write.collection, write.id)
        number = last_round.get(place, -1)
        merged = None if number < 0 else _merge(rounds[number][place], write)
        if merged is None:
            number += 1
            last_round[place] = number
            if number == len(rounds):
                rounds.append({})
        rounds[number][place] = write if merged is None else merged
    return [list(one.values()) for one in rounds]


def _merge(earlier: Write, later: Write) -> Write | None:
    """Return the one write that does what both do one after the other; None where none does."""
    document, mode = earlier.document, earlier.mode
    if mode in FORWARDS or later.mode in FORWARDS:
        both = mode in FORWARDS and later.mode in FORWARDS
        return _further(earlier, later) if both else None
    if mode is later.mode or mode is Mode.UPSERT:
        if later.mode is Mode.UNLESS_CLOSED and mode is Mode.UPSERT and "closed" not in document:
            return None  # what is stored may say so
        stands = later.mode is Mode.UNLESS_CLOSED and document.get("closed") is True
        if not stands and later.mode is not Mode.INSERT_ONLY:
            document = _both(document, later.document)
    elif later.mode is Mode.UPSERT and _covers(later.document, document):
        document, mode = later.document, later.mode
    elif not (mode is Mode.UNLESS_CLOSED and later.mode is Mode.INSERT_ONLY):
        return None
    return Write(later.collection, later.id, document, mode, earlier.origins + later.origins)


def _further(earlier: Write, later: Write) -> Write:
    winner = later if later.how_far() >= earlier.how_far() else earlier
    origins = earlier.origins + later.origins
    if origins == winner.origins:
        return winner
    return Write(winner.collection, winner.id, winner.document, winner.mode, origins)


def _both(earlier: Document, later: Document) -> Document:
    document = earlier | later
    if "indicators" in earlier and "indicators" in later:
        document["indicators"] = earlier["indicators"] | later["indicators"]
    return document


def _covers(later: Document, earlier: Document) -> bool:
    indicators = earlier.get("indicators", {}).keys()
    return earlier.keys() <= later.keys() and indicators <= later.get("indicators", {}).keys()
