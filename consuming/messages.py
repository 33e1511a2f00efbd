"""What a message of each data topic becomes in MongoDB, and the dead letter of one that cannot."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents import economy, indicators, news, social
from errors import InvalidRecord
from models import BAR_SERIES, Bar, Codec
from sinks import Origin, Refusal, Write
from sinks.documents import bar_write, dead_letter_write, series_writes
from topics import DATA_TOPICS, ECONOMIC_INDICATORS, PRICE_HISTORY

log = logging.getLogger(__name__)

#: What is counted: the six kinds of data, and the messages that could not be stored.
DEAD_LETTERS = "dead_letters"
COUNTED = (*DATA_TOPICS, DEAD_LETTERS)

#: Turns one decoded Record into what is stored of it.
ToWrites = Callable[[Any, Origin], Sequence[Write]]


def _bar_to_writes(bar: Bar, origin: Origin) -> Sequence[Write]:
    """Return the write of a bar alone: its indicators are the workers' affair."""
    return [bar_write(bar, origin)]


_TO_WRITES: dict[str, ToWrites] = {
    "prices": _bar_to_writes,
    "indicators": indicators.to_writes,
    "news": news.to_writes,
    "twitter": social.to_writes_of("twitter"),
    "reddit": social.to_writes_of("reddit"),
    "economy": economy.to_writes,
}


@dataclass(frozen=True)
class Kind:
    """One kind of data: its name in counts (the workers' agent has the same), and its rules."""

    name: str
    codec: Codec[Any]
    to_writes: ToWrites


#: The kinds by their topic; history is of prices, too.
KINDS = {
    spec.name: Kind(name, spec.codec, _TO_WRITES[name])
    for name, spec in DATA_TOPICS.items()
    if spec.codec is not None
} | {PRICE_HISTORY.name: Kind("prices", BAR_SERIES, series_writes)}


@dataclass
class Bulk:
    """What some messages become: the writes, and how many documents of each kind they hold."""

    writes: list[Write] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Translator:
    """Turns messages into writes; passes over those of other tickers.

    Args:
        tickers: whose messages are wanted. The economic series concern everybody: all are.
    """

    def __init__(self, tickers: Iterable[str]) -> None:
        self._keys: Collection[bytes] = frozenset(ticker.encode() for ticker in tickers)

    def wants(self, topic: str, key: bytes | None) -> bool:
        """Tell whether a message concerns the tickers, by its key alone."""
        return topic == ECONOMIC_INDICATORS.name or key in self._keys

    def translate(self, messages: Iterable[Origin]) -> Bulk:
        """Return the writes of those messages that are wanted."""
        bulk = Bulk()
        for message in messages:
            if self.wants(message.topic, message.key):
                self._add(bulk, message)
        return bulk

    def _add(self, bulk: Bulk, message: Origin) -> None:
        kind = KINDS[message.topic]
        try:
            writes = kind.to_writes(kind.codec.decode(message.key, message.value), message)
        except InvalidRecord as error:
            bulk.writes.append(bury(message, str(error)))
            bulk.counts[DEAD_LETTERS] += 1
        except Exception as error:
            # One message must not hold up all that follow it.
            log.exception("%s/%d@%d", *message[:3])
            bulk.writes.append(bury(message, f"the program failed on it: {error!r}"))
            bulk.counts[DEAD_LETTERS] += 1
        else:
            bulk.writes.extend(writes)
            bulk.counts[kind.name] += len(writes)


def bury(message: Origin, reason: str) -> Write:
    """Return the write that keeps a message whole, as the workers keep it."""
    return dead_letter_write(
        message, error=reason, agent=KINDS[message.topic].name, time_ms=int(time.time() * 1000)
    )


def bury_refused(refused: Iterable[Refusal]) -> Bulk:
    """Return the dead letters of messages that MongoDB refused, and the change of the counts."""
    bulk = Bulk()
    reasons: dict[Origin, str] = {}
    for refusal in refused:
        for message in refusal.write.origins:
            # Of one message there may be many documents.
            reasons.setdefault(message, refusal.reason)
            bulk.counts[KINDS[message.topic].name] -= 1
    bulk.writes += [bury(message, reason) for message, reason in reasons.items()]
    bulk.counts[DEAD_LETTERS] += len(reasons)
    return bulk
