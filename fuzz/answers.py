"""Answers of providers, spoilt, through the real client libraries and into every source."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from errors import InvalidRecord, SourceUnavailable
from fuzz.mutate import odd_json, spoil_bytes
from tests.sources.live import MAKERS, Live, live
from tests.sources.providers.server import Answer, Request

_HEADERS = (
    {"Content-Encoding": "gzip"},
    {"Content-Type": "application/octet-stream"},
    {"Content-Type": "text/html; charset=nowhere"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Retry-After": "soon"},
    {"Retry-After": "-5"},
    {"Retry-After": "\xb2"},
    {"Retry-After": "9" * 400},
    {"Retry-After": "Mon, 01 Jan 0001 00:00:00 GMT"},
    {"Location": "/elsewhere"},
    {"ETag": "\x7f" * 50},
    {"Last-Modified": "yesterday"},
)
_STATUS = (200, 200, 200, 200, 200, 204, 206, 301, 304, 400, 401, 403, 404, 429, 500, 502, 599)
#: Longest time for one request, and for one fetch, in seconds.
_REQUEST_S, _FETCH_S = 2.0, 10.0
#: A fetch that is longer hangs.
_HANG_S = 120.0


@dataclass
class Answered:
    """What the sources made of it.

    Attributes:
        outcomes: how many fetches, by source and outcome.
        findings: what must not happen.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


async def answers(count: int, seed: int, folder: Path) -> Answered:
    """Have each source fetch so many times from a provider whose answers are spoilt.

    Args:
        count: fetches of each source.
        seed: of what is spoilt.
        folder: takes the client libraries' files.
    """
    answered = Answered()
    for name in MAKERS:
        chance = random.Random(f"answers {name} {seed}")
        async with AsyncExitStack() as stack:
            case = await live(name, stack, folder, request_s=_REQUEST_S, whole_s=_FETCH_S)
            for _ in range(count):
                await _one(name, case, chance, answered)
        await _still_well(name, folder, answered)
    return answered


async def _one(name: str, case: Live, chance: random.Random, answered: Answered) -> None:
    said: list[Answer] = []
    wrong = _spoiler(case, chance, said)
    for path in {case.path, *(request.path for request in case.server.asked())}:
        case.server.on(path, wrong)
    # A pause that a provider asked for is over.
    for clock in (case.now, case.clock):
        clock.pass_(700.0)
    try:
        records = await asyncio.wait_for(case.fetch(), _HANG_S)
    except SourceUnavailable as error:
        answered.outcomes[f"{name}: refused"] += 1
        if "\n" in str(error) or len(str(error)) > 2_000:
            answered.findings.append(f"{name}: no line of one's own: {str(error)[:300]!r}")
        return
    except TimeoutError:
        answered.findings.append(f"{name}: a fetch hung on {said[-1:]!r}")
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        answered.findings.append(f"{name}: {error!r} on {_shown(said)}")
        return
    answered.outcomes[f"{name}: {'records' if records else 'nothing'}"] += 1
    codec = case.source.topic.codec
    if codec is None:
        answered.findings.append(f"{name}: the topic {case.source.topic.name} has no codec")
        return
    for record in records:
        try:
            codec.decode(codec.encode_key(record), codec.encode(record))
        except (InvalidRecord, UnicodeError, TypeError) as error:
            answered.findings.append(f"{name}: handed out {record!r}: {error} on {_shown(said)}")


def _spoiler(case: Live, chance: random.Random, said: list[Answer]) -> Callable[[Request], Answer]:
    def wrong(request: Request) -> Answer:
        good = case.server.answer(request)
        spoilt = good
        match chance.randrange(6):
            case 0 | 1 | 2:
                spoilt = good.having(body=spoil_bytes(chance, good.body))
            case 3:
                spoilt = good.having(body=odd_json(chance).encode("utf-8", "surrogatepass"))
            case 4:
                named = {**good.headers, **chance.choice(_HEADERS)}
                spoilt = good.having(headers=named, status=chance.choice(_STATUS))
            case _:
                cut = chance.randrange(len(good.body) + 1)
                spoilt = chance.choice((good.having(cut=cut), good.having(drop=True)))
        said.append(spoilt)
        return spoilt

    return wrong


async def _still_well(name: str, folder: Path, answered: Answered) -> None:
    """Check that the source itself is well: with good answers it brings all there is."""
    async with AsyncExitStack() as stack:
        case = await live(name, stack, folder)
        if len(await case.fetch()) != 6:
            answered.findings.append(f"{name}: does not bring what is valid any more")


def _shown(said: list[Answer]) -> str:
    return "; ".join(f"{one.status} {dict(one.headers)} {one.body[:300]!r}" for one in said[-2:])
