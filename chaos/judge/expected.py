"""Works out, from the messages on Kafka in their order, which documents must be there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.judge.log import Entry

Document = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: What a message may leave out, and what is stored then.
_DEFAULTS: dict[str, Document] = {
    "stock-prices": {"adjusted_close": None, "closed": True},
    "price-history": {"adjusted_close": None},
    "financial-news": {"summary": "", "url": "", "publisher": "", "sentiment": None},
    "twitter-sentiment": {"author": None, "sentiment": None, "engagement": 0.0, "url": ""},
    "reddit-sentiment": {"author": None, "sentiment": None, "engagement": 0.0, "url": ""},
    "economic-indicators": {"title": "", "units": "", "frequency": ""},
}
COLLECTIONS = {
    "financial-news": "news",
    "twitter-sentiment": "twitter_sentiment",
    "reddit-sentiment": "reddit_sentiment",
    "economic-indicators": "economic_indicators",
}
_DATES = ("time", "ingested", "realtime_start")


def as_date(time_ms: int) -> datetime:
    """Return ms since the epoch as MongoDB gives them back."""
    return _EPOCH + timedelta(milliseconds=time_ms)


@dataclass(slots=True)
class BarHistory:
    """What became known of one ticker at one interval.

    Attributes:
        bars: what each bar must say in the end, by its time.
        applied: the closed bars that came in the order of time, as they were when they came.
        forming: of bars that were never closed, the last state, with how many were applied before.
        others: values that others gave for a bar, by its time.
        in_bulk: some came in series, on a topic without an order beside the other one: wherever
            they come late, the program computes the ticker again by itself.
    """

    bars: dict[int, Document] = field(default_factory=dict)
    applied: list[Document] = field(default_factory=list)
    forming: dict[int, tuple[int, Document]] = field(default_factory=dict)
    others: dict[int, dict[str, float | None]] = field(default_factory=lambda: defaultdict(dict))
    in_bulk: bool = False

    def take(self, bar: Document) -> None:
        """Take the next bar in: closed beats forming, and otherwise the last one counts."""
        time = bar["time"]
        last = self.applied[-1]["time"] if self.applied else None
        known = self.bars.get(time)
        if bar["closed"]:
            self.bars[time] = bar
            self.forming.pop(time, None)
            if last is None or time > last:
                self.applied.append(bar)
        elif known is None or not known["closed"]:
            self.bars[time] = bar
            if last is None or time > last:
                self.forming[time] = (len(self.applied), bar)

    def in_time(self) -> list[Document]:
        """Return all closed bars in the order of time, as recomputing sees them."""
        return [self.bars[time] for time in sorted(self.bars) if self.bars[time]["closed"]]


@dataclass(slots=True)
class Expected:
    """All that must be in the database.

    Attributes:
        bars: by ticker and interval.
        items: the other documents, by collection and ``_id``.
    """

    bars: dict[tuple[str, str], BarHistory] = field(default_factory=lambda: defaultdict(BarHistory))
    items: dict[str, dict[str, Document]] = field(
        default_factory=lambda: {name: {} for name in COLLECTIONS.values()}
    )


def expected(good: Iterable[Entry]) -> Expected:
    """Return what must be there after the good messages; those of a partition in their order."""
    found = Expected()
    for entry in good:
        if entry.topic == "commands":
            continue
        assert entry.value is not None
        fields: Document = _DEFAULTS.get(entry.topic, {}) | json.loads(entry.value)
        if entry.topic == "stock-prices":
            found.bars[fields["ticker"], fields["interval"]].take(fields)
        elif entry.topic == "price-history":
            history = found.bars[fields["ticker"], fields["interval"]]
            history.in_bulk = True
            for bar in bars_of(fields):
                history.take(bar)
        elif entry.topic == "technical-indicators":
            history = found.bars[fields["ticker"], fields["interval"]]
            history.others[fields["time"]].update(fields["values"])
        else:
            items = found.items[COLLECTIONS[entry.topic]]
            items[_id(entry.topic, fields)] = dated(fields)
    return found


def bars_of(series: Document) -> Iterator[Document]:
    """Yield the bars of a series: columns are as long as ``time``, all else is of every bar."""
    columns = [name for name, value in series.items() if isinstance(value, list)]
    common = {name: value for name, value in series.items() if name not in columns}
    for values in zip(*(series[name] for name in columns), strict=True):
        yield common | dict(zip(columns, values, strict=True)) | {"closed": True}


def dated(fields: Document) -> Document:
    """Return the fields as a document has them: times as dates."""
    return {name: as_date(v) if name in _DATES else v for name, v in fields.items()}


def _id(topic: str, fields: Document) -> str:
    if topic == "economic-indicators":
        days = (as_date(fields[name]).date().isoformat() for name in ("time", "realtime_start"))
        return "|".join((fields["series"], *days))
    return f"{fields['ticker']}|{fields['id']}"
