"""Lays dead letters, those in the collection and those on the topic, beside the poison sent."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pymongo.database import Database

from chaos.judge.compare import LOST, STRANGE, WRONG, Complaint
from chaos.judge.expected import Document
from chaos.judge.log import Entry
from chaos.messages import Message

#: Of a value so many bytes stand in a letter on the topic, in base64.
_SHOWN_BYTES = 64 * 1024


def compare_letters(
    database: Database[Document], poison: Mapping[str, Message], letters: Sequence[Entry]
) -> Iterator[Complaint]:
    """Yield where dead letters are not exactly the poison: whole, and with its reason.

    Args:
        database: has the collection, with each letter once.
        poison: what was sent, by the place where it stands.
        letters: what is on the topic; a letter may be repeated there.
    """
    stored = {letter["_id"]: letter for letter in database["dead_letters"].find()}
    for place in sorted(poison.keys() - stored.keys()):
        yield LOST, f"dead_letters: {place} is not there ({poison[place].reason})"
    for place in sorted(stored.keys() - poison.keys()):
        yield STRANGE, f"dead_letters: {place} was good: {stored[place]['error']}"
    for place in poison.keys() & stored.keys():
        message, letter = poison[place], stored[place]
        if (letter["key"], letter["value"]) != (message.key, message.value):
            yield WRONG, f"dead_letters: {place} is not what was sent"
        yield from _reason(f"dead_letters: {place}", message, letter)
    yield from _on_topic(poison, letters)


def _on_topic(poison: Mapping[str, Message], letters: Sequence[Entry]) -> Iterator[Complaint]:
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in letters:
        assert entry.value is not None
        letter = json.loads(entry.value)
        told[f"{letter['topic']}|{letter['partition']}|{letter['offset']}"].append(letter)
    yield from (
        (LOST, f"topic dead-letters: {place}") for place in sorted(poison.keys() - told.keys())
    )
    yield from (
        (STRANGE, f"topic dead-letters: {place}") for place in sorted(told.keys() - poison.keys())
    )
    for place in sorted(poison.keys() & told.keys()):
        for letter in told[place]:
            if {name: letter[name] for name in ("key", "value", "size")} != _shown(poison[place]):
                yield WRONG, f"topic dead-letters: {place} is not what was sent"
            yield from _reason(f"topic dead-letters: {place}", poison[place], letter)


def _shown(message: Message) -> dict[str, Any]:
    """Return how a letter on the topic shows a message."""
    key, value = message.key, message.value
    return {
        "key": None if key is None else key.decode("utf-8", "backslashreplace"),
        "value": None if value is None else base64.b64encode(value[:_SHOWN_BYTES]).decode(),
        "size": 0 if value is None else len(value),
    }


def _reason(place: str, message: Message, letter: Mapping[str, Any]) -> Iterator[Complaint]:
    if message.reason is None or message.reason not in letter["error"]:
        text = f"its reason is {letter['error']!r}, without {message.reason!r}"
        yield WRONG, f"{place}: {text}"
