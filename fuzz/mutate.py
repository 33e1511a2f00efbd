"""Ways to spoil what is good: bytes, and JSON values."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

#: Numbers at, and beyond, the edges of what others take them for. As they stand in JSON.
NUMBERS = (
    *("0", "-0", "-1", "0.1", "1e-400", "-1e-320", "1e15", "1e16", "1e300", "1e308", "1e400"),
    *("-1e999", "NaN", "Infinity", "-Infinity", "9007199254740993", "2147483648"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616"),
    *("1" * 400, "-" + "9" * 5_000, "0." + "0" * 400 + "1", "01", "+1", "0x10", "1_000"),
)
#: Texts that mean something to somebody on the way. As Python strings.
TEXTS = (
    *("", " ", "\0", "a\0b", "$ne", "$where", "a.b", ".", "..", "../../etc/passwd", "__proto__"),
    *(
        "<script>alert(1)</script>",
        "'; drop table x; --",
        "{{7*7}}",
        "%s%s%n",
        "%00",
        "\r\nX: y",
    ),
    *("\u202e\u2066", "\ufeff", "\ud800", "\udfff\ud800", "é" * 300, "𝕬" * 40, "A" * 70_000),
    *("integration-test", "financial-trends", "null", "true", "1e5", "AAPL", "aapl", "NaN"),
)
_DEEPEST = 100_000

Spoil = Callable[[random.Random, bytes], bytes]


def _flip(chance: random.Random, value: bytes) -> bytes:
    spoiled = bytearray(value)
    for _ in range(chance.randint(1, 8)):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def _truncate(chance: random.Random, value: bytes) -> bytes:
    return value[: chance.randrange(len(value))]


def _delete(chance: random.Random, value: bytes) -> bytes:
    start = chance.randrange(len(value))
    return value[:start] + value[start + chance.randint(1, 20) :]


def _repeat(chance: random.Random, value: bytes) -> bytes:
    start = chance.randrange(len(value))
    piece = value[start : start + chance.randint(1, 40)]
    return value[:start] + piece * chance.randint(2, 200) + value[start:]


def _insert(chance: random.Random, value: bytes) -> bytes:
    start = chance.randrange(len(value))
    odd = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf", b'"', b"{", b"}", b"\\")
    piece = chance.choice((*odd, chance.randbytes(chance.randint(1, 30))))
    return value[:start] + piece + value[start:]


def _append(chance: random.Random, value: bytes) -> bytes:
    return value + chance.choice((value, b"\n", b",", b"\x00", b" " * 1_000, b"{}"))


#: What can be done to bytes that are not empty.
BYTES: tuple[Spoil, ...] = (_flip, _truncate, _delete, _repeat, _insert, _append)


def spoil_bytes(chance: random.Random, value: bytes) -> bytes:
    """Return ``value`` with one to three things done to it."""
    for _ in range(chance.randint(1, 3)):
        if value:
            value = chance.choice(BYTES)(chance, value)
    return value


def nested(chance: random.Random) -> str:
    """Return JSON that goes deep, closed or not."""
    depth = chance.choice((3, 60, 130, 1_000, _DEEPEST))
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}")))
    inside = "" if opening == "[" else "1"
    return opening * depth + inside + closing * chance.choice((depth, depth - 1, 0))


def odd_json(chance: random.Random) -> str:
    """Return JSON, or nearly, of any type."""
    match chance.randrange(6):
        case 0:
            return chance.choice(NUMBERS)
        case 1:
            return json.dumps(chance.choice(TEXTS))
        case 2:
            return chance.choice(("true", "false", "null", "[]", "{}", "[null]", '{"$gt": ""}'))
        case 3:
            return nested(chance)
        case 4:
            return json.dumps([chance.choice(TEXTS[:8])] * chance.randint(1, 500))
        case _:
            return json.dumps({chance.choice(TEXTS[:40]): chance.random() for _ in range(3)})


def spoil_fields(chance: random.Random, fields: dict[str, Any]) -> bytes:
    """Return the JSON of ``fields`` with one to three of them changed, gone, renamed or doubled."""
    pairs = [(json.dumps(name), json.dumps(value)) for name, value in fields.items()]
    for _ in range(chance.randint(1, 3)):
        if not pairs:
            break
        place = chance.randrange(len(pairs))
        name, value = pairs[place]
        match chance.randrange(5):
            case 0 | 1:
                pairs[place] = (name, odd_json(chance))
            case 2:
                del pairs[place]
            case 3:
                pairs[place] = (json.dumps(chance.choice(TEXTS)), value)
            case _:
                pairs.append((name, chance.choice((value, odd_json(chance)))))
    return ("{" + ", ".join(f"{n}: {v}" for n, v in pairs) + "}").encode("utf-8", "surrogatepass")
