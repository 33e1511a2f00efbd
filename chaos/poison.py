"""Messages that must end among the dead letters, each with a part of the reason it is given."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Fields = dict[str, Any]

#: Topic, key, value, and a part of the reason.
Poison = tuple[str, bytes | None, bytes | None, str]

_FAR_MS = 4_000_000_000_000  # the year 2096

_DATA = (
    "stock-prices",
    "technical-indicators",
    "financial-news",
    "twitter-sentiment",
    "reddit-sentiment",
    "economic-indicators",
)


def _number(fields: Fields) -> str:
    """The field of a message that holds its number."""
    return next(name for name in ("close", "value", "engagement", "time") if name in fields)


def _dump(fields: Fields) -> bytes:
    return json.dumps(fields).encode()


def _changed(**changes: Any) -> Callable[[Fields], bytes]:
    return lambda fields: _dump(fields | changes)


#: For any topic: what becomes of a good message, and a part of the reason.
ANYWHERE: tuple[tuple[Callable[[Fields], bytes | None], str], ...] = (
    (lambda _: b"price: 12", "not valid JSON"),
    (lambda _: b"", "not valid JSON"),
    (lambda _: b"\xff\xfe\x00garbage" * 40, "not valid JSON"),
    (lambda fields: _dump(fields)[:-7], "not valid JSON"),
    (lambda _: b"[" * 5_000, "not valid JSON"),
    (lambda _: b"[1, 2]", "must be a JSON object"),
    (lambda _: b"null", "must be a JSON object"),
    (lambda _: None, "tombstone"),
    (_changed(time="2024-01-08"), "time"),
    (_changed(time=True), "time"),
    (_changed(time=1.5), "time"),
    (_changed(time=float("nan")), "time"),
    (_changed(time=10**30), "time"),
    (lambda fields: _dump({k: v for k, v in fields.items() if k != "time"}), "missing"),
)

#: For messages of data, which say how much of something.
DATA: tuple[tuple[Callable[[Fields], bytes | None], str], ...] = (
    (_changed(time=_FAR_MS), "future"),
    (lambda fields: _dump(fields | {_number(fields): "12"}), "must be a"),
    (lambda fields: _dump(fields | {_number(fields): float("inf")}), "must be a"),
    (lambda fields: _dump({k: v for k, v in fields.items() if k != "source"}), "missing"),
    (_changed(source=["chaos"]), "must be a text"),
)

BARS: tuple[tuple[Callable[[Fields], bytes | None], str], ...] = (
    (_changed(high=1.0, low=2.0), "is below low"),
    (_changed(close=-1.0), "close"),
    (_changed(volume=-5.0), "volume"),
    (_changed(open=None), "open"),
    (_changed(interval="soon"), "interval"),
    (_changed(closed="yes"), "must be true or false"),
)

SERIES: tuple[tuple[Callable[[Fields], bytes | None], str], ...] = (
    (_changed(close=[1.0]), "values for"),
    (_changed(volume=[1.0, -1.0]), "row 1"),
    (_changed(open=[True, 1.0]), "must be a number"),
    (_changed(high=[1.0, 1.0]), "is below low"),
    (lambda fields: _dump(fields | {"time": fields["time"][::-1]}), "does not come after"),
    (lambda fields: _dump(fields | {"time": [fields["time"][0], _FAR_MS]}), "future"),
    (lambda fields: _dump(fields | {"time": fields["time"] * 251}), "500"),
)

POSTS: tuple[tuple[Callable[[Fields], bytes | None], str], ...] = (
    (_changed(platform="usenet"), "platform"),
    (lambda f: _dump(f | {"platform": {"twitter": "reddit"}.get(f["platform"], "twitter")}),
     "on topic"),
    (_changed(sentiment=7), "sentiment"),
    (_changed(id=""), "id"),
)  # fmt: skip


def choose(chance: random.Random, example: Callable[[str], Fields]) -> Poison:
    """Return a poisonous message, made of a good one that ``example`` gives for a topic."""
    more = ("stock-prices", "stock-prices", "price-history", "commands", "macro-backdrop")
    topic = chance.choice((*_DATA, *more))
    good = example(topic)
    key = good["series" if "series" in good else "ticker"]
    makers = [*ANYWHERE]
    if topic == "commands":
        makers.append((_changed(action="explode"), "recompute"))
    elif topic == "price-history":
        makers += SERIES
    elif topic != "macro-backdrop":
        makers += DATA
    if topic == "stock-prices":
        makers += BARS
    if topic in ("twitter-sentiment", "reddit-sentiment"):
        makers += POSTS
    fate = chance.random()
    if fate < 0.03:
        return topic, key.encode(), chance.randbytes(900_000), "not valid JSON"
    if fate < 0.06:
        return topic, b"SOMEBODY", _dump(good), "key="
    if fate < 0.09 and topic != "macro-backdrop":  # brokers take no compacted message without
        return topic, None, _dump(good), "key="
    if fate < 0.12 and "ticker" in good:
        ticker = chance.choice(("", "a b", "X" * 40, "$ne"))
        return topic, ticker.encode(), _dump(good | {"ticker": ticker}), "ticker"
    maker, reason = chance.choice(makers)
    return topic, key.encode(), maker(good), reason
