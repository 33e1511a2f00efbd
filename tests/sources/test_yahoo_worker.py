"""Yahoo in real workers: warm-up, names, dividends and splits, each once, whoever is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from embedded.locate import Servers
from models import Bar
from sinks.documents import as_ms
from tests.deployment import Deployment, Worker
from tests.eventually import eventually
from tests.sources.providers.server import Request
from tests.sources.providers.yahoo import BROKEN, CHART, Chart, YahooServer, row
from tests.verify import wrong

pytestmark = [pytest.mark.integration, pytest.mark.long]

DAY_S, HOUR_S = 86_400, 3_600
#: Of exchanges without a calendar here, so polled on any day.
TICKERS = ("PETR4.SA", "VALE3.SA")
BARS = 620


@pytest.fixture
def yahoo() -> Iterator[YahooServer]:
    """Two shares with bars of a day and of an hour, and one whose answers are errors.

    The last bar has not begun, so that there is one that has, should its time come meanwhile.
    """
    with YahooServer() as server:
        today = int(time.time()) // DAY_S * DAY_S
        for ticker in TICKERS:
            rows = [row(today - DAY_S * back, 50.0 + back % 17) for back in range(BARS, -2, -1)]
            server.charts[ticker] = Chart(rows, zone="UTC", long_name=f"{ticker} Company Inc.")
            hour = int(time.time()) // HOUR_S * HOUR_S
            rows = [row(hour - HOUR_S * back, 50.0 + back % 13) for back in range(BARS, -2, -1)]
            days = range(today - 30 * DAY_S, today + DAY_S + 1, DAY_S)
            sessions = [(day, day + DAY_S - 1) for day in days]
            server.charts[f"{ticker} 1h"] = Chart(rows, zone="UTC", sessions=sessions)
        server.on(f"{CHART}BAD3.SA", BROKEN)
        yield server


@pytest.fixture
def deployment(servers: Servers, yahoo: YahooServer, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(
        servers,
        tmp_path,
        tickers=",".join([*TICKERS, "BAD3.SA"]),
        more_bar_intervals="1h",
        price_source="yahoo",
        poll_interval_s=0.5,
        yahoo_base_url=yahoo.url,
        checkpoint_interval_s=0.2,
    )
    yield made
    made.close()


def closed(deployment: Deployment, ticker: str) -> list[Bar]:
    """The closed bars that are stored."""
    found = deployment.database["stock_prices"].find({"ticker": ticker, "closed": True})
    return [
        Bar(
            ticker=ticker,
            interval=one["interval"],
            time=as_ms(one["time"]),
            ingested=0,
            **{
                name: one[name]
                for name in ("open", "high", "low", "close", "volume", "source", "adjusted_close")
            },
        )
        for one in found
    ]


def polls(yahoo: YahooServer) -> list[Request]:
    """The requests for the prices of the two shares."""
    return [request for ticker in TICKERS for request in yahoo.polls(ticker)]


def recomputed(deployment: Deployment, ticker: str) -> int:
    """How often any worker says that it has recomputed a ticker."""
    return sum(
        worker.log.read_text(errors="replace").count(f"recomputed {ticker}")
        for worker in deployment.workers
    )


def adjusted(deployment: Deployment, ticker: str, mark: str = "adjusted") -> int:
    """The day of the last adjustment that is marked, ms; 0 before the first."""
    found = deployment.database["source_cursors"].find_one({"_id": f"yahoo {mark}|{ticker}"})
    return 0 if found is None else as_ms(found["since"])


def warm(deployment: Deployment, worker: Worker) -> None:
    """Return once both tickers' past is stored, and today's bar."""
    prices = deployment.database["stock_prices"]
    for ticker in TICKERS:
        for interval in ("1d", "1h"):
            where = {"ticker": ticker, "interval": interval}
            live = partial(prices.find_one, where | {"closed": False})
            eventually(live, f"{ticker} live\n{worker.tail()}")
            assert prices.count_documents(where | {"closed": True}) >= 500


def test_a_new_ticker_is_warm_before_its_first_live_bar(
    deployment: Deployment, yahoo: YahooServer
) -> None:
    """500 bars come first; a restart goes on from the cursor; the names are known."""
    worker = deployment.start_worker()
    warm(deployment, worker)
    for live in deployment.database["stock_prices"].find({"closed": False}):
        assert None not in live["indicators"].values()
    said = "not followed yet: Yahoo: BAD3.SA: HTTP 500"
    eventually(lambda: worker.says(said), f"{said}\n{worker.tail()}")
    assert worker.stop() == 0
    for ticker in TICKERS:
        assert wrong_closed(deployment, ticker) == []
    names = {one["_id"]: one["name"] for one in deployment.database["company_names"].find()}
    assert names == {ticker: f"{ticker} Company Inc." for ticker in TICKERS}

    before = len(polls(yahoo))
    worker = deployment.start_worker()
    eventually(lambda: len(polls(yahoo)) > before + 5, f"polls again\n{worker.tail()}")
    since = [int(request.value("period1")) for request in polls(yahoo)[before:]]
    assert min(since) > time.time() - 5 * DAY_S
    assert not worker.says("warm it up")


def wrong_closed(deployment: Deployment, ticker: str) -> list[str]:
    """What differs between the stored bars and what Yahoo says, or from their right indicators."""
    deployment.database["stock_prices"].delete_many({"ticker": ticker, "closed": False})
    return wrong(deployment.database, closed(deployment, ticker), deployment.settings.indicators)


def test_a_split_mends_what_is_stored_once(deployment: Deployment, yahoo: YahooServer) -> None:
    """Two workers: the owner alone stores the bars again and recomputes; no restart repeats it."""
    workers = [deployment.start_worker()]
    warm(deployment, workers[0])
    # Only now: a ticker that moves while its past is loaded is loaded again, split and all.
    workers.append(deployment.start_worker())
    workers[1].wait_ready()
    split, other = TICKERS
    chart = yahoo.charts[split]
    today = chart.rows[-2][0]
    chart.split(today, 4, 1)
    hours = yahoo.charts[f"{split} 1h"]
    hours.split(hours.rows[-2][0], 4, 1)
    eventually(lambda: adjusted(deployment, split), f"adjusted\n{workers[0].tail()}")
    assert adjusted(deployment, split) == today * 1000
    deployment.drained()
    assert sum(worker.says(f"{split}: the dividend or split of") for worker in workers) == 1
    for worker in workers:
        assert worker.stop() == 0

    stored = {(bar.interval, bar.time): bar for bar in closed(deployment, split)}
    for interval, rows in (("1d", chart.rows), ("1h", hours.rows)):
        for at, opening, *_, volume, _ in rows[-500:-3]:
            assert stored[interval, at * 1000].open == opening
            assert stored[interval, at * 1000].volume == volume
    assert recomputed(deployment, split) == 1
    assert recomputed(deployment, other) == 0

    before = len(yahoo.polls(split))
    worker = deployment.start_worker()
    eventually(lambda: len(yahoo.polls(split)) > before + 3, f"polls again\n{worker.tail()}")
    assert worker.stop() == 0
    assert recomputed(deployment, split) == 1
    assert wrong_closed(deployment, split) == []


def test_a_dividend_changes_adjusted_closes(deployment: Deployment, yahoo: YahooServer) -> None:
    """A worker killed in the middle leaves a mark, by which the next one finishes."""
    worker = deployment.start_worker()
    warm(deployment, worker)
    ticker = TICKERS[1]
    chart = yahoo.charts[ticker]
    chart.pay(chart.rows[-2][0], 0.02)
    eventually(lambda: adjusted(deployment, ticker, "adjusting"), f"begun\n{worker.tail()}")
    worker.kill()
    worker = deployment.start_worker()
    eventually(lambda: adjusted(deployment, ticker), f"adjusted\n{worker.tail()}")
    deployment.drained()
    assert worker.stop() == 0
    stored = {bar.time: bar for bar in closed(deployment, ticker) if bar.interval == "1d"}
    for at, *_, close, _, adjusted_close in chart.rows[-500:-2]:
        assert stored[at * 1000].adjusted_close == adjusted_close
        assert stored[at * 1000].close == close
    assert recomputed(deployment, ticker) >= 1
    assert wrong_closed(deployment, ticker) == []
