"""What was once written can still be read: the bytes of every Record, as they were on Kafka.

A file holds the messages of one kind. Nothing in it is ever changed; a new shape of a Record gets
another entry, with the version that writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from faust import Record

import models
from models import DeadLetter, dead_letter
from models.dead_letter import encode
from tests.models.samples import CODECS

FOLDER = Path(__file__).parent.parent / "data" / "records"

MESSAGES: list[tuple[str, int, dict[str, Any]]] = [
    (path.stem, number, message)
    for path in sorted(FOLDER.glob("*.json"))
    for number, message in enumerate(json.loads(path.read_text(encoding="utf-8")))
]
DECODED = [one for one in MESSAGES if one[0] in CODECS]


def _named(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def test_every_record_is_there() -> None:
    kinds = {
        name
        for name in models.__all__
        if isinstance(kind := getattr(models, name), type) and issubclass(kind, Record)
    }
    assert {name for name, _, _ in MESSAGES} == kinds
    assert {name for name, _, _ in DECODED} == CODECS.keys()


@pytest.mark.parametrize(("name", "number", "message"), DECODED, ids=_named)
def test_it_is_read_as_it_was_meant(name: str, number: int, message: dict[str, Any]) -> None:
    codec = CODECS[name]
    record = codec.decode(message["key"].encode(), message["value"].encode())
    # A field that came since has its default.
    assert {field: getattr(record, field) for field in message["fields"]} == message["fields"]


@pytest.mark.parametrize(("name", "number", "message"), DECODED, ids=_named)
def test_fields_of_a_later_version_are_ignored_and_counted(
    name: str, number: int, message: dict[str, Any]
) -> None:
    codec = CODECS[name]
    newer = json.loads(message["value"]) | {
        "added_later": {"deep": [1, None]},
        "": 0,
        "__class__": 1,
    }
    before = codec.unknown_fields
    record = codec.decode(message["key"].encode(), json.dumps(newer).encode())
    assert codec.unknown_fields == before + 1
    assert {field: getattr(record, field) for field in message["fields"]} == message["fields"]
    assert "added_later" not in codec.encode(record).decode()
    assert not hasattr(record, "added_later")


@pytest.mark.parametrize(
    "key", [b"\xff" * 2_000_000, b"\x01" * 2_000_000, "é".encode() * 1_000_000]
)
def test_a_dead_letter_fits_in_a_message(key: bytes) -> None:
    """Brokers take a million bytes, whatever key, value and reason were."""
    origin = ("stock-prices", 3, 17, key, b"v" * 2_000_000)
    letter = dead_letter(*origin, error="\x01" * 2_000_000, agent="prices")
    assert len(encode(letter)) < 900_000
    assert letter.size == 2_000_000


def test_a_dead_letter_is_read_as_it_was_meant() -> None:
    ((_, _, message),) = [one for one in MESSAGES if one[0] == "DeadLetter"]
    letter = DeadLetter.loads(message["value"].encode(), serializer="json")
    assert letter.asdict() == message["fields"]
