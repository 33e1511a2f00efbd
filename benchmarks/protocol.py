"""What a contestant's process is told, and what it says: one line of JSON each way.

Standard library only: contestants run under other interpreters, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

#: The variable that holds the task.
VARIABLE = "BENCH_TASK"

READY = "@ready"
_SETTINGS = "@settings "
_SECONDS = "@seconds "

#: The settings of a worker of the program that bear on its rate; all others are its defaults.
_OF_A_WORKER = ("PUBLISH_SNAPSHOTS", "CHECKPOINT_INTERVAL_S", "TOPIC_PARTITIONS", "INDICATORS")


@dataclass(frozen=True, slots=True)
class Task:
    """What one contestant has to do.

    Attributes:
        kafka: ``host:port``.
        mongodb: connection string.
        database: where its documents go; made for it alone, the index of ``stock_prices`` included.
        group: its consumer group.
        topic: where the bars are.
        out_topic: where it publishes snapshots; None: it does not.
        bars: how many messages the topic holds when the contestant starts.
        tickers: how many tickers they are of.
        timed: how many of the messages count, for contestants that are given a slice.
        directory: for its files.
        eager: whether latency counts and not the rate.
        form: how the bars look (see `benchmarks.forms`).
    """

    kafka: str
    mongodb: str
    database: str
    group: str
    topic: str
    out_topic: str | None
    bars: int
    tickers: int
    timed: int
    directory: str
    eager: bool = False
    form: str = "usual"

    def environment(self) -> dict[str, str]:
        """The variable that hands this task to a process."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def given(cls) -> Self:
        """The task of this process.

        Raises:
            KeyError: nobody gave one; contestants are started by the benchmark.
        """
        return cls(**json.loads(os.environ[VARIABLE]))


def say_settings(settings: Mapping[str, Any]) -> None:
    """Tell with which settings this contestant runs."""
    print(f"{_SETTINGS}{json.dumps(dict(settings), default=str)}", flush=True)


def say_ready() -> None:
    """Tell that the first message that counts is in hand: the clock starts."""
    print(READY, flush=True)


def say_seconds(seconds: float) -> None:
    """Tell the result of a contestant that times itself."""
    print(f"{_SECONDS}{seconds!r}", flush=True)


def settings_in(log: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the log says of settings; where it does not, those that a worker was given."""
    found = _last(log, _SETTINGS)
    if found is None:
        return {name: environment[name] for name in _OF_A_WORKER if name in environment}
    settings: dict[str, Any] = json.loads(found)
    return settings


def seconds_in(log: Path) -> float | None:
    """The result that the log tells, or None."""
    found = _last(log, _SECONDS)
    return None if found is None else float(found)


def _last(log: Path, mark: str) -> str | None:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    # Faust puts a time and a level before everything that is printed.
    found = [line.partition(mark)[2] for line in lines if mark in line]
    return found[-1] if found else None
