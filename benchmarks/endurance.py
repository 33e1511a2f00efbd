"""A long lag worked through by one worker: whether rate and memory stay what they are."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.arena import Arena
from benchmarks.process import Process
from benchmarks.roster import OURS_WITH_SNAPSHOTS, WORKER_READY, worker
from pipeline.workers import COMMAND

_FIFTHS = 5
_BETWEEN_LOOKS_S = 0.5


def drain(place: Arena, tickers: int, bars: int) -> dict[str, Any]:
    """Return rate and memory over each fifth of ``bars`` messages that wait when a worker starts.

    The worker runs as it is shipped, snapshots included.

    Raises:
        ContestantFailed: it did not get to its end.
    """
    place.refill(tickers, bars)
    task = place.task(OURS_WITH_SNAPSHOTS, tickers=tickers, bars=bars)
    log = Path(task.directory) / "log.txt"
    #: Moment, documents and memory in MB at the end of each fifth.
    marks: list[tuple[float, int, float]] = []
    highest = looked = 0.0
    with Process("the worker", COMMAND, worker()(place, task), log) as process:
        marks.append((process.wait_for(WORKER_READY), 0, process.rss_mb()))

        def watch(documents: int) -> None:
            nonlocal highest, looked
            now = perf_counter()
            due = documents >= bars * len(marks) / _FIFTHS
            # A look at the memory costs milliseconds, which the worker would miss.
            if due or now > looked + _BETWEEN_LOOKS_S:
                memory, looked = process.rss_mb(), now
                highest = max(highest, memory)
                if due:
                    marks.append((now, documents, memory))

        place.wait_documents(task, bars, process, watch)
        end = place.wait_committed(task, process)
    place.drop(task)
    pairs = list(pairwise(marks))
    return {
        "bars": bars,
        "tickers": tickers,
        "bars_per_s": bars / (end - marks[0][0]),
        "bars_per_s_by_fifth": [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs],
        "rss_mb_at_start": marks[0][2],
        "rss_mb_by_fifth": [after[2] for _, after in pairs],
        "rss_mb_highest": highest,
    }
