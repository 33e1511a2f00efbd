"""Views by ticker: copies of each message on a topic of its ticker (``TOPIC_PER_TICKER``).

For people who browse or grant access by ticker. State is never kept from them; a message may stand
in a view twice after a crash.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from broker import Broker
from config import Settings
from errors import ConfigurationError, FinancialTrendsError
from models.rules import check_ticker
from topics import TopicSpec, ticker_topic
from transport import Outbox

log = logging.getLogger(__name__)

#: Most bytes of a message, key and value, that is copied. Faust's producer sends a million at most;
#: what was compressed on its way here may be larger.
MOST_BYTES = 990_000
#: After so long a view that could not be created is tried again, in seconds.
RETRY_S = 600.0


class TickerViews:
    """Copies the messages of one topic to its views, which it creates on first sight."""

    def __init__(self, settings: Settings, topic: TopicSpec, outbox: Outbox) -> None:
        self._settings = settings
        self._topic = topic
        self._outbox = outbox
        #: Partitions of each view, by the key of the messages it gets.
        self._partitions: dict[bytes, int] = {}
        #: When to try again, by the key whose view could not be created; on `time.monotonic`.
        self._missing: dict[bytes, float] = {}

    async def prepare(self, keys: Iterable[bytes | None]) -> None:
        """Create the views of the tickers that are new among ``keys``.

        A view is for people to look at: one that cannot be created holds up nothing. Its ticker has
        one warning and no copies, for ``RETRY_S`` at least.
        """
        now = time.monotonic()
        new = {key for key in keys if key is not None and key not in self._partitions}
        names = {
            key: self._name(key)
            for key in new
            if self._missing.get(key, now) <= now and _is_ticker(key)
        }
        if names:
            counts, refused = await asyncio.to_thread(self._create, set(names.values()))
            for key, name in names.items():
                if name in refused:
                    self._do_without(key, name, refused[name])
                else:
                    self._partitions[key] = counts.get(name, self._settings.topic_partitions)

    def copy(self, partition: int, key: bytes, value: bytes) -> None:
        """Copy a message, where its ticker has a view, unless it is too large to be sent."""
        view = self._partitions.get(key)
        if view is None:
            return
        name = self._name(key)
        if len(key) + len(value) > MOST_BYTES:
            log.warning("a message of %d bytes is too large for %s", len(value), name)
            return
        self._outbox.add(name, partition % view, key, value)

    def _do_without(self, key: bytes, name: str, error: Exception) -> None:
        if key not in self._missing:
            log.warning("%s has no copies: %s", name, error)
        self._missing[key] = time.monotonic() + RETRY_S

    def _create(self, names: set[str]) -> tuple[dict[str, int], dict[str, Exception]]:
        """Return the partitions of every topic, and why those that are missing are."""
        try:
            with Broker(self._settings) as broker:
                refused = self._ensure(broker, names)
                return broker.partitions(), refused
        except FinancialTrendsError as error:
            return {}, dict.fromkeys(names, error)

    def _ensure(self, broker: Broker, names: set[str]) -> dict[str, Exception]:
        try:
            broker.ensure_topics((), views=dict.fromkeys(names, self._topic))
        except ConfigurationError as error:
            # The broker refuses one of them, and says so at once: the others are not at fault.
            if len(names) == 1:
                return dict.fromkeys(names, error)
            refused: dict[str, Exception] = {}
            for name in sorted(names):
                refused |= self._ensure(broker, {name})
            return refused
        return {}

    def _name(self, key: bytes) -> str:
        return ticker_topic(self._topic.name, key.decode())


def _is_ticker(key: bytes) -> bool:
    try:
        check_ticker(key.decode())
    except ValueError:
        return False
    return True
