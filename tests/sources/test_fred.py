"""The source of economic series, against a server that answers as FRED does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from errors import ConfigurationError, SourceUnavailable
from models import ECONOMIC_OBSERVATION, EconomicObservation
from sources import fred_client
from sources.base import UnknownKeys, cursors
from sources.fred import FredSource
from tests.sources.conftest import ManualClock
from tests.sources.providers.fred import (
    API_KEY,
    NO_SUCH_KEY,
    OBSERVATIONS,
    SERIES,
    TOO_MANY,
    VINTAGES,
    FredSeries,
    FredServer,
    error,
)
from tests.sources.providers.heartbeat import least_gap_during
from tests.sources.providers.server import HANG, Answer
from topics import ECONOMIC_INDICATORS

Q4, Q1, Q2 = "2013-10-01", "2014-01-01", "2014-04-01"
GDP = [
    (Q4, "2014-01-30", "17102.5"),
    (Q4, "2014-02-28", "17080.7"),
    (Q4, "2014-03-27", "17089.6"),
    (Q1, "2014-04-30", "17149.6"),
]
UNRATE = [
    ("2013-09-01", "2013-10-22", "7.2"),
    ("2013-10-01", "2013-11-08", "."),
    ("2013-11-01", "2013-12-06", "7.0"),
]


@pytest.fixture
def server() -> Iterator[FredServer]:
    with FredServer() as found:
        found.series = {
            "GDP": FredSeries("Gross Domestic Product", "Billions of Dollars", "Quarterly", GDP[:]),
            "UNRATE": FredSeries("Unemployment Rate", releases=UNRATE[:]),
        }
        yield found


class Sources:
    """Makes sources and closes them."""

    def __init__(self, server: FredServer, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.made: list[FredSource] = []

    def __call__(self, api_key: str = API_KEY, **options: Any) -> FredSource:
        given = {"base_url": self.server.base_url, "clock": self.clock}
        self.made.append(FredSource(api_key, **{**given, **options}))
        return self.made[-1]


@pytest.fixture
async def make(server: FredServer, clock: ManualClock) -> AsyncIterator[Sources]:
    made = Sources(server, clock)
    yield made
    server.release()
    for source in made.made:
        await source.close()


def ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def told(found: list[EconomicObservation]) -> list[tuple[str, str, str]]:
    """Return the records as the server's releases."""

    def day(moment: int) -> str:
        return datetime.fromtimestamp(moment / 1000, UTC).date().isoformat()

    return [(day(o.time), day(o.realtime_start), f"{o.value:g}") for o in found]


def written(releases: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [(day, at, f"{float(value):g}") for day, at, value in releases if value != "."]


async def test_the_whole_history_with_its_revisions(server: FredServer, make: Sources) -> None:
    source = make()
    assert (source.name, source.topic, source.interval) == ("fred", ECONOMIC_INDICATORS, 3600.0)
    found = await source.fetch(["GDP", "UNRATE"], {})
    gdp = [o for o in found if o.series == "GDP"]
    assert told(gdp) == written(GDP)
    assert told([o for o in found if o.series == "UNRATE"]) == written(UNRATE)
    first = gdp[0]
    assert (first.time, first.realtime_start, first.value) == (ms(Q4), ms("2014-01-30"), 17102.5)
    assert (first.title, first.units) == ("Gross Domestic Product", "Billions of Dollars")
    assert (first.frequency, first.source) == ("Quarterly", "fred")
    for record in found:
        key, value = ECONOMIC_OBSERVATION.encode_key(record), ECONOMIC_OBSERVATION.encode(record)
        assert ECONOMIC_OBSERVATION.decode(key, value).asdict() == record.asdict()
    assert await source.fetch([], {}) == []


async def test_the_same_since_brings_the_same_and_titles_are_asked_once(
    server: FredServer, make: Sources
) -> None:
    source = make()
    found = await source.fetch(["GDP"], {})
    assert told(await source.fetch(["GDP"], {})) == told(found)
    since = cursors(found, "series")
    assert since == {"GDP": ms(Q1)}
    assert await source.fetch(["GDP"], since) == []
    assert len(server.asked(SERIES)) == 1
    assert server.asked(OBSERVATIONS)[-1].value("realtime_start") == Q1


async def test_after_since_come_new_periods_and_revisions(
    server: FredServer, make: Sources
) -> None:
    source = make()
    since = cursors(await source.fetch(["GDP"], {}), "series")
    revised = [(Q1, "2014-05-29", "17101.3"), (Q1, "2014-06-25", "17016.0")]
    server.series["GDP"].releases += revised
    found = await source.fetch(["GDP"], since)
    assert told(found) == written(revised)
    assert cursors(found, "series") == since
    fresh = [(Q4, "2014-07-30", "17078.3"), (Q2, "2014-07-30", "17294.7")]
    server.series["GDP"].releases += fresh
    found = await source.fetch(["GDP"], since)
    assert told(found) == written([fresh[0], *revised, fresh[1]])
    since = cursors(found, "series")
    assert since == {"GDP": ms(Q2)}
    assert await source.fetch(["GDP"], since) == []


async def test_a_revision_of_the_past_alone_leaves_the_cursor_where_it_is(
    server: FredServer, make: Sources
) -> None:
    revision = (Q4, "2014-07-30", "17078.3")
    server.series["GDP"].releases.append(revision)
    found = await make().fetch(["GDP"], {"GDP": ms(Q1)})
    assert told(found) == written([revision, GDP[3]])
    assert cursors(found, "series") == {"GDP": ms(Q1)}


async def test_a_since_in_the_middle(server: FredServer, make: Sources) -> None:
    found = await make().fetch(["UNRATE"], {"UNRATE": ms("2013-09-01")})
    assert told(found) == written(UNRATE[1:])
    # A period without a value, and one that is not there.
    for day in ("2013-10-01", "2013-10-15"):
        found = await make().fetch(["UNRATE"], {"UNRATE": ms(day)})
        assert told(found)[-1:] == written(UNRATE[2:])


@pytest.mark.parametrize("most", [2, 3, 5, 40])
async def test_more_revisions_than_fred_gives_at_a_time(
    server: FredServer, make: Sources, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    # Values that come back, and ones that are published again unchanged.
    start = date(2020, 1, 1)
    releases = []
    for i in range(30):
        published = (start + timedelta(days=40 + i)).isoformat()
        releases.append(((start + timedelta(days=i % 7)).isoformat(), published, f"{i * i % 5}"))
    server.series["DGS10"] = FredSeries("Yield", releases=releases)
    whole = await make().fetch(["DGS10"], {})
    server.most_vintages = most
    monkeypatch.setattr(fred_client, "MOST_VINTAGES", most)
    in_parts = await make().fetch(["DGS10"], {})
    last: dict[str, str] = {}
    changes = []
    for day, published, value in told(whole):
        if last.get(day) != value:
            changes.append((day, published, value))
        last[day] = value
    assert set(told(in_parts)) >= set(changes)
    assert set(told(in_parts)) <= set(told(whole))
    since = {"DGS10": ms("2020-01-03")}
    assert set(told(await make().fetch(["DGS10"], since))) >= {
        row for row in changes if row[0] > "2020-01-03"
    }


async def test_more_rows_than_fred_gives_at_a_time(
    server: FredServer, make: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.page = 2
    monkeypatch.setattr(fred_client, "MOST_ROWS", 2)
    assert told(await make().fetch(["UNRATE"], {})) == written(UNRATE)
    assert [r.value("offset") for r in server.asked(OBSERVATIONS)] == ["", "2"]


async def test_a_series_without_observations(server: FredServer, make: Sources) -> None:
    server.series["NEW"] = FredSeries("Announced")
    assert await make().fetch(["NEW"], {}) == []


async def test_projections_and_broken_rules_are_left_out(server: FredServer, make: Sources) -> None:
    server.series["DOTS"] = FredSeries(
        "Median" + "n" * 3_000,
        "u" * 300,
        releases=[(Q1, Q1, "1.5"), (Q2, Q2, "1e305"), ("2999-01-01", Q2, "3")],
    )
    (found,) = await make().fetch(["DOTS"], {})
    assert (found.value, len(found.title), len(found.units)) == (1.5, 2_000, 256)


@pytest.mark.parametrize("key", ["", "  ", None])
def test_without_a_key(key: str | None) -> None:
    with pytest.raises(SourceUnavailable, match=r"^FRED_API_KEY is not set.*--skip-economic$"):
        FredSource(key)


@pytest.mark.parametrize("address", ["", "api.stlouisfed.org", "file:///etc/passwd"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigurationError, match="FRED_BASE_URL"):
        FredSource(API_KEY, base_url=address)


async def test_unknown_series_are_named(server: FredServer, make: Sources) -> None:
    source = make()
    with pytest.raises(UnknownKeys, match="NOPE, WRONG") as caught:
        await source.fetch(["GDP", "NOPE", "WRONG"], {})
    assert caught.value.keys == ("NOPE", "WRONG")
    assert told(await source.fetch(["GDP"], {})) == written(GDP)


@pytest.mark.parametrize(
    "failure",
    [
        (NO_SUCH_KEY, "api_key is not registered"),
        (error(400, f"Bad Request.  api_key={API_KEY} is odd"), r"api_key=\*\*\* is odd"),
        (Answer(401), "401"),
        (error(403, "Forbidden"), "403 Forbidden"),
        (Answer(403, b"<html><body>Denied", {"Content-Type": "text/html"}), "403"),
        (Answer(404, b"nothing"), "404"),
        (TOO_MANY, "429 Too Many Requests"),
        (error(500, "Internal Server Error"), "500"),
        (Answer(502, b"", {}), "502"),
        (Answer(drop=True), "no answer"),
        (Answer(200, b"<observations><observation da", cut=15), "broken XML"),
        (Answer(200, b"<observations><observation da"), "broken XML"),
        (Answer(200, b""), "broken XML"),
        (Answer(500, error(500, "x" * 500).body, cut=20), "500"),
    ],
)
@pytest.mark.parametrize("path", [OBSERVATIONS, SERIES])
async def test_what_fails_is_named_and_costs_the_others_nothing(
    make: Sources,
    caplog: pytest.LogCaptureFixture,
    path: str,
    failure: tuple[Answer, str],
) -> None:
    (answer, reason), server = failure, make.server
    caplog.set_level(logging.DEBUG)
    server.on(path, answer)
    with pytest.raises(SourceUnavailable, match=f"FRED, GDP: .*{reason}") as caught:
        await make().fetch(["GDP"], {})
    assert API_KEY not in str(caught.value) + repr(caught.value.__context__) + caplog.text

    server.on(path, lambda r: answer if r.value("series_id") == "GDP" else server.answer(r))
    assert told(await make().fetch(["GDP", "UNRATE"], {})) == written(UNRATE)
    assert API_KEY not in caplog.text


async def test_rows_that_are_no_observations(server: FredServer, make: Sources) -> None:
    server.on(OBSERVATIONS, Answer(200, b'<observations><row date="x" value="1"/></observations>'))
    with pytest.raises(SourceUnavailable, match=r"GDP: answered with no observation: .*'x'"):
        await make().fetch(["GDP"], {})


async def test_an_answer_without_the_series(server: FredServer, make: Sources) -> None:
    server.on(SERIES, Answer(200, b"<seriess/>"))
    with pytest.raises(SourceUnavailable, match="GDP: answered without the series"):
        await make().fetch(["GDP"], {})


async def test_dates_of_publication_that_are_none(server: FredServer, make: Sources) -> None:
    server.most_vintages = 1
    server.on(
        VINTAGES, Answer(200, b"<vintage_dates><vintage_date>x</vintage_date></vintage_dates>")
    )
    with pytest.raises(SourceUnavailable, match="no dates of publication"):
        await make().fetch(["GDP"], {})


async def test_a_wrong_key_is_said_without_the_key(server: FredServer, make: Sources) -> None:
    with pytest.raises(SourceUnavailable, match="not registered") as caught:
        await make(api_key="my secret & key").fetch(["GDP"], {})
    assert "secret" not in str(caught.value)
    assert server.asked(SERIES)[0].value("api_key") == "my secret & key"


@pytest.mark.parametrize(("retry_after", "pause"), [("120", 120.0), (None, 30.0), ("soon", 30.0)])
async def test_retry_after(
    server: FredServer, make: Sources, clock: ManualClock, retry_after: str | None, pause: float
) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    server.on(SERIES, TOO_MANY.having(headers=headers), server.answer)
    source = make()
    with pytest.raises(SourceUnavailable, match="429"):
        await source.fetch(["GDP"], {})
    clock.pass_(pause - 1)
    with pytest.raises(SourceUnavailable, match="left alone for another 1 s"):
        await source.fetch(["GDP"], {})
    assert len(server.asked()) == 1
    clock.pass_(2)
    assert told(await source.fetch(["GDP"], {})) == written(GDP)


async def test_a_hang_ends_and_holds_nobody_up(server: FredServer, make: Sources) -> None:
    days = [(date(1970, 1, 1) + timedelta(days=i)).isoformat() for i in range(6_000)]
    server.series["DGS10"] = FredSeries("Yield", releases=[(day, day, "4.2") for day in days])
    server.on(SERIES, lambda r: HANG if r.value("series_id") == "GDP" else server.answer(r))
    source = make(timeout_s=2.0)
    gap, found = await least_gap_during(lambda: source.fetch(["GDP", "DGS10"], {}), 0.05)
    assert len(found) == len(days)
    assert gap < 0.05


async def test_one_that_hangs_is_named(server: FredServer, make: Sources) -> None:
    server.on(OBSERVATIONS, HANG)
    with pytest.raises(SourceUnavailable, match=r"GDP: no answer in 0\.1 s"):
        await make(timeout_s=0.1).fetch(["GDP"], {})
    with pytest.raises(SourceUnavailable, match=r"GDP: no complete answer in 0\.1 s"):
        await make(budget_s=0.1).fetch(["GDP"], {})


async def test_a_cancelled_fetch_asks_no_further_and_changes_nothing(
    server: FredServer, make: Sources
) -> None:
    server.on(SERIES, HANG, server.answer)
    source = make()
    task = asyncio.create_task(source.fetch(["GDP"], {}))
    await asyncio.to_thread(server.wait_asked, SERIES)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.release()
    assert told(await source.fetch(["GDP"], {})) == written(GDP)
    assert len(server.asked(OBSERVATIONS)) == 1
    await source.close()
    await source.close()
    assert told(await source.fetch(["GDP"], {})) == written(GDP)
