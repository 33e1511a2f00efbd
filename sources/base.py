"""What a source of data is, and what sources that keep their own pace share.

A source reads one provider and hands back Records. It never touches Kafka, never sleeps, never
blocks the event loop (blocking work goes to a thread) and keeps nothing outside itself. When it is
asked, and what becomes of the Records, is the schedule's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from faust import Record

from errors import SourceUnavailable
from models import Bar
from sources.missing import Missing
from topics import TopicSpec

#: Why the source of economic series is off.
NO_FRED_KEY = (
    "FRED_API_KEY is not set, so there are no economic series: get a free key at "
    "https://fredaccount.stlouisfed.org/apikeys, or use --skip-economic"
)


class UnknownKeys(SourceUnavailable):
    """A source was asked for keys that it does not have; it has the others all the same.

    Attributes:
        keys: the keys at fault, so that the rest can be asked for without them.
    """

    def __init__(self, source: str, keys: Sequence[str], remedy: str) -> None:
        self.keys = tuple(keys)
        super().__init__(f"source {source!r} does not have {', '.join(self.keys)}: {remedy}")


class Source(Protocol):
    """One provider of one kind of data."""

    @property
    def name(self) -> str:
        """The provider, as in the cursors' names and, unless simulated, the Records' ``source``."""

    @property
    def interval(self) -> float:
        """Seconds between two polls."""

    @property
    def topic(self) -> TopicSpec:
        """The topic that its Records belong on."""

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Record]:
        """Return what is new for each of ``keys``, in time order per key.

        Args:
            keys: tickers, series or feed addresses, each once.
            since: per key the time of the last record that is final (see :func:`cursors`), ms
                since the epoch, UTC; only records after it come. A key without one starts where
                this source's live part starts. Where a provider brings older things after newer
                ones, its source says from how long before ``since`` they come, too; what has an
                ``id`` and was sent by the last poll, the schedule leaves out.

        What was handed out is not remembered: the same ``since`` brings the same records again. A
        cancelled fetch changes nothing.

        Raises:
            UnknownKeys: some of ``keys`` do not exist here; nothing was handed out.
            SourceUnavailable: the provider does not answer or does not let us in.
        """

    async def close(self) -> None:
        """Give up connections and memory; may be called again."""


class PriceSource(Source, Protocol):
    """A source of bars, which has a past as well."""

    async def history(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        """Return per key, in time order, the closed bars before the live part.

        A fetch with the last one's time as ``since`` continues without gap or overlap.

        Raises:
            UnknownKeys: some of ``keys`` do not exist here.
            SourceUnavailable: the provider does not answer or does not let us in.
        """

    def exhausted(self, key: str, since: int | None) -> bool:
        """Return whether nothing will ever come after ``since`` (ms): a recording's end.

        Ask after a fetch of ``key``: what was not read yet has not ended.
        """


@runtime_checkable
class BarProvider(PriceSource, Protocol):
    """A source of bars that has more of them than anybody wants at once, and may change them.

    A dividend or a split changes what a provider says of bars that were handed out long before.
    """

    @property
    def bar_interval(self) -> str:
        """Length of its bars."""

    @property
    def adjusted(self) -> Mapping[str, int]:
        """Per key the last day that fetches showed to have changed earlier bars, ms."""

    async def probe(self, keys: Sequence[str]) -> None:
        """Return if the provider answers, within about ten seconds.

        Raises:
            UnknownKeys, SourceUnavailable: as of :meth:`Source.fetch`.
        """

    async def warm_up(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        """Return the last closed bars, enough to warm indicators up, of the keys answered.

        Raises:
            UnknownKeys, SourceUnavailable: as of :meth:`Source.fetch`.
        """

    def history_start(self) -> int:
        """Return where the history starts, ms."""

    async def missing(
        self, key: str, stored: Collection[int], asked: tuple[int, int] | None
    ) -> Missing:
        """Return what of the history is not among the times (ms) of the bars ``stored``.

        Args:
            key: a ticker.
            stored: the times of its closed bars that are stored.
            asked: from where the provider was asked before, and the first bar that it had.
        """

    async def between(self, key: str, first: int, last: int | None = None) -> list[Bar]:
        """Return the closed bars from ``first`` to ``last`` (ms; None is now).

        Raises:
            UnknownKeys, SourceUnavailable: as of :meth:`Source.fetch`.
        """


def cursors(records: Iterable[Record], key: str = "ticker") -> dict[str, int]:
    """Return the ``since`` that follows from what a fetch brought, ms, for the keys that moved.

    A bar that is still forming does not count: it must come again once it is closed.

    Args:
        records: what :meth:`Source.fetch` returned.
        key: the field that is the records' key.
    """
    latest: dict[str, int] = {}
    for record in records:
        if getattr(record, "closed", True):
            name: str = getattr(record, key)
            latest[name] = max(record.time, latest.get(name, record.time))
    return latest


class Pace:
    """How many bars of each key have come due at a constant speed.

    One bar is due at once, and ``speed`` more each second from then on. What is not taken stays
    due, so a pause is made up for.

    Args:
        speed: bars per second and key, above 0.
        clock: seconds from any start, never backwards.
    """

    def __init__(self, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not speed > 0:
            raise ValueError(f"speed={speed!r}: must be above 0 bars per second")
        self._speed = speed
        self._clock = clock
        self._started: dict[str, float] = {}
        self._taken: dict[str, int] = {}

    def owed(self, key: str) -> float:
        """Return the bars due and not taken; the fraction is how far the next one has got."""
        now = self._clock()
        elapsed = now - self._started.setdefault(key, now)
        return 1 + self._speed * elapsed - self._taken.get(key, 0)

    def take(self, key: str, bars: int) -> None:
        """Count ``bars`` as handed out."""
        self._taken[key] = self._taken.get(key, 0) + bars
