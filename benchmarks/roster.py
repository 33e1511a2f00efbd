"""Who takes part, and how each is started.

The order is that of the table. What each does, and why it is fair: docs/benchmarks.md.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.arena import Arena
from benchmarks.process import ROOT
from benchmarks.protocol import READY, Task
from pipeline.environment import environment
from pipeline.workers import COMMAND

#: Where `make bench` installs Quix Streams, which pins an older confluent-kafka.
QUIX_PYTHON = ROOT / ".venv" / "quixstreams" / "bin" / "python"

OURS = "financial_trends"
OURS_WITH_SNAPSHOTS = "financial_trends_with_snapshots"
QUIX = "quixstreams"
FAUST_MANUAL = "faust_manual"
RECOMPUTE = "pandas_ta_recompute"
INSERT_MANY = "insert_many"
CONFLUENT_LOOP = "confluent_loop"
AIOKAFKA_LOOP = "aiokafka_loop"
BACKFILL = "backfill"

#: What a worker of Faust says once it has its partitions and fetches.
WORKER_READY = "Worker ready"

Environment = Callable[[Arena, Task], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One row of the table.

    Attributes:
        name: in the results.
        title: in the table.
        command: its process.
        environment: what the process finds in its environment.
        ready: what its log says when the clock starts.
        clock: ``drained``: until all documents are readable and all offsets committed. ``slice``:
            until the documents of its slice are readable. ``own``: it times itself.
        share: the part of the bars that it is given.
        slice_at: whether its slice is the first or the last part of the topic.
        stores: whether it leaves documents.
        window: the bars from which it computes; None: all that came before.
    """

    name: str
    title: str
    command: tuple[str, ...]
    environment: Environment
    ready: str = READY
    clock: Literal["drained", "slice", "own"] = "drained"
    share: float = 1.0
    slice_at: Literal["first", "last"] = "first"
    stores: bool = True
    window: int | None = None


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def worker(publish_snapshots: bool = True, index: int = 0) -> Environment:
    """The environment of a worker of the program, as its scripts make it.

    Args:
        publish_snapshots: whether it has the default there, or does what the others do and no more.
        index: its number, where there are several.
    """

    def made(place: Arena, task: Task) -> dict[str, str]:
        settings: dict[str, Any] = {
            "app_id": task.group,
            "mongodb_database": task.database,
            "publish_snapshots": publish_snapshots,
            "web_port": free_port(),
            "data_dir": Path(task.directory) / f"worker-{index}",
        }
        return environment(place.settings, **settings)

    return made


def _given(_: Arena, task: Task) -> dict[str, str]:
    return task.environment()


def _module(name: str, python: str = sys.executable) -> tuple[str, ...]:
    return (python, "-m", f"benchmarks.contestants.{name}")


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        OURS,
        "this program, no snapshots",
        COMMAND,
        worker(publish_snapshots=False),
        ready=WORKER_READY,
    ),
    Contestant(
        OURS_WITH_SNAPSHOTS,
        "this program, as shipped",
        COMMAND,
        worker(),
        ready=WORKER_READY,
    ),
    Contestant(
        QUIX,
        "Quix Streams, its MongoDB sink",
        _module("quixstreams", str(QUIX_PYTHON)),
        _given,
    ),
    Contestant(
        FAUST_MANUAL,
        "Faust as in its manual",
        (
            *(sys.executable, "-m", "faust", "-A", "benchmarks.contestants.faust_manual"),
            *("-L", "uvloop", "worker", "--without-web", "-l", "warn"),
        ),
        _given,
        clock="slice",
        share=0.1,
    ),
    Contestant(
        RECOMPUTE,
        "ta over 200 bars, replace_one",
        _module("pandas_ta_recompute"),
        _given,
        clock="slice",
        share=0.005,
        slice_at="last",
        window=200,
    ),
    Contestant(
        INSERT_MANY, "limit: insert_many alone", _module("insert_many"), _given, clock="own"
    ),
    Contestant(
        CONFLUENT_LOOP,
        "limit: confluent-kafka alone",
        _module("confluent_loop"),
        _given,
        clock="own",
        stores=False,
    ),
    Contestant(
        AIOKAFKA_LOOP,
        "limit: aiokafka alone",
        _module("aiokafka_loop"),
        _given,
        clock="own",
        stores=False,
    ),
)

LOADER = Contestant(
    BACKFILL,
    "initial load, as shipped",
    _module("backfill"),
    lambda place, task: worker()(place, task) | task.environment(),
)
