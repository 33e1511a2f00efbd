"""Latency at a steady rate: from the broker's acknowledgement to readable, and to the snapshot.

One process sends one bar after the other, evenly, and notes for each when the broker acknowledged
it; a change stream tells when its document is there (for a majority of one member), a consumer
when its snapshot is. All three clocks are this process's, so what is compared is exact but for the
way of the answers back: `floor_ms` is that way, measured with inserts of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
from confluent_kafka import KafkaError, Message, Producer

from benchmarks import workload
from benchmarks.arena import Arena
from benchmarks.documents import COLLECTION, document_id
from benchmarks.errors import ContestantFailed
from benchmarks.figures import percentile
from benchmarks.process import Process
from benchmarks.protocol import Task, settings_in
from benchmarks.roster import WORKER_READY, Contestant
from broker import client_config
from topics import ALL_TOPICS, STOCK_PRICES, TECHNICAL_INDICATORS

RATE_PER_S = 1_000
TICKERS = 200
#: Sent at the same rate before those that count.
WARM_UP_S = 3
#: How long what was sent may take to arrive, in seconds.
PATIENCE_S = 120.0
_CALIBRATIONS = 200

Moments = dict[str, float]


def measure(place: Arena, contestant: Contestant, seconds: int) -> dict[str, Any]:
    """Return p50, p99 and more of one contestant, in ms, over ``seconds`` of steady sending.

    Raises:
        ContestantFailed: it did not start, or not everything arrived.
    """
    total = RATE_PER_S * (WARM_UP_S + seconds)
    place.refill(TICKERS, 0)
    task = place.task(contestant.name, tickers=TICKERS, bars=total, eager=True)
    place.begin_at_end(task.group, [spec.name for spec in ALL_TOPICS])
    log = Path(task.directory) / "log.txt"
    environment = contestant.environment(place, task)
    with Process(contestant.name, contestant.command, environment, log) as process:
        if contestant.ready == WORKER_READY:
            process.wait_for(WORKER_READY)
        # One bar of each ticker: whoever is not ready yet is afterwards.
        workload.produce(place.settings, STOCK_PRICES.name, TICKERS, TICKERS)
        place.wait_documents(task, TICKERS, process)
        with _listening(place, task) as (stored, published):
            acknowledged = _send(place, total)
            arrived = _wait(process, acknowledged, stored, published)
        if not arrived:
            raise process.failure(
                f"has {len(stored):,} documents and {len(published):,} snapshots "
                f"of {total:,} bars {PATIENCE_S:g} s after the last"
            )
    floor = _floor_ms(place, task)
    counted = list(acknowledged)[RATE_PER_S * WARM_UP_S :]
    place.drop(task)
    return {
        "document_ms": _spread(counted, acknowledged, stored),
        "snapshot_ms": _spread(counted, acknowledged, published),
        "bars": len(counted),
        "rate_per_s": RATE_PER_S,
        "floor_ms": floor,
        "settings": settings_in(log, environment),
    }


def _spread(counted: list[str], start: Moments, end: Moments) -> dict[str, float]:
    took = [1000.0 * (end[one] - start[one]) for one in counted]
    return {
        "p50": round(percentile(took, 0.5), 1),
        "p99": round(percentile(took, 0.99), 1),
        "max": round(max(took), 1),
    }


def _send(place: Arena, total: int) -> Moments:
    """Send ``total`` bars evenly; return when each was acknowledged, in the order of sending."""
    options: dict[str, Any] = {
        "acks": "all",
        "partitioner": "murmur2_random",
        "linger.ms": 1,
    }
    producer = Producer(client_config(place.settings) | options)
    moments: Moments = {}
    sent: list[str] = []
    refused: list[str] = []

    def report(name: str) -> Any:
        def delivered(error: KafkaError | None, _: Message) -> None:
            moments[name] = perf_counter()
            if error is not None:
                refused.append(error.str())

        return delivered

    start = perf_counter()
    for number, bar in enumerate(islice(workload.bars(TICKERS, first_index=1), total)):
        due = start + number / RATE_PER_S
        if (early := due - perf_counter()) > 0:
            time.sleep(early)
        # Reports acknowledgements: their resolution is the time between two bars.
        producer.poll(0)
        key, value = workload.message(bar)
        sent.append(document_id(bar))
        producer.produce(STOCK_PRICES.name, key=key, value=value, on_delivery=report(sent[-1]))
    producer.flush(PATIENCE_S)
    if refused or len(moments) < total:
        raise ContestantFailed(f"Kafka acknowledged {len(moments):,} of {total:,}: {refused[:1]}")
    return {name: moments[name] for name in sent}


def _wait(process: Process, acknowledged: Moments, stored: Moments, published: Moments) -> bool:
    deadline = perf_counter() + PATIENCE_S
    while perf_counter() < deadline:
        process.check()
        if acknowledged.keys() <= stored.keys() and acknowledged.keys() <= published.keys():
            return True
        time.sleep(0.1)
    return False


@contextmanager
def _listening(place: Arena, task: Task) -> Iterator[tuple[Moments, Moments]]:
    """Note when each document and each snapshot comes, in threads."""
    stored: Moments = {}
    published: Moments = {}
    over = threading.Event()
    consumer = place.broker.consumer(f"{task.group}-snapshots", **{"fetch.wait.max.ms": 5})
    consumer.subscribe([TECHNICAL_INDICATORS.name])
    pipeline = [{"$project": {"documentKey": 1}}]
    changes = place.database(task)[COLLECTION].watch(pipeline, max_await_time_ms=200)

    def follow_documents() -> None:
        while not over.is_set():
            change = changes.try_next()
            if change is not None:
                stored.setdefault(change["documentKey"]["_id"], perf_counter())

    def follow_snapshots() -> None:
        while not over.is_set():
            for message in consumer.consume(500, timeout=0.002):
                if message.error() is None:
                    now = perf_counter()
                    published.setdefault(document_id(orjson.loads(message.value())), now)

    threads = [threading.Thread(target=one) for one in (follow_documents, follow_snapshots)]
    for thread in threads:
        thread.start()
    try:
        yield stored, published
    finally:
        over.set()
        for thread in threads:
            thread.join()
        changes.close()
        consumer.close()


def _floor_ms(place: Arena, task: Task) -> float:
    """The median time from an insert's acknowledgement to its change, in ms."""
    collection = place.database(task)["calibration"]
    collection.insert_one({"_id": -1})
    took = []
    with collection.watch([{"$project": {"documentKey": 1}}], max_await_time_ms=200) as changes:
        for number in range(_CALIBRATIONS):
            collection.insert_one({"_id": number})
            start = perf_counter()
            while changes.try_next() is None:
                pass
            took.append(1000.0 * (perf_counter() - start))
    return round(percentile(took, 0.5), 2)
