"""The command `python -m chaos.controls`."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from chaos.controls.provoke import CONTROLS, provoke
from chaos.feed import Feed, Ledger
from chaos.judge import Case, Finding, judge, log
from chaos.messages import TOPICS, Stream
from chaos.workers import NAME, ROOT, Crew
from embedded import stack
from embedded.waiting import until

_TIMEOUT_S = 180.0


def main() -> int:
    """Run every control on servers of its own; 0 if the judge was right about each."""
    folder = ROOT / ".data" / "chaos" / "controls"
    right = True
    for app, kinds in CONTROLS.items():
        stack.reset(folder)
        servers = stack.up(folder, usual_ports=False)
        try:
            found = _findings(app, folder, servers)
        finally:
            servers.stop()
        seen = Counter(finding.kind for finding in found)
        caught = bool(kinds & seen.keys()) if kinds else not seen
        right = right and caught
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(seen.items())) or "nothing"
        what = "must find something" if kinds else "must find nothing"
        _say(f"{'ok ' if caught else 'NOT OK'} {app}: {what}, found: {counts}")
        if found:
            _say(f"     for example {found[0].kind}: {found[0].what}")
    return 0 if right else 1


def _findings(app: str, folder: Path, servers: stack.Stack) -> list[Finding]:
    assert servers.kafka is not None
    assert servers.mongodb is not None
    ledger = Ledger()
    kafka, mongodb = servers.kafka.address, servers.mongodb.address
    logs = folder / app
    shutil.rmtree(logs, ignore_errors=True)
    crew = Crew(logs, kafka, mongodb, app, replicas=1, checkpoint_interval_s=0.1)
    try:
        # The first worker makes the topics.
        first = crew.start_worker()
        _until(lambda: first.ready, f"ready; see {first.log}")
        crew.stop_worker(first)
        with MongoClient[dict[str, Any]](mongodb) as client:
            bars = client[NAME]["stock_prices"]
            feed = Feed(kafka, Stream(seed=3), ledger)
            provoke(feed, crew.start_worker, lambda: bars.count_documents({}))
        _until(lambda: not log.unfinished(kafka, NAME, TOPICS), "lag 0")
        return judge(Case(kafka, mongodb, NAME, NAME, ledger), crew.parameters, recomputed=False)
    finally:
        crew.end()


def _until(condition: Callable[[], bool], what: str) -> None:
    if not until(condition, _TIMEOUT_S):
        raise TimeoutError(f"not within {_TIMEOUT_S:g} s: {what}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
