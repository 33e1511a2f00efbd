"""Running one contestant on one round's bars, with a clock and a verifier."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import roster
from benchmarks.arena import Arena
from benchmarks.forms import USUAL, Form
from benchmarks.process import Process
from benchmarks.protocol import Task, seconds_in, settings_in
from benchmarks.roster import LOADER, WORKER_READY, Contestant
from benchmarks.verify import problems_of
from pipeline.workers import COMMAND
from topics import ALL_TOPICS, PRICE_HISTORY, STOCK_PRICES

#: No contestant takes longer for its share, in seconds.
LONGEST_S = 300.0


@dataclass(frozen=True, slots=True)
class Result:
    """What one contestant did in one round.

    Attributes:
        contestant: its name.
        bars: how many the clock counted.
        seconds: how long they took.
        cpu_s: processor time of its process from start to end of the clock; 0 if it ended itself.
        rss_mb: its resident memory at the end, in MB; 0 if it ended itself.
        load: the machine's load average, over a minute, before it started.
        settings: with which it ran, as far as it says so.
        problems: what is wrong with its documents; nothing where all is right.
    """

    contestant: str
    bars: int
    seconds: float
    cpu_s: float
    rss_mb: float
    load: float
    settings: dict[str, Any]
    problems: list[str]

    def asdict(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)


def run(
    place: Arena, contestant: Contestant, *, tickers: int, bars: int, form: Form = USUAL
) -> Result:
    """Let a contestant work through the topic; stop it, check its documents, drop them.

    Raises:
        ContestantFailed: it did not get to its end.
    """
    timed = max(1, round(bars * contestant.share))
    task = place.task(contestant.name, tickers=tickers, bars=bars, timed=timed, form=form)
    if contestant.ready == WORKER_READY:
        # A worker reads topics besides prices; what other runs left there is not its business.
        others = [spec.name for spec in ALL_TOPICS if spec is not STOCK_PRICES]
        place.begin_at_end(task.group, others)
    result = watch(place, contestant, task)
    place.drop(task)
    return result


def watch(place: Arena, contestant: Contestant, task: Task) -> Result:
    """Start a contestant, time it, stop it and check its documents, which stay.

    Raises:
        ContestantFailed: it did not get to its end.
    """
    load = os.getloadavg()[0]
    log = Path(task.directory) / "log.txt"
    environment = contestant.environment(place, task)
    with Process(contestant.name, contestant.command, environment, log) as process:
        start = process.wait_for(contestant.ready)
        cpu_before_s = process.cpu_s()
        counted, seconds = _timed(place, contestant, task, process, start)
        cpu_s, rss_mb = max(0.0, process.cpu_s() - cpu_before_s), process.rss_mb()
        if contestant.clock == "slice":
            # It would go on for minutes before it stops.
            process.kill()
    return Result(
        contestant=contestant.name,
        bars=counted,
        seconds=seconds,
        cpu_s=cpu_s,
        rss_mb=rss_mb,
        load=load,
        settings=settings_in(log, environment),
        problems=problems_of(place.database(task), contestant, task, counted),
    )


def run_load(place: Arena, *, tickers: int, bars: int) -> Result:
    """Have a worker follow an initial load, which leaves its bars on `price-history`.

    Raises:
        ContestantFailed: one of the two did not get to its end.
    """
    task = replace(place.task(LOADER.name, tickers=tickers, bars=bars), topic=PRICE_HISTORY.name)
    load = os.getloadavg()[0]
    place.begin_at_end(task.group, [spec.name for spec in ALL_TOPICS])
    log = Path(task.directory) / "log.txt"
    worker_log = log.with_name("worker.txt")
    environment = roster.worker()(place, task)
    with Process("the worker of the load", COMMAND, environment, worker_log) as process:
        process.wait_for(WORKER_READY)
        cpu_before_s = process.cpu_s()
        with Process(LOADER.name, LOADER.command, LOADER.environment(place, task), log) as loader:
            start = loader.wait_for(LOADER.ready)
            place.wait_documents(task, bars, process)
            seconds = place.wait_committed(task, process) - start
            loader.wait_end(LONGEST_S)
        cpu_s, rss_mb = process.cpu_s() - cpu_before_s, process.rss_mb()
    result = Result(
        contestant=LOADER.name,
        bars=bars,
        seconds=seconds,
        cpu_s=cpu_s,
        rss_mb=rss_mb,
        load=load,
        settings=settings_in(log, environment),
        problems=problems_of(place.database(task), LOADER, task, bars),
    )
    place.drop(task)
    return result


def _timed(
    place: Arena, contestant: Contestant, task: Task, process: Process, start: float
) -> tuple[int, float]:
    """The number of bars that count, and the seconds that they took."""
    if contestant.clock == "own":
        process.wait_end(LONGEST_S)
        seconds = seconds_in(process.log)
        if seconds is None:
            raise process.failure("ended without a result")
        return task.timed, seconds
    place.wait_documents(task, task.timed, process)
    if contestant.clock == "slice":
        # It goes on meanwhile: what is there now took until now.
        return place.documents(task), perf_counter() - start
    return task.timed, place.wait_committed(task, process) - start
