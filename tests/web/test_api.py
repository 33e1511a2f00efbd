"""What the API answers, over a real MongoDB."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest
from pymongo.database import Database
from yarl import URL

from sinks.base import Document
from tests.web.conftest import Client
from tests.web.demo import store_trends, trend
from tests.web.rows import DAY_MS, START_MS, alert, news, observation, post, put, put_bars


async def get(client: Client, path: str, **parameters: Any) -> Any:
    """The content of an answer that must be all right."""
    answer = await client.get(path, params=parameters)
    content = await answer.json()
    assert answer.status == 200, content
    return content


async def pages(client: Client, path: str, name: str, **parameters: Any) -> list[list[Any]]:
    """All pages of an address, by following `next`."""
    found = []
    while True:
        content = await get(client, path, **parameters)
        found.append(content[name])
        if content["next"] is None:
            return found
        parameters["cursor"] = content["next"]


async def test_the_watchlist(client: Client, store: Database[Document]) -> None:
    put_bars(store, "MSFT", [10.0, 11.0, 12.1])
    put_bars(store, "AAPL", [5.0])
    put_bars(store, "AAPL", [5.5, 5.25], interval="1m", step_ms=60_000, closed=False)
    store_trends(store, [trend("MSFT", START_MS, "up", 64.0)])
    first, second = (await get(client, "/api/tickers"))["tickers"]
    assert (first["ticker"], first["interval"], first["intervals"]) == ("AAPL", "1d", ["1m", "1d"])
    assert (first["previous"], first["change"], first["trend"]) == (None, None, None)
    assert second["price"] == 12.1
    assert second["change_percent"] == pytest.approx(10.0)
    assert second["sparkline"] == [10.0, 11.0, 12.1]
    assert second["time"] == START_MS + 2 * DAY_MS
    assert second["trend"] == {
        "time": START_MS,
        "direction": "up",
        "strength": 64.0,
        "confidence": 0.82,
    }
    minutes = (await get(client, "/api/tickers", interval="1m"))["tickers"]
    assert [(row["interval"], row["closed"]) for row in minutes] == [("1m", False), ("1d", True)]


async def test_the_watchlist_in_pages_and_by_prefix(
    client: Client, store: Database[Document]
) -> None:
    names = [f"T{n:02}" for n in range(7)] + ["^GSPC", "BRK-B"]
    for name in names:
        put_bars(store, name, [1.0, 2.0])
    found = await pages(client, "/api/tickers", "tickers", limit=4)
    assert [row["ticker"] for page in found for row in page] == sorted(names)
    few = (await get(client, "/api/tickers", prefix="t0", limit=3))["tickers"]
    assert [row["ticker"] for row in few] == ["T00", "T01", "T02"]
    named = (await get(client, "/api/tickers", tickers="t03,NOPE,BRK-B"))["tickers"]
    assert [row["ticker"] for row in named] == ["BRK-B", "T03"]


async def test_a_ticker_says_what_there_is(client: Client, store: Database[Document]) -> None:
    put_bars(store, "SAP.DE", [5.0, 6.0])
    put_bars(store, "SAP.DE", [5.0], interval="5m")
    found = await get(client, "/api/tickers/sap.de")
    assert (found["ticker"], found["zone"]) == ("SAP.DE", "Europe/Berlin")
    assert (found["opens"], found["closes"]) == ("09:00", "17:30")
    assert [one["interval"] for one in found["intervals"]] == ["5m", "1d"]
    assert found["intervals"][1]["indicators"] == ["rsi", "sma"]
    assert (await client.get("/api/tickers/NOPE")).status == 404


async def test_bars_come_in_pages_without_gaps_while_new_ones_arrive(
    client: Client, store: Database[Document]
) -> None:
    closes = [10.0 + n for n in range(25)]
    put_bars(store, "AAPL", closes)
    first = await get(client, "/api/tickers/AAPL/bars", limit=10)
    assert [bar["close"] for bar in first["bars"]] == closes[15:]
    put_bars(store, "AAPL", [*closes, 99.0])
    rest = await pages(client, "/api/tickers/AAPL/bars", "bars", limit=10, cursor=first["next"])
    assert [bar["close"] for page in reversed(rest) for bar in page] == closes[:15]


async def test_bars_of_a_time_with_some_indicators(
    client: Client, store: Database[Document]
) -> None:
    put_bars(store, "AAPL", [1.0, 2.0, 3.0, 4.0])
    ask = {"from": "2024-01-02", "to": str(START_MS + 3 * DAY_MS)}
    found = (await get(client, "/api/tickers/AAPL/bars", indicators="rsi,nothing", **ask))["bars"]
    assert [(bar["close"], bar["indicators"]) for bar in found] == [
        (2.0, {"rsi": 51.0, "nothing": None}),
        (3.0, {"rsi": 52.0, "nothing": None}),
    ]
    asked = {"format": "csv", "indicators": "sma,nothing,rsi"}
    table = await (await client.get("/api/tickers/AAPL/bars", params=asked)).text()
    assert table.partition("\n")[0].endswith("ingested,sma,nothing,rsi")
    none = (await get(client, "/api/tickers/AAPL/bars", indicators="none"))["bars"]
    assert {len(bar["indicators"]) for bar in none} == {0}
    everything = (await get(client, "/api/tickers/AAPL/bars"))["bars"]
    assert everything[0]["indicators"] == {"rsi": 50.0, "sma": None}


async def test_what_is_no_bar_and_what_is_a_test_is_not_shown(
    client: Client, store: Database[Document]
) -> None:
    put_bars(store, "AAPL", [1.0, 2.0])
    put_bars(store, "TEST", [1.0], source="integration-test")
    store.stock_prices.insert_one(
        {"_id": "AAPL|1d|9", "ticker": "AAPL", "interval": "1d", "indicators": {"mine": 1.0}}
    )
    put(store, [news("AAPL", "n1", START_MS, source="integration-test")])
    assert len((await get(client, "/api/tickers/AAPL/bars"))["bars"]) == 2
    assert [row["ticker"] for row in (await get(client, "/api/tickers"))["tickers"]] == ["AAPL"]
    assert (await get(client, "/api/tickers/AAPL/news"))["news"] == []


async def test_csv_is_a_frame_in_one_line(client: Client, store: Database[Document]) -> None:
    put_bars(store, "AAPL", [1.0, 2.0, 3.0])
    answer = await client.get("/api/tickers/AAPL/bars", params={"format": "csv", "limit": 2})
    assert answer.content_type == "text/csv"
    frame = pd.read_csv(io.StringIO(await answer.text()), index_col="time", parse_dates=True)
    assert frame.index[0] == pd.Timestamp("2024-01-02", tz="UTC")
    assert frame["close"].tolist() == [2.0, 3.0]
    assert frame["rsi"].tolist() == [51.0, 52.0]
    assert answer.headers["Link"].endswith('rel="next"')
    accepted = await client.get("/api/tickers/AAPL/bars", headers={"Accept": "text/csv"})
    assert accepted.content_type == "text/csv"


@pytest.mark.parametrize(
    "path",
    [
        "/api/tickers",
        "/api/tickers/AAPL",
        "/api/tickers/AAPL/news",
        "/api/tickers/AAPL/posts",
        "/api/tickers/AAPL/sentiment",
        "/api/tickers/AAPL/trend",
        "/api/alerts",
        "/api/economy",
        "/api/economy/UNRATE",
    ],
)
async def test_every_table_is_to_be_had_as_csv(
    path: str, client: Client, store: Database[Document]
) -> None:
    fill(store)
    text = await (await client.get(path, params={"format": "csv"})).text()
    assert len(pd.read_csv(io.StringIO(text))) >= 1


async def test_an_answer_that_has_not_changed_is_not_sent_again(
    client: Client, store: Database[Document]
) -> None:
    put_bars(store, "AAPL", [1.0, 2.0])
    first = await client.get("/api/tickers/AAPL/bars")
    known = {"If-None-Match": first.headers["ETag"]}
    again = await client.get("/api/tickers/AAPL/bars", headers=known)
    assert (again.status, await again.read()) == (304, b"")
    put_bars(store, "AAPL", [1.0, 2.5])
    assert (await client.get("/api/tickers/AAPL/bars", headers=known)).status == 200


async def test_news_in_pages_although_they_have_one_time(
    client: Client, store: Database[Document]
) -> None:
    put(store, (news("AAPL", f"n{i}", START_MS, sentiment=0.5) for i in range(7)))
    put(store, [news("MSFT", "other", START_MS)])
    found = await pages(client, "/api/tickers/AAPL/news", "news", limit=3)
    assert [len(page) for page in found] == [3, 3, 1]
    assert sorted(row["id"] for page in found for row in page) == [f"n{i}" for i in range(7)]


async def test_posts_of_both_platforms_in_pages(client: Client, store: Database[Document]) -> None:
    """Ids and times are the same on both: none is lost, none comes twice."""
    for platform in ("twitter", "reddit"):
        put(store, (post("AAPL", platform, f"p{i}", START_MS + i // 3) for i in range(9)))
    found = await pages(client, "/api/tickers/AAPL/posts", "posts", limit=4)
    rows = [(row["time"], row["platform"], row["id"]) for page in found for row in page]
    assert len(rows) == len(set(rows)) == 18
    assert [time for time, _, _ in rows] == sorted((t for t, _, _ in rows), reverse=True)
    only = await get(client, "/api/tickers/AAPL/posts", platform="reddit")
    assert {row["platform"] for row in only["posts"]} == {"reddit"}


async def test_sentiment_is_averaged_by_day_and_platform(
    client: Client, store: Database[Document]
) -> None:
    fill(store)
    rows = (await get(client, "/api/tickers/AAPL/sentiment"))["sentiment"]
    assert rows == [
        {"time": START_MS, "platform": "news", "sentiment": 0.25, "count": 2},
        {"time": START_MS + DAY_MS, "platform": "twitter", "sentiment": -0.5, "count": 1},
    ]
    hours = (await get(client, "/api/tickers/AAPL/sentiment", by="hour"))["sentiment"]
    assert [row["count"] for row in hours] == [1, 1, 1]


async def test_the_trend_and_its_history(client: Client, store: Database[Document]) -> None:
    steps = [trend("AAPL", START_MS + i, direction) for i, direction in enumerate(["up", "down"])]
    store_trends(store, steps)
    found = await get(client, "/api/tickers/AAPL/trend", limit=1)
    assert found["latest"]["direction"] == "down"
    assert found["latest"]["components"] == steps[1].components
    assert found["latest"]["reasons"] == steps[1].reasons
    assert [row["direction"] for row in found["history"]] == ["down"]
    older = await get(client, "/api/tickers/AAPL/trend", limit=1, cursor=found["next"])
    assert [row["direction"] for row in older["history"]] == ["up"]
    assert (await get(client, "/api/tickers/NOPE/trend"))["latest"] is None


async def test_alerts_in_pages_and_by_what_they_are(
    client: Client, store: Database[Document]
) -> None:
    put(store, (alert("AAPL", f"r{n}", START_MS + n // 2 * DAY_MS) for n in range(5)))
    put(store, [alert("MSFT", "r0", START_MS, {"ops": "failed: it answered 404"}, severity="info")])
    found = await pages(client, "/api/alerts", "alerts", limit=4)
    assert [len(page) for page in found] == [4, 2]
    rows = [row for page in found for row in page]
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    assert len({row["id"] for row in rows}) == 6
    (low,) = (await get(client, "/api/alerts", tickers="msft,NOPE"))["alerts"]
    assert (low["deliveries"], low["severity"]) == ({"ops": "failed: it answered 404"}, "info")
    assert low["values"] == {"rsi": 28.5, "news.latest": None}
    of_rule = (await get(client, "/api/alerts", rule="r0", severity="warning"))["alerts"]
    assert [row["id"] for row in of_rule] == [f"AAPL|r0|1d|{START_MS}"]
    later = (await get(client, "/api/alerts", **{"from": str(START_MS + DAY_MS)}))["alerts"]
    assert len(later) == 3


async def test_the_economy_shows_the_last_revision_and_the_period_before(
    client: Client, store: Database[Document]
) -> None:
    put(
        store,
        [
            observation("GDP", START_MS, 100.0, START_MS + DAY_MS),
            observation("GDP", START_MS + 90 * DAY_MS, 104.0, START_MS + 100 * DAY_MS),
            observation("GDP", START_MS + 90 * DAY_MS, 103.0, START_MS + 130 * DAY_MS, units="Bn"),
        ],
    )
    (row,) = (await get(client, "/api/economy"))["series"]
    assert (row["value"], row["previous"], row["units"]) == (103.0, 100.0, "Bn")
    found = await pages(client, "/api/economy/GDP", "observations", limit=2)
    assert [row["value"] for page in found for row in page] == [103.0, 104.0, 100.0]


@pytest.mark.parametrize(
    ("path", "field", "reason"),
    [
        ("/api/tickers?limit=0", "limit", "greater than or equal to 1"),
        ("/api/tickers?limit=201", "limit", "less than or equal to 200"),
        ("/api/tickers?limit=1&limit=2", "limit", "given twice"),
        ("/api/tickers?ticker[$ne]=x", "ticker[$ne]", "no such parameter"),
        ("/api/tickers?tickers=" + ",".join(f"T{n}" for n in range(201)), "tickers", "201"),
        ("/api/tickers/%7B%22$ne%22:1%7D/bars", "ticker", "match pattern"),
        ("/api/tickers/AAPL/bars?ticker=MSFT", "ticker", "given twice"),
        ("/api/tickers/AAPL/bars?limit=10001", "limit", "less than or equal to 10000"),
        ("/api/tickers/AAPL/bars?interval=$where", "interval", "match pattern"),
        ("/api/tickers/AAPL/bars?from=yesterday", "from", "ISO 8601"),
        ("/api/tickers/AAPL/bars?from=2024-01-05T09:30", "from", "no time zone"),
        ("/api/tickers/AAPL/bars?to=99999999999999999", "to", "out of range"),
        ("/api/tickers/AAPL/bars?from=2024-02-01&to=2024-01-01", "to", "before `from`"),
        ("/api/tickers/AAPL/sentiment?from=2024-02-01&to=2024-01-01", "to", "before `from`"),
        ("/api/tickers/AAPL/bars?indicators=rsi,$sum", "indicators", "match pattern"),
        ("/api/tickers/AAPL/bars?cursor=WzEsMl0", "cursor", "no cursor"),
        ("/api/tickers/AAPL/bars?cursor=%FF", "cursor", "no cursor"),
        ("/api/tickers/AAPL/bars?format=xml", "format", "'json' or 'csv'"),
        ("/api/tickers/AAPL/posts?platform=myspace", "platform", "'twitter' or 'reddit'"),
        ("/api/alerts?severity=bad", "severity", "'info', 'warning' or 'critical'"),
        ("/api/alerts?rule=" + "x" * 65, "rule", "{0,63}"),
        ("/api/economy/%7B%7D", "series", "match pattern"),
        ("/api/stream?tickers=AAPL&last_event_id=zz", "last_event_id", "match pattern"),
    ],
)
async def test_what_breaks_a_rule_is_named_with_its_remedy(
    path: str, field: str, reason: str, bare: Client
) -> None:
    answer = await bare.get(URL(path, encoded=True))
    error = (await answer.json())["error"]
    assert answer.status == 400
    assert error.keys() == {"field", "value", "reason", "remedy"}
    assert error["field"] == field
    assert reason in error["reason"]
    assert error["remedy"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/x", 404), ("POST", "/", 405)])
async def test_errors_of_the_server_have_the_same_shape(
    method: str, path: str, status: int, bare: Client
) -> None:
    answer = await bare.request(method, path)
    assert answer.status == status
    assert (await answer.json())["error"].keys() == {"field", "value", "reason", "remedy"}


async def test_people_get_errors_as_a_page_and_the_api_keeps_its_shape(bare: Client) -> None:
    people = {"Accept": "text/html,application/xhtml+xml"}
    page = await bare.get("/no<b>where", headers=people)
    text = await page.text()
    assert (page.status, page.content_type) == (404, "text/html")
    assert "404: not found" in text
    assert "&lt;b&gt;" in text and "<b>" not in text
    api = await bare.get("/api/tickers?limit=0", headers=people)
    assert (api.status, api.content_type) == (400, "application/json")


def fill(store: Database[Document]) -> None:
    """Something of everything about AAPL."""
    put_bars(store, "AAPL", [1.0, 2.0])
    hour = 3_600_000
    put(
        store,
        [
            news("AAPL", "n1", START_MS + hour, sentiment=1.0),
            news("AAPL", "n2", START_MS + 2 * hour, sentiment=-0.5),
            news("AAPL", "n3", START_MS + 3 * hour),
            post("AAPL", "twitter", "p1", START_MS + DAY_MS, sentiment=-0.5),
            observation("UNRATE", START_MS, 4.0, START_MS + DAY_MS),
        ],
    )
    store_trends(store, [trend("AAPL", START_MS)])
    put(store, [alert("AAPL", "low", START_MS)])
