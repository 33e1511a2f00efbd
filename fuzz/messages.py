"""The messages: made by hypothesis, or valid ones spoilt; some of them are still valid."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st

from fuzz.mutate import TEXTS, nested, spoil_bytes, spoil_fields
from topics import ALL_TOPICS

#: A Monday in 2024, 00:00 UTC, in ms.
START_MS = 1_704_672_000_000
TICKERS = tuple(f"F{number:02d}" for number in range(24))
SERIES = ("FGDP", "FCPI", "FRATE")
SOURCE = "fuzz"
TOPICS = tuple(spec.name for spec in ALL_TOPICS)

_COMPACTED = frozenset(spec.name for spec in ALL_TOPICS if "compact" in spec.config.values())

#: Made by hypothesis in one go.
_AT_ONCE = 500
#: A producer's own limit is a little above.
_MOST_BYTES = 900_000

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send; ``astray`` is the partition if it is not to be its key's own."""

    topic: str
    key: bytes | None
    value: bytes | None
    astray: int | None = None


def valid(chance: random.Random, topic: str) -> Fields:
    """Return the fields of a good message of a topic."""
    ticker, time_ms = chance.choice(TICKERS), START_MS + 60_000 * chance.randrange(5_000)
    said = {"source": SOURCE, "ingested": time_ms}
    observed = {"time": time_ms, "realtime_start": time_ms, "ingested": time_ms, "value": 1.5}
    text = {"ticker": ticker, "id": f"i{chance.randrange(2_000)}", "time": time_ms} | said
    close = round(chance.uniform(1, 500), 2)
    place = {"ticker": ticker, "interval": chance.choice(("1m", "1d")), "time": time_ms}
    prices = {"open": close, "high": close + 1, "low": close - 0.5, "close": close}
    action = chance.choice(("recompute", "follow", "unfollow"))
    examples: dict[str, Fields] = {
        "stock-prices": place | prices | {"volume": 100.0, "closed": chance.random() < 0.8} | said,
        # Of other intervals: where a bar came both ways, nobody can say which was later.
        "price-history": {"ticker": ticker, "interval": chance.choice(("5m", "1wk"))}
        | said
        | {"time": [time_ms + 60_000 * number for number in range(3)]}
        | {name: [value] * 3 for name, value in prices.items()}
        | {"volume": [100.0, 0.0, 1e6], "adjusted_close": chance.choice((None, [None, 1.0, 2.0]))},
        "technical-indicators": place
        | {"values": {"fuzz_score": close, "fuzz_other": None}, "source": SOURCE, "closed": True},
        "economic-indicators": {"series": chance.choice(SERIES), "source": SOURCE, "units": "%"}
        | observed,
        "macro-backdrop": {
            "series": chance.choice(SERIES),
            "time": time_ms,
            "observations": [observed],
        },
        "alerts": {"ticker": ticker, "id": f"{ticker}|r|{time_ms}", "rule": "r", "time": time_ms}
        | {"severity": "info", "message": "", "condition": "", "values": {}, "ingested": time_ms},
        "commands": {"ticker": ticker, "action": action, "time": time_ms, "kind": "ticker"},
        "twitter-sentiment": text | {"platform": "twitter", "text": f"${ticker} up", "url": ""},
        "reddit-sentiment": text | {"platform": "reddit", "text": f"${ticker} up", "url": ""},
    }
    news = text | {"title": f"{ticker} beats estimates", "publisher": "Fuzz Daily"}
    return examples.get(topic, news)


def key_of(fields: Fields) -> bytes:
    """Return the key of a good message."""
    key: str = fields["series"] if "series" in fields else fields["ticker"]
    return key.encode()


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def _drawn(draw: st.DrawFn) -> Message:
    """A message whose fields hypothesis chose, some of them or all."""
    topic = draw(st.sampled_from(TOPICS))
    fields = valid(random.Random(draw(st.integers(0, 2**32))), topic)
    key: bytes | None = key_of(fields)
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True)):
        fields[name] = draw(_JSON)
    if draw(st.booleans()):
        fields |= draw(st.dictionaries(st.text(max_size=12), _JSON, max_size=2))
    value: bytes | None = json.dumps(fields).encode()
    shape = draw(st.integers(0, 19))
    if shape == 0:
        value = draw(st.none() | st.binary(max_size=200))
    elif shape == 1:
        value = json.dumps(draw(_JSON)).encode()
    if draw(st.integers(0, 9)) == 0:
        key = draw(st.none() | st.binary(max_size=80) | st.sampled_from([b"", b"\xff", b"A" * 900]))
    astray = draw(st.none() | st.none() | st.none() | st.integers(0, 7))
    return Message(topic, key, value, astray)


def drawn(count: int, seed: int) -> list[Message]:
    """Return so many messages made by hypothesis."""
    found: list[Message] = []
    for start in range(0, count, _AT_ONCE):

        @hypothesis.seed(seed + start)
        @hypothesis.settings(
            max_examples=min(_AT_ONCE, count - start),
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @hypothesis.given(_drawn())
        def keep(message: Message) -> None:
            found.append(message)

        keep()
    return found


def spoilt(count: int, seed: int) -> Iterator[Message]:
    """Yield so many messages that were good, or still are."""
    chance = random.Random(f"spoilt {seed}")
    for _ in range(count):
        topic = chance.choice(TOPICS)
        fields = valid(chance, topic)
        key: bytes | None = key_of(fields)
        value: bytes | None = json.dumps(fields).encode()
        match chance.randrange(10):
            case 0 | 1 | 2:
                value = spoil_bytes(chance, value or b"")
            case 3 | 4 | 5:
                value = spoil_fields(chance, fields)
            case 6:
                value = chance.choice((None, b"", nested(chance).encode(), chance.randbytes(5_000)))
            case 7:
                key = chance.choice((None, b"", b"\xff\xfe", b"a b", chance.randbytes(20)))
            case _:
                pass
        astray = chance.randrange(8) if chance.random() < 0.1 else None
        yield Message(topic, key, None if value is None else value[:_MOST_BYTES], astray)


def messages(count: int, seed: int) -> list[Message]:
    """Return so many messages, half of them made by hypothesis, in one mixture."""
    found = [*drawn(count // 2, seed), *spoilt(count - count // 2, seed)]
    random.Random(f"order {seed}").shuffle(found)
    return [_takeable(one) for one in found]


def _takeable(message: Message) -> Message:
    """Return a message that the broker takes: without a key it takes none on a compacted topic."""
    if message.key is None and message.topic in _COMPACTED:
        return replace(message, key=b"")
    return message
