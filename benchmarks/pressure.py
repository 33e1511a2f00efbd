"""A MongoDB ten times slower than what comes: a worker's memory, membership and lag meanwhile.

python -m benchmarks.pressure
"""

from __future__ import annotations

import json
import sys
import threading
import time
import urllib.request
from pathlib import Path
from time import perf_counter
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from pymongo.uri_parser import parse_uri
from rich.console import Console

from benchmarks import results, workload
from benchmarks.arena import Arena, arena
from benchmarks.errors import ContestantFailed
from benchmarks.process import Process
from benchmarks.protocol import Task
from benchmarks.roster import OURS_WITH_SNAPSHOTS, WORKER_READY, free_port
from benchmarks.slow import SlowNetwork
from pipeline.environment import environment
from pipeline.workers import COMMAND
from topics import STOCK_PRICES

TICKERS = 200
#: What comes, in bars a second, and for how long.
RATE_PER_S, SECONDS = 2_000, 60
#: What MongoDB takes meanwhile: a tenth of it, at some 700 bytes a bar.
BYTES_PER_S = RATE_PER_S / 10 * 700
TARGET = results.FOLDER / "pressure.json"

_HOST = "127.0.0.1"


def main() -> None:
    """Measure, print, keep; exit code 1 where anything is not as promised."""
    results.FOLDER.mkdir(exist_ok=True)
    try:
        with arena() as place:
            found = slow_mongodb(place)
    except ContestantFailed as error:
        sys.exit(f"error: {error}")
    TARGET.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    Console().print(
        f"{found['bars']:,} bars at {RATE_PER_S:,}/s into a MongoDB that took "
        f"{found['stored_meanwhile'] / SECONDS:,.0f}/s for {SECONDS} s: memory "
        f"{found['rss_mb_before']:.0f} MB before and {found['rss_mb_highest']:.0f} MB at most, lag "
        f"up to {found['lag_highest']:,} (/metrics said {found['lag_shown']:,}), "
        f"{found['rebalances']} rebalances, {found['epochs']} times back to a checkpoint; then all "
        f"stored after {found['caught_up_s']:.1f} s\nkept in {TARGET}",
        highlight=False,
    )
    wrong = found["rebalances"] or found["epochs"] or found["lag_shown"] != found["lag_highest"]
    sys.exit(1 if wrong else 0)


def slow_mongodb(place: Arena) -> dict[str, Any]:
    """Return what a worker did while MongoDB was slow, and how soon it had caught up.

    Raises:
        ContestantFailed: it ended, or did not store everything in the end.
    """
    place.refill(TICKERS, 0)
    bars = RATE_PER_S * SECONDS
    task = place.task(OURS_WITH_SNAPSHOTS, tickers=TICKERS, bars=bars)
    host, port = parse_uri(place.settings.mongodb_uri.get_secret_value())["nodelist"][0]
    web_port = free_port()
    with SlowNetwork(host, port) as network:
        uri = f"mongodb://{_HOST}:{network.port}/?directConnection=true"
        settings = environment(
            place.settings.model_copy(update={"mongodb_uri": SecretStr(uri)}),
            app_id=task.group,
            mongodb_database=task.database,
            web_port=web_port,
            data_dir=Path(task.directory) / "worker",
        )
        log = Path(task.directory) / "log.txt"
        with Process("the worker", COMMAND, settings, log) as process:
            process.wait_for(WORKER_READY)
            found = _under_pressure(place, task, process, network, web_port)
            start = perf_counter()
            network.bytes_per_s = None
            place.wait_documents(task, bars, process)
            found["caught_up_s"] = place.wait_committed(task, process) - start
            after = metrics(web_port)
    place.drop(task)
    found["rebalances"] = int(after["rebalances_total"] - found.pop("rebalances_before"))
    found["epochs"] = int(after["epochs_total"] - found.pop("epochs_before"))
    return {"bars": bars} | found


def _under_pressure(
    place: Arena, task: Task, process: Process, network: SlowNetwork, web_port: int
) -> dict[str, Any]:
    before = metrics(web_port)
    start_mb = highest_mb = process.rss_mb()
    network.bytes_per_s = BYTES_PER_S
    sending = threading.Thread(target=_send, args=(place,))
    sending.start()
    while sending.is_alive():
        process.check()
        highest_mb = max(highest_mb, process.rss_mb())
        time.sleep(0.5)
    sending.join()
    stored = place.documents(task)
    shown, lag = -1, 0
    # Nothing comes any more, but a checkpoint may be made between the two looks.
    for _ in range(20):
        lag = place.broker.lag(task.group, [STOCK_PRICES.name])[STOCK_PRICES.name]
        shown = int(metrics(web_port)["lag"])
        if shown == lag:
            break
    return {
        "rss_mb_before": start_mb,
        "rss_mb_highest": max(highest_mb, process.rss_mb()),
        "stored_meanwhile": stored,
        "lag_highest": lag,
        "lag_shown": shown,
        "rebalances_before": before["rebalances_total"],
        "epochs_before": before["epochs_total"],
    }


def _send(place: Arena) -> None:
    """Send a tenth of a second's bars ten times a second."""
    at_once = RATE_PER_S // 10
    start = perf_counter()
    for number in range(SECONDS * 10):
        early = start + number / 10 - perf_counter()
        if early > 0:
            time.sleep(early)
        # One bar of each ticker, the next of each the next time.
        workload.produce(place.settings, STOCK_PRICES.name, TICKERS, at_once, first_index=number)


def metrics(port: int) -> dict[str, float]:
    """Return what a worker counts, by name without its prefix; ``lag`` is that of all prices."""
    with urllib.request.urlopen(f"http://{_HOST}:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {"lag": 0.0}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removeprefix("financial_trends_")
            found[name] = sample.value
            if name == "lag_messages" and sample.labels["topic"] == STOCK_PRICES.name:
                found["lag"] += sample.value
    return found


if __name__ == "__main__":
    main()
