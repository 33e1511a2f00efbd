"""Views by ticker: copies of each message on a topic of its ticker (``TOPIC_PER_TICKER``).

For people who browse or grant access by ticker. State is never kept from them; a message may stand
in a view twice after a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from broker import Broker
from config import Settings
from models.rules import check_ticker
from topics import TopicSpec, ticker_topic
from transport import Outbox

log = logging.getLogger(__name__)

#: Most bytes of a message, key and value, that is copied. Faust's producer sends a million at most;
#: what was compressed on its way here may be larger.
MOST_BYTES = 990_000


class TickerViews:
    """Copies the messages of one topic to its views, which it creates on first sight."""

    def __init__(self, settings: Settings, topic: TopicSpec, outbox: Outbox) -> None:
        self._settings = settings
        self._topic = topic
        self._outbox = outbox
        #: Partitions of each view, by the key of the messages it gets.
        self._partitions: dict[bytes, int] = {}

    async def prepare(self, keys: Iterable[bytes | None]) -> None:
        """Create the views of the tickers that are new among ``keys``.

        Raises:
            BrokerUnavailable: Kafka does not answer.
        """
        new = {key for key in keys if key is not None and key not in self._partitions}
        names = {key: self._name(key) for key in new if _is_ticker(key)}
        if names:
            counts = await asyncio.to_thread(self._create, set(names.values()))
            self._partitions.update((key, counts[name]) for key, name in names.items())

    def copy(self, partition: int, key: bytes, value: bytes) -> None:
        """Copy a message whose key was prepared, unless it is too large to be sent as it is."""
        name, view = self._name(key), self._partitions[key]
        if len(key) + len(value) > MOST_BYTES:
            log.warning("a message of %d bytes is too large for %s", len(value), name)
            return
        self._outbox.add(name, partition % view, key, value)

    def _create(self, names: set[str]) -> dict[str, int]:
        with Broker(self._settings) as broker:
            broker.ensure_topics((), views=dict.fromkeys(names, self._topic))
            return broker.partitions()

    def _name(self, key: bytes) -> str:
        return ticker_topic(self._topic.name, key.decode())


def _is_ticker(key: bytes) -> bool:
    try:
        check_ticker(key.decode())
    except ValueError:
        return False
    return True
