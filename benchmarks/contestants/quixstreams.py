"""Quix Streams: a stateful StreamingDataFrame into its own MongoDB sink.

Written after its documentation: `apply(..., stateful=True)` with `State`, `sdf.sink(MongoDBSink)`,
one checkpoint that flushes the sink, the changelog and the offsets. Runs in an environment of its
own, because it pins an older confluent-kafka.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import Any

from quixstreams import Application, State
from quixstreams.sinks.community.mongodb import MongoDBSink

from benchmarks.documents import COLLECTION, document, ohlcv, snapshot
from benchmarks.live import LiveIndicators
from benchmarks.protocol import Task, say_ready, say_settings

#: Seconds between checkpoints. For the rate, as often as this program makes its own (the default
#: is 5); for latency very often, because the sink writes at checkpoints only.
COMMIT_INTERVAL_S = 1.0
EAGER_COMMIT_INTERVAL_S = 0.02


def main() -> None:
    """Run until stopped."""
    task = Task.given()
    options: dict[str, Any] = {
        "commit_interval": EAGER_COMMIT_INTERVAL_S if task.eager else COMMIT_INTERVAL_S,
        "auto_offset_reset": "earliest",
        # The poll's timeout delays checkpoints on a quiet topic.
        "consumer_poll_timeout": 0.005 if task.eager else 1.0,
        "consumer_extra_config": {"fetch.wait.max.ms": 5 if task.eager else 500},
        "producer_extra_config": {"linger.ms": 2, "partitioner": "murmur2_random"},
    }
    app = Application(
        broker_address=task.kafka,
        consumer_group=task.group,
        state_dir=f"{task.directory}/state",
        # A line for each sink flush costs little, and nothing at WARNING.
        loglevel=logging.WARNING,
        **options,
    )
    host, _, rest = task.mongodb.removeprefix("mongodb://").partition(":")
    port, _, query = rest.partition("/?")
    sink_options: dict[str, Any] = {
        "update_method": "ReplaceOne",
        # "majority" is the server's default and is what all contestants wait for.
        **dict(pair.split("=") for pair in query.split("&")),
    }
    sink = MongoDBSink(
        host=host,
        port=int(port),
        db=task.database,
        collection=COLLECTION,
        # The message's key is the ticker, but a bar is a document.
        document_matcher=lambda record: {"_id": record.value["_id"]},
        **sink_options,
    )
    versions = {name: version(name) for name in ("quixstreams", "confluent-kafka", "rocksdict")}
    say_settings(versions | options | sink_options)

    live = LiveIndicators()
    started = False

    def values_at(bar: dict[str, Any], state: State) -> dict[str, float | None]:
        nonlocal started
        if not started:
            started = True
            say_ready()
        ticker = bar["ticker"]
        indicators = live.of(ticker, None if ticker in live else state.get("indicators"))
        indicators.update(ohlcv(bar))
        state.set("indicators", indicators.state())
        return indicators.values()

    if task.out_topic is None:

        def store(bar: dict[str, Any], state: State) -> dict[str, Any]:
            return document(bar, values_at(bar, state))

        app.dataframe(app.topic(task.topic)).apply(store, stateful=True).sink(sink)
    else:

        def both(bar: dict[str, Any], state: State) -> tuple[dict[str, Any], dict[str, Any]]:
            values = values_at(bar, state)
            return document(bar, values), snapshot(bar, values)

        computed = app.dataframe(app.topic(task.topic)).apply(both, stateful=True)
        computed.apply(lambda pair: pair[1]).to_topic(app.topic(task.out_topic))
        computed.apply(lambda pair: pair[0]).sink(sink)
    app.run()


if __name__ == "__main__":
    main()
