"""What Yahoo refuses, breaks and leaves hanging, and what that costs."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from errors import SourceUnavailable
from sources.base import UnknownKeys
from sources.token_bucket import TokenBucket
from tests.sources.conftest import ManualClock
from tests.sources.providers.heartbeat import longest_gap_during
from tests.sources.providers.server import HANG, Answer, Request, json_answer
from tests.sources.providers.yahoo import (
    BROKEN,
    CHART,
    FRIDAY,
    NOT_FOUND,
    TOO_MANY,
    Chart,
    Make,
    YahooServer,
    times,
)

pytest_plugins = ["tests.sources.providers.yahoo_fixtures"]


async def test_unknown_ticker_is_named_and_the_others_go_on(
    make: Make, server: YahooServer, charts: dict[str, Chart]
) -> None:
    source = make()
    with pytest.raises(UnknownKeys, match=r"GONE.*may be delisted") as caught:
        await source.fetch(["AAPL", "GONE", "MSFT"], {})
    assert caught.value.keys == ("GONE",)
    # Once is enough: yfinance alone would ask again and again.
    assert len(server.asked(CHART + "GONE")) == 1
    assert {bar.ticker for bar in await source.fetch(["AAPL", "MSFT"], {})} == {"AAPL", "MSFT"}
    with pytest.raises(UnknownKeys, match="no ticker"):
        await source.history(["AAPL", "no ticker"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BROKEN, "HTTP 500"),
        (Answer(404, b"<html>proxy</html>"), "HTTP 404"),
        (Answer(401, b"Unauthorized"), "HTTP 401"),
        (Answer(403, b"Forbidden"), "HTTP 403"),
        (Answer(200, b'{"chart": {"result": [{"meta"'), "no whole JSON"),
        (Answer(200, b'{"chart": {}}' * 100, cut=40), "IncompleteRead"),
        (Answer(drop=True), "Error"),
        (HANG, "no answer within 0.2 s"),
        (json_answer({"chart": {"result": [], "error": None}}), "an empty answer"),
        (
            json_answer(
                {
                    "chart": {
                        "result": None,
                        "error": {"code": "Unprocessable Entity", "description": "1m data not"},
                    }
                },
                422,
            ),
            "HTTP 422: 1m data not",
        ),
    ],
)
async def test_what_fails_is_said_and_passes(
    make: Make, server: YahooServer, charts: dict[str, Chart], answer: Answer, said: str
) -> None:
    source = make(timeout=0.2 if answer.hold else 10.0)
    server.on(CHART + "AAPL", answer)
    with pytest.raises(SourceUnavailable, match=f"AAPL: .*{said}"):
        await source.fetch(["AAPL"], {})
    with pytest.raises(SourceUnavailable, match=f"AAPL: .*{said}"):
        await source.history(["AAPL", "MSFT"])
    bars = await source.fetch(["AAPL", "MSFT"], {})
    assert [bar.ticker for bar in bars] == ["MSFT"]
    server.release()
    server.on(CHART + "AAPL", server.answer)
    assert times(await source.fetch(["AAPL"], {})) == [FRIDAY]


async def test_no_rows_is_an_empty_answer(make: Make, server: YahooServer) -> None:
    server.charts["AAPL"] = Chart()
    with pytest.raises(SourceUnavailable, match="AAPL: an empty answer"):
        await make().fetch(["AAPL"], {})


async def test_nobody_there(make: Make, server: YahooServer) -> None:
    server.close()
    with pytest.raises(SourceUnavailable, match=r"AAPL: .*connect"):
        await make().fetch(["AAPL"], {})


@pytest.mark.usefixtures("charts")
@pytest.mark.parametrize(("header", "pause"), [({}, 75), ({"Retry-After": "20"}, 25)])
async def test_too_many_requests(
    make: Make,
    server: YahooServer,
    clock: ManualClock,
    header: dict[str, str],
    pause: float,
) -> None:
    source = make()
    for name in ("AAPL", "MSFT"):
        server.on(CHART + name, TOO_MANY.having(headers=header), server.answer)
    with pytest.raises(SourceUnavailable, match=f"429.* {pause} s"):
        await source.fetch(["AAPL", "MSFT"], {})
    asked = len(server.asked())
    clock.pass_(pause - 5)
    for work in (source.fetch(["AAPL"], {}), source.history(["AAPL"])):
        with pytest.raises(SourceUnavailable, match=r"429.* 5 s"):
            await work
    assert len(server.asked()) == asked
    clock.pass_(5)
    for name in ("AAPL", "MSFT"):
        server.on(CHART + name, server.answer)
    assert len(await source.fetch(["AAPL", "MSFT"], {})) == 2


async def test_a_hang_holds_up_nothing(
    make: Make, server: YahooServer, charts: dict[str, Chart]
) -> None:
    source = make(timeout=2.0)
    await source.fetch(["AAPL"], {})
    server.on(CHART + "AAPL", HANG)
    gaps: list[float] = []
    # The better of two: what a busy machine does to one of them says nothing.
    while len(gaps) < 2 and min(gaps, default=1) >= 0.05:
        gaps.append(await _longest_gap_of_a_hang(source.fetch(["AAPL"], {})))
    assert min(gaps) < 0.05


async def test_a_cancelled_fetch_sends_no_more_and_changes_nothing(
    make: Make, server: YahooServer, charts: dict[str, Chart]
) -> None:
    source = make()
    expected = times(await source.fetch(["AAPL", "MSFT"], {}))
    reached = threading.Event()

    def hang(request: Request) -> Answer:
        reached.set()
        return HANG

    for name in charts:
        server.on(CHART + name, hang)
    before = len(server.asked())
    task = asyncio.create_task(source.fetch(["AAPL", "MSFT"], {}))
    assert await asyncio.to_thread(reached.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for name in charts:
        server.on(CHART + name, server.answer)
    server.release()
    assert times(await source.fetch(["AAPL", "MSFT"], {})) == expected
    # One before the cancellation, and two now.
    assert len(server.asked()) == before + 3


async def test_a_ticker_in_trouble_is_logged_once(
    make: Make, server: YahooServer, charts: dict[str, Chart], caplog: pytest.LogCaptureFixture
) -> None:
    source = make()
    server.on(CHART + "AAPL", BROKEN)
    with caplog.at_level(logging.WARNING, "sources.yahoo_download"):
        for _ in range(3):
            await source.fetch(["AAPL", "MSFT"], {})
    assert len([r for r in caplog.records if r.name == "sources.yahoo_download"]) == 1


@pytest.mark.parametrize("answer", [NOT_FOUND, BROKEN, Answer(401, b"Unauthorized")])
async def test_every_request_goes_to_the_address_that_is_set(
    make: Make, server: YahooServer, charts: dict[str, Chart], bucket: TokenBucket, answer: Answer
) -> None:
    source = make()
    await source.history(["AAPL"])
    server.on(CHART + "BAD", answer)
    with pytest.raises(SourceUnavailable):
        await source.fetch(["BAD"], {})
    assert bucket.capacity - bucket.available() == len(server.asked())


async def _longest_gap_of_a_hang(work: Coroutine[Any, Any, object]) -> float:
    """Return the longest time that the loop did not turn during a hang, in seconds."""
    longest, task = await longest_gap_during(work)
    with pytest.raises(SourceUnavailable, match="no answer within"):
        await task
    return longest
