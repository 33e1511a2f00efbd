"""Providers that flood: a worker's memory, membership, lag and answers meanwhile.

python -m benchmarks.flood
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from rich.console import Console
from rich.table import Table

from benchmarks import results
from benchmarks.arena import Arena, arena
from benchmarks.errors import ContestantFailed
from benchmarks.flooding import (
    FloodingFeeds,
    FloodingFred,
    FloodingReddit,
    FloodingYahoo,
    QuietTwitter,
)
from benchmarks.process import Process
from benchmarks.protocol import Task
from benchmarks.roster import WORKER_READY, free_port
from pipeline.environment import environment
from pipeline.workers import COMMAND
from tests.sources.providers import fred, reddit, twitter
from tests.sources.providers.server import Answer, LocalServer
from topics import CONSUMED

TICKERS = tuple(f"F{number:02}.SA" for number in range(50))
SECONDS = 40
#: Seconds between two polls of each source.
POLL_S = 2.0
#: By how much memory may rise: what all sources together may have in hand, see docs/sources.md.
MOST_RISE_MB = 800
TARGET = results.FOLDER / "flood.json"
#: What each source's records become.
STORED = {
    "yahoo": "stock_prices",
    "rss": "news",
    "reddit": "reddit_sentiment",
    "fred": "economic_indicators",
}

_HOST = "127.0.0.1"
#: Longest time to work off what has come, in seconds.
_PATIENCE_S = 600.0


def main() -> None:
    """Measure, print, keep; exit code 1 where anything is not as promised."""
    results.FOLDER.mkdir(exist_ok=True)
    try:
        with arena() as place:
            found = flood(place, SECONDS)
    except ContestantFailed as error:
        sys.exit(f"error: {error}")
    TARGET.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    table = Table("", "found", title=f"Four providers flood for {SECONDS} s")
    for name, value in found.items():
        shown = f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
        table.add_row(name.replace("_", " "), shown)
    Console().print(table, f"kept in {TARGET}")
    sys.exit(1 if wrong(found) else 0)


def wrong(found: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    promised = ("rebalances", "epochs", "dead_letters", "lag_wrongly_shown", "not_stored")
    broken = [name for name in promised if found[name]]
    if found["rss_mb_highest"] - found["rss_mb_before"] > MOST_RISE_MB:
        broken.append("memory")
    return broken


def flood(place: Arena, seconds: float) -> dict[str, Any]:
    """Return what a worker did while four providers flooded it, and how soon it had caught up.

    Raises:
        ContestantFailed: it ended, or did not catch up.
    """
    place.refill(0, 0)
    task = place.task("flood", tickers=len(TICKERS), bars=0)
    port = free_port()
    with ExitStack() as stack:
        feeds, prices, posts, series, quiet = (
            stack.enter_context(server)
            for server in (
                FloodingFeeds(), FloodingYahoo(), FloodingReddit(), FloodingFred(), QuietTwitter()
            )
        )  # fmt: skip
        settings = environment(
            place.settings,
            app_id=task.group,
            mongodb_database=task.database,
            web_port=port,
            data_dir=Path(task.directory) / "worker",
            tickers=TICKERS,
            price_source="yahoo",
            bar_interval="1m",
            poll_interval_s=POLL_S,
            yahoo_base_url=prices.url,
            news_source="rss",
            yahoo_rss_base_url=feeds.url,
            news_poll_interval_s=POLL_S,
            fred_api_key=fred.API_KEY,
            fred_base_url=f"{series.url}/fred",
            economic_poll_interval_s=POLL_S,
            reddit_client_id=reddit.CLIENT_ID,
            reddit_client_secret=reddit.CLIENT_SECRET,
            reddit_base_url=posts.url,
            twitter_bearer_token=twitter.TOKEN,
            twitter_base_url=quiet.url,
            twitter_daily_posts=1_000_000,
            social_poll_interval_s=POLL_S,
        )
        log = Path(task.directory) / "log.txt"
        with Process("the worker", COMMAND, settings, log) as process:
            process.wait_for(WORKER_READY)
            joined = _count(port, "rebalances_total")
            found = _watched(process, port, seconds)
            for server in (feeds, prices, posts, series):
                _dry(server)
            found["quiet_source_longest_gap_s"] = _longest_gap(quiet)
            found |= _lag(place, task, port)
            found["caught_up_s"], highest = _caught_up(place, task, process)
            found["rss_mb_highest"] = max(found["rss_mb_highest"], highest)
            found |= _accounts(place, task, port)
            found["rebalances"] -= joined
    place.drop(task)
    return found


def _dry(server: LocalServer) -> None:
    """Have a provider refuse everything from now on."""
    server.answer = lambda request: Answer(503)  # type: ignore[method-assign]  # noqa: ARG005


def _watched(process: Process, port: int, seconds: float) -> dict[str, Any]:
    """Look at a worker for so long."""
    start, start_mb = perf_counter(), process.rss_mb()
    highest, looks, slowest = start_mb, 0, {"/": 0.0, "/health/live": 0.0}
    while perf_counter() - start < seconds:
        process.check()
        slowest = {path: max(most, _asked_s(port, path)) for path, most in slowest.items()}
        highest = max(highest, process.rss_mb())
        looks += 1
        time.sleep(0.25)
    return {
        "rss_mb_before": start_mb,
        "rss_mb_highest": highest,
        "page_slowest_s": slowest["/"],
        "health_slowest_s": slowest["/health/live"],
        "looks": looks,
    }


def _asked_s(port: int, path: str) -> float:
    start = perf_counter()
    with urllib.request.urlopen(f"http://{_HOST}:{port}{path}", timeout=60) as answer:
        answer.read()
    return perf_counter() - start


def _longest_gap(quiet: LocalServer) -> float:
    """Return the longest time between two polls of the first ticker, in seconds."""
    polls = [one.at for one in quiet.asked(twitter.SEARCH) if TICKERS[0] in one.value("query")]
    return max((later - earlier for earlier, later in pairwise(polls)), default=float("inf"))


def _lag(place: Arena, task: Task, port: int) -> dict[str, Any]:
    """Return the lag when nothing comes any more, and whether /metrics says the same."""
    found = {"lag_highest": 0, "lag_wrongly_shown": 1}
    for _ in range(20):
        before = sum(place.broker.lag(task.group, CONSUMED).values())
        shown = int(sum(s.value for s in samples(port, "lag_messages")))
        after = sum(place.broker.lag(task.group, CONSUMED).values())
        found["lag_highest"] = max(found["lag_highest"], before, after)
        # It is worked off meanwhile, or what was fetched still comes: it lies between two looks.
        if min(before, after) <= shown <= max(before, after):
            return found | {"lag_shown": shown, "lag_wrongly_shown": 0}
    return found | {"lag_shown": shown}


def _caught_up(place: Arena, task: Task, process: Process) -> tuple[float, float]:
    """Return after how many seconds everything was processed and committed, and the memory."""
    start, highest = perf_counter(), 0.0
    while any(place.broker.lag(task.group, CONSUMED).values()):
        process.check()
        highest = max(highest, process.rss_mb())
        if perf_counter() - start > _PATIENCE_S:
            raise process.failure(f"has not caught up after {_PATIENCE_S:g} s")
        time.sleep(0.25)
    return perf_counter() - start, highest


def _accounts(place: Arena, task: Task, port: int) -> dict[str, Any]:
    """Return what was sent and stored, and what must not have happened."""
    database = place.database(task)
    sent = {s.labels["source"]: int(s.value) for s in samples(port, "source_records_total")}
    stored = {name: database[kind].estimated_document_count() for name, kind in STORED.items()}
    # A forming bar is sent several times; of the others nothing comes twice.
    once = ("rss", "reddit", "fred")
    return {
        **{f"sent_{name}": count for name, count in sent.items()},
        **{f"stored_{name}": count for name, count in stored.items()},
        "not_stored": sum(max(0, sent[name] - stored[name]) for name in once),
        "dead_letters": database["dead_letters"].estimated_document_count(),
        "rebalances": _count(port, "rebalances_total"),
        "epochs": _count(port, "epochs_total"),
    }


def _count(port: int, name: str) -> int:
    return int(sum(sample.value for sample in samples(port, name)))


def samples(port: int, name: str) -> Iterator[Sample]:
    """Yield what /metrics says under a name, without its prefix."""
    with urllib.request.urlopen(f"http://{_HOST}:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"financial_trends_{name}":
                yield sample


if __name__ == "__main__":
    main()
