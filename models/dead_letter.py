"""A message that could not be processed, and why."""

from __future__ import annotations

import base64
import time
from typing import Optional

import faust
import orjson

#: A dead letter's own message must fit where the original did: so much of key and value, each.
SHOWN_BYTES = 64 * 1024

#: Most characters of a reason, which may quote a name out of the message, however long.
MOST_REASON = 2_000


class DeadLetter(faust.Record, namespace="financial_trends.DeadLetter", include_metadata=False):
    """Where a message was, the first 64 kB of it (base64), its size in bytes, and the reason.

    Of the key, too, the first 64 kB; bytes in it that are no UTF-8 are escaped.

    MongoDB's ``dead_letters`` keeps the message whole.
    """

    topic: str
    partition: int
    offset: int
    key: Optional[str]  # noqa: UP045 - Faust reads Optional, not unions
    value: Optional[str]  # noqa: UP045
    size: int
    error: str
    agent: str
    time: int


def dead_letter(
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    *,
    error: str,
    agent: str,
) -> DeadLetter:
    """Return the dead letter of one message."""
    return DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        key=None if key is None else key[:SHOWN_BYTES].decode("utf-8", "backslashreplace"),
        value=None if value is None else base64.b64encode(value[:SHOWN_BYTES]).decode(),
        size=0 if value is None else len(value),
        error=bounded(error),
        agent=agent,
        time=int(time.time() * 1000),
    )


def bounded(reason: str) -> str:
    """Return a reason of at most `MOST_REASON` characters."""
    return reason if len(reason) <= MOST_REASON else f"{reason[: MOST_REASON - 1]}…"


def encode(letter: DeadLetter) -> bytes:
    """Return the JSON of a dead letter."""
    return orjson.dumps(letter.asdict())
