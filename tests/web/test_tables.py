"""A look into the tables of several workers, one of which dies."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from indicators import INDICATORS
from tests.deployment import Deployment, Worker
from tests.eventually import eventually
from tests.integration.conftest import Deploy, deploy
from tests.verify import random_bars

pytestmark = pytest.mark.integration
__all__ = ["deploy"]

TICKERS = [f"T{n}" for n in range(16)]
TOKEN = "a-token-of-24-characters"  # noqa: S105 - of nobody


@pytest.fixture
def deployment(deploy: Deploy) -> Deployment:
    """Three workers with a token, and a table whose rows they share."""
    made = deploy(checkpoint_interval_s=0.1)
    for _ in range(3):
        made.start_worker(WEB_TOKEN=TOKEN)
    for worker in made.workers:
        worker.wait_ready()
    made.send_bars(random_bars(TICKERS, 30))
    made.drained()
    return made


def ask(worker: Worker, path: str, **headers: str) -> httpx.Response:
    """Ask one worker, as a program that has the token."""
    known = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.get(f"http://127.0.0.1:{worker.port}{path}", headers=known | headers, timeout=20)


def stored(deployment: Deployment, ticker: str) -> Any:
    """The indicators at the last stored bar of a ticker."""
    found = deployment.database["stock_prices"].find({"ticker": ticker})
    return max(found, key=lambda document: document["time"])["indicators"]


@pytest.mark.long
def test_any_worker_knows_any_key_also_when_one_is_killed(deployment: Deployment) -> None:
    """Every answer is the right row, or 503 with the time to ask again; never a wrong one."""
    expected = {ticker: stored(deployment, ticker) for ticker in TICKERS}
    outputs = {name for kind in INDICATORS.values() for name in kind.outputs}
    for worker in deployment.workers:
        for ticker in TICKERS:
            answer = ask(worker, f"/tables/indicators/{ticker}")
            assert answer.status_code == 200, answer.text
            values = answer.json()["row"]["intervals"]["1m"]["values"]
            assert values.keys() == outputs
            assert values == expected[ticker]
    held = [ask(worker, "/tables/").json()["tables"][0]["rows"] for worker in deployment.workers]
    assert sum(held) == len(TICKERS)
    assert max(held) < len(TICKERS)

    victim, *others = deployment.workers
    lost = ask(victim, "/tables/indicators/").json()["keys"]
    assert lost
    victim.kill()
    unknown = set(lost)
    deadline = time.monotonic() + 60
    seen = set()
    while unknown and time.monotonic() < deadline:
        for ticker in sorted(unknown):
            answers = [ask(worker, f"/tables/indicators/{ticker}") for worker in others]
            for answer in answers:
                seen.add(answer.status_code)
                assert answer.status_code in (200, 503), answer.text
                if answer.status_code == 503:
                    assert int(answer.headers["Retry-After"]) > 0
                    assert answer.json()["error"]["value"] == ticker
                else:
                    row = answer.json()["row"]
                    assert row["intervals"]["1m"]["values"] == expected[ticker]
            if all(answer.status_code == 200 for answer in answers):
                unknown.discard(ticker)
    assert unknown == set()
    assert seen == {200, 503}


def test_pages_for_people(deployment: Deployment) -> None:
    """They list, find and show; what is unknown is said in the one shape."""
    worker = deployment.workers[0]
    people = {"Accept": "text/html"}
    assert "indicators" in ask(worker, "/tables/", **people).text
    listing = ask(worker, "/tables/indicators/", **people).text
    keys = ask(worker, "/tables/indicators/").json()["keys"]
    assert all(f'href="/tables/indicators/{key}"' in listing for key in keys)
    page = ask(worker, f"/tables/indicators/{TICKERS[0]}", **people).text
    assert "<th>macd_signal</th>" in page
    found = ask(worker, "/tables/indicators/find?key=t3", **people)
    assert (found.status_code, found.headers["Location"]) == (302, "/tables/indicators/T3")
    nothing = ask(worker, "/tables/indicators/NOPE")
    assert (nothing.status_code, nothing.json()["error"]["field"]) == (404, "key")
    hostile = ask(worker, "/tables/indicators/%3Cscript%3E", **people)
    assert hostile.status_code == 404
    assert "404: the table has no such row" in hostile.text
    assert "&lt;script&gt;" in hostile.text and "<script" not in hostile.text
    remedy = ask(worker, "/tables/nothing/").json()["error"]["remedy"]
    assert remedy.startswith("there are: indicators, ")


def test_fausts_own_pages_are_guarded_too(deployment: Deployment) -> None:
    """The token is passed on to the owner of a key, so any worker answers there as well."""
    for worker in deployment.workers:
        address = f"http://127.0.0.1:{worker.port}"
        for path in ("/table/", "/router/", "/table/indicators/T1/", "/tables/", "/"):
            refused = httpx.get(address + path)
            assert refused.status_code == 401
            assert refused.headers["Cache-Control"] == "no-store"
        assert ask(worker, "/table/indicators/T1/").json()["intervals"]["1m"]["values"]
        evil = httpx.get(address + "/table/", headers={"Host": "evil.example"})
        assert evil.status_code == 421


def test_an_open_worker_without_a_token_does_not_start(deploy: Deploy) -> None:
    """One line, before anything is processed."""
    worker = deploy().start_worker(WEB_HOST="0.0.0.0")  # noqa: S104 - that is the test
    assert worker.process.wait(60) != 0
    lines = [line for line in worker.tail().splitlines() if "error:" in line]
    assert len(lines) == 1
    assert "WEB_HOST is '0.0.0.0'" in lines[0]
    assert "Traceback" not in worker.tail()


def test_a_worker_stops_at_once_although_somebody_listens(deploy: Deploy) -> None:
    deployment = deploy()
    worker = deployment.start_worker()
    worker.wait_ready()
    address = f"http://127.0.0.1:{worker.port}/api/stream"
    with httpx.stream("GET", address, timeout=20) as answer:
        lines = answer.iter_lines()
        eventually(lambda: next(lines).startswith("event: hello"), "the stream begins")
        began = time.monotonic()
        worker.stop()
    assert time.monotonic() - began < 15
