"""The specification's way: confluent-kafka, `ta` over the last 200 bars, one `replace_one` a bar.

It takes part on a slice: the last messages of the topic. Those before them only fill its windows,
which costs nearly nothing and is not timed, so that each bar that counts has a whole window.
"""

from __future__ import annotations

from collections import defaultdict, deque
from importlib.metadata import version
from math import isnan
from typing import Any

import numpy as np
import orjson
import pandas as pd
from confluent_kafka import Consumer
from pymongo import MongoClient

from benchmarks.documents import COLLECTION, document, ohlcv
from benchmarks.oracle import computed
from benchmarks.protocol import Task, say_ready, say_settings
from indicators import DEFAULT_SPEC, Ohlcv, parse

WINDOW = 200
COLUMNS = list(Ohlcv._fields)


def main() -> None:
    """Work through the topic, then stop."""
    task = Task.given()
    consumer = Consumer(
        {
            "bootstrap.servers": task.kafka,
            "group.id": task.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": True,
        }
    )
    say_settings(
        {name: version(name) for name in ("confluent-kafka", "ta", "pandas", "pymongo")}
        | {"window": WINDOW, "enable.auto.commit": True}
    )
    specification = parse(DEFAULT_SPEC)
    windows: defaultdict[str, deque[Ohlcv]] = defaultdict(lambda: deque(maxlen=WINDOW))
    collection: Any = MongoClient(task.mongodb, tz_aware=True)[task.database][COLLECTION]
    consumer.subscribe([task.topic])
    np.seterr(all="ignore")
    received = 0
    while received < task.bars:
        message = consumer.poll(1.0)
        if message is None or message.error() is not None:
            continue
        received += 1
        bar = orjson.loads(message.value())
        window = windows[bar["ticker"]]
        window.append(ohlcv(bar))
        if received <= task.bars - task.timed:
            continue
        if received == task.bars - task.timed + 1:
            say_ready()
        columns = computed(pd.DataFrame(window, columns=COLUMNS), specification)
        last = {name: float(column.iloc[-1]) for name, column in columns.items()}
        values = {name: None if isnan(value) else value for name, value in last.items()}
        stored = document(bar, values)
        collection.replace_one({"_id": stored["_id"]}, stored, upsert=True)
    consumer.close()


if __name__ == "__main__":
    main()
