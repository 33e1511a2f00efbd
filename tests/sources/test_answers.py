"""Every source, at a provider that answers with gigabytes: it is cut off, and that is said."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from errors import SourceUnavailable
from sources.answers import MOST_BYTES
from tests.eventually import eventually
from tests.sources.live import KEYS, MAKERS, Live, live
from tests.sources.providers.server import Answer

FIRST = KEYS[:1]

MEGABYTE = b" " * 1_000_000  # in JSON and XML the beginning of anything
#: What a whole answer would have.
PLAIN_MB, PACKED_MB = 1_000, 400
#: What may be on its way when a client has enough: buffers of both ends.
ON_THE_WAY = 16_000_000
#: By how much memory may rise meanwhile: some copies of the largest answer, not a whole one.
RISE_BYTES = 64_000_000

#: Which setting the error names.
SETTING = {
    "rss": "YAHOO_RSS_BASE_URL, NEWS_FEEDS",
    "reddit": "REDDIT_BASE_URL",
    "twitter": "TWITTER_BASE_URL",
    "fred": "FRED_BASE_URL",
    "yahoo": "YAHOO_BASE_URL",
}


def packed(megabytes: int) -> bytes:
    """So many megabytes, in a thousandth of that."""
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(MEGABYTE) for _ in range(megabytes)) + packer.flush()


@pytest.fixture(scope="module")
def bomb() -> bytes:
    return packed(PACKED_MB)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture(params=MAKERS)
async def case(request: pytest.FixtureRequest, cache: Path) -> AsyncIterator[Live]:
    async with AsyncExitStack() as stack:
        made = await live(request.param, stack, cache)
        await made.fetch()  # what is loaded at first is not what is measured
        yield made


def memory(what: str) -> int:
    """Return a figure of this process's memory, in bytes: ``VmRSS`` now, ``VmHWM`` at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(one.split()[1]) * 1024 for one in lines if one.startswith(what))


def forget_highest() -> int:
    """Make the highest memory that of now, and return it."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


async def rise(work: Callable[[], Awaitable[None]]) -> int:
    """Return by how many bytes memory had risen at most meanwhile."""
    before = forget_highest()
    await work()
    return memory("VmHWM") - before


async def fails(case: Live, words: str) -> None:
    with pytest.raises(SourceUnavailable, match=words):
        await case.fetch(FIRST)


async def passes(case: Live) -> None:
    """Check that all is well again once the provider is."""
    case.server.on(case.path, case.server.answer)
    assert len(await case.fetch()) == 6


async def test_an_answer_without_end_is_cut_off(case: Live) -> None:
    case.server.on(case.path, Answer(200, MEGABYTE, times=PLAIN_MB))
    words = rf"more than 8,000,000 bytes.*\({SETTING[case.source.name]}\)"
    assert await rise(lambda: fails(case, words)) < RISE_BYTES
    await asyncio.to_thread(eventually, lambda: case.server.cut_off, "the server is cut off")
    assert MOST_BYTES <= case.server.sent < MOST_BYTES + ON_THE_WAY
    await passes(case)


async def test_a_little_that_unpacks_to_gigabytes_is_not_unpacked(case: Live, bomb: bytes) -> None:
    assert len(bomb) < MOST_BYTES / 4
    case.server.on(case.path, Answer(200, bomb, {"Content-Encoding": "gzip"}))
    # FRED is not asked for anything packed, and what comes so is no XML.
    words = "broken XML" if case.source.name == "fred" else "more than 8,000,000 bytes"
    assert await rise(lambda: fails(case, words)) < RISE_BYTES
    await passes(case)


async def test_what_is_packed_twice_is_not_unpacked(case: Live, bomb: bytes) -> None:
    """In a kilobyte: 400 MB as 2 MB, as a few kilobytes."""
    answer = Answer(200, gzip.compress(bomb), {"Content-Encoding": "gzip, gzip"})
    case.server.on(case.path, answer)
    assert await rise(lambda: fails(case, ".")) < RISE_BYTES
    await passes(case)


@pytest.mark.parametrize("status", [302, 401, 429, 500])
async def test_a_refusal_without_end_is_cut_off(case: Live, status: int) -> None:
    await check_refusal(case, Answer(status, MEGABYTE, times=PLAIN_MB))


async def test_a_redirect_that_is_not_packed_as_it_says_is_cut_off(case: Live) -> None:
    """What some clients then skip, they would read to its end."""
    await check_refusal(case, Answer(302, MEGABYTE, {"Content-Encoding": "gzip"}, times=PLAIN_MB))


async def check_refusal(case: Live, answer: Answer) -> None:
    if answer.status == 302:
        answer = answer.having(headers={**answer.headers, "Location": f"{case.server.url}/a"})
    case.server.on(case.path, answer)
    assert await rise(lambda: fails(case, ".")) < RISE_BYTES
    if answer.status == 302 and case.source.name == "yahoo":
        return  # libcurl throws away what comes with a redirect, as it comes
    await asyncio.to_thread(eventually, lambda: case.server.cut_off, "the server is cut off")
    assert case.server.sent < (MOST_BYTES + ON_THE_WAY) * len(case.server.requests)


async def test_an_answer_that_comes_byte_by_byte_ends(cache: Path) -> None:
    """Each byte well within the time of a request, and the thread is free again."""
    for name in MAKERS:
        async with AsyncExitStack() as stack:
            case = await live(name, stack, cache, request_s=0.6, whole_s=0.9)
            if name == "yahoo":
                await case.fetch()  # loads its library
            case.server.on(case.path, Answer(200, b" ", times=10_000, pause=0.05))
            await fails(case, "no (complete )?answer")
            await asyncio.to_thread(eventually, lambda: case.server.cut_off, f"{name} ends")  # noqa: B023
            await passes(case)


async def test_what_is_packed_is_read(case: Live) -> None:
    """As providers answer who asks for it."""
    if case.source.name == "fred":
        return  # it does not ask for it
    expected = len(await case.fetch())

    def gzipped(request: object) -> Answer:
        answer = case.server.answer(request)  # type: ignore[arg-type]
        if answer.status != 200:
            return answer
        body, headers = gzip.compress(answer.body), {**answer.headers, "Content-Encoding": "gzip"}
        return answer.having(body=body, headers=headers)

    case.server.on(case.path, gzipped)
    assert len(await case.fetch()) == expected == 6
