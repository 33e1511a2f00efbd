"""What a worker counts anyway, read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from faust.types import TP
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from monitoring.instruments import REGISTRY, SourceMeter
from topics import ALL_TOPICS

#: What happened to messages, by agent: what (agent, what) counts.
Counts = Mapping[tuple[str, str], int]

#: End offset by (topic, partition).
Ends = Mapping[tuple[str, int], int]


class Collector:
    """The metrics of one worker.

    Args:
        app: a BatchingApp.
        counts: what its agents count.

    :meth:`families` takes what has to be waited for, and itself waits for nothing.
    """

    def __init__(self, app: Any, counts: Counts) -> None:
        self._app = app
        self._counts = counts

    def consumed(self) -> dict[TP, int]:
        """Return, by partition of this worker, the offset up to which all is saved."""
        found: dict[TP, int] = self._app.consumer.saved()
        return found

    def families(self, ends: Ends | None) -> Iterator[Metric]:
        """Yield the metrics.

        Args:
            ends: the end of each partition; None where Kafka did not answer.
        """
        yield from self._offsets(ends)
        yield from self._messages()
        yield from self._worker()
        yield from _sources()
        yield _gauge("kafka_up", "Whether Kafka answers this worker.", float(ends is not None))

    def _offsets(self, ends: Ends | None) -> Iterator[Metric]:
        places = ["topic", "partition"]
        saved = _family(
            "committed_offset", "Offset up to which all is saved and committed.", places
        )
        end = _family("end_offset", "Offset that the next message of the partition gets.", places)
        lag = _family("lag_messages", "Messages that are not yet saved and committed.", places)
        for tp, offset in sorted(self.consumed().items()):
            labels = [tp.topic, str(tp.partition)]
            saved.add_metric(labels, offset)
            if ends is not None and (tp.topic, tp.partition) in ends:
                last = ends[tp.topic, tp.partition]
                end.add_metric(labels, last)
                lag.add_metric(labels, max(0, last - offset))
        yield from (saved, end, lag)

    def _messages(self) -> Iterator[Metric]:
        counted = dict(self._counts)
        messages = CounterMetricFamily(
            "financial_trends_messages",
            "Messages by what became of them; `received` is all of them.",
            labels=["agent", "outcome"],
        )
        dead = CounterMetricFamily(
            "financial_trends_dead_letters",
            "Messages that could not be used and went to the dead letters.",
            labels=["agent"],
        )
        # All from the start: a rate begins with the second value of a series.
        for agent in self._app.agents:
            messages.add_metric([agent, "received"], counted.pop((agent, "received"), 0))
            dead.add_metric([agent], counted.pop((agent, "dead"), 0))
        for (agent, what), count in sorted(counted.items()):
            if what == "dead":
                dead.add_metric([agent], count)
            else:
                messages.add_metric([agent, what], count)
        unknown = CounterMetricFamily(
            "financial_trends_unknown_fields",
            "Messages with fields that this version does not know, and left out.",
            labels=["topic"],
        )
        for spec in ALL_TOPICS:
            if spec.codec is not None:
                unknown.add_metric([spec.name], spec.codec.unknown_fields)
        yield from (messages, dead, unknown)

    def _worker(self) -> Iterator[Metric]:
        app = self._app
        rows = _family("table_rows", "Rows of a table that this worker holds.", ["table"])
        for table in app.tables.values():
            rows.add_metric([table.name], len(table.data))
        yield rows
        yield CounterMetricFamily(
            "financial_trends_checkpoints",
            "Checkpoints that saved something.",
            value=app.checkpoints.completed,
        )
        yield CounterMetricFamily(
            "financial_trends_epochs",
            "Times that the worker went back to its last checkpoint: after an error, or because "
            "partitions moved.",
            value=app.consumer.epoch,
        )
        yield CounterMetricFamily(
            "financial_trends_rebalances",
            "Times that the group shared its partitions out.",
            value=app.rebalancing_count,
        )
        busy = bool(app.rebalancing or app.in_recovery)
        yield _gauge("recovering", "Whether the worker waits for its partitions or rows.", busy)


def exposed(families: Iterable[Metric]) -> CollectorRegistry:
    """Return a registry with ``families`` beside the instruments of this process."""
    registry = CollectorRegistry()
    registry.register(_Once(lambda: [*REGISTRY.collect(), *families]))
    return registry


class _Once:
    """A collector that is asked a single time, by one answer."""

    def __init__(self, collect: Callable[[], list[Metric]]) -> None:
        self.collect = collect

    def describe(self) -> list[Metric]:
        """Tell nothing ahead, so that registering does not collect."""
        return []


def _sources() -> Iterator[Metric]:
    age = _family("source_age_seconds", "Seconds since the last poll that succeeded.", ["source"])
    interval = _family("source_interval_seconds", "Seconds between two polls.", ["source"])
    for name in sorted({meter.source for meter in SourceMeter.all}):
        meters = [meter for meter in SourceMeter.all if meter.source == name]
        interval.add_metric([name], max(meter.interval_s for meter in meters))
        ages = [seconds for meter in meters if (seconds := meter.age_s()) is not None]
        if ages:
            age.add_metric([name], max(ages))
    yield from (age, interval)


def _family(name: str, text: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"financial_trends_{name}", text, labels=labels)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"financial_trends_{name}", text, value=value)
