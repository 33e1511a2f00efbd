"""What can go wrong, as one tree.

::

    FinancialTrendsError
    ├── ConfigurationError      a setting, an option or a topic is not as it must be
    │   ├── TopicMismatch       a topic exists with another partition count
    │   └── InvalidRule         something in the file of alert rules is not right
    ├── InvalidRecord           one message or row breaks the rules of its Record
    ├── Refused                 a command would do harm, or has nothing to do (operations)
    ├── BrokerUnavailable       Kafka did not answer, or did not acknowledge, in time
    │   └── BrokerRefused       Kafka does not take this client: password, certificate
    ├── StoreUnavailable        MongoDB did not answer in time
    │   └── StoreRefused        MongoDB does not take this client: password, rights, certificate
    └── SourceUnavailable       a provider of data cannot be used (yet)
        ├── UnknownKeys         it does not have some of the tickers or series (sources.base)
        ├── AnswerTooLarge      it sent more than any answer has (sources.answers)
        ├── TokenRefused        Reddit does not know our token any more (sources.reddit)
        └── SpentForToday       as many posts are read as may be read in a day (sources.twitter)

Every message names the thing, the value it had, and what to do about it.
"""

from __future__ import annotations

from pathlib import Path


class FinancialTrendsError(Exception):
    """Base of every error that this program raises on purpose."""


class ConfigurationError(FinancialTrendsError):
    """A setting, an option or a topic is not as it must be."""


class TopicMismatch(ConfigurationError):
    """A topic exists with another number of partitions than the settings say."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        self.topic = topic
        self.found = found
        self.wanted = wanted
        super().__init__(
            f"topic {topic!r} has {found} partitions but TOPIC_PARTITIONS is {wanted}: "
            f"set TOPIC_PARTITIONS={found}, or delete the topic and start again"
        )


class InvalidRule(ConfigurationError):
    """Something in the file of alert rules is not right; ``line`` and ``column`` are from 1."""

    def __init__(self, file: Path, line: int, column: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.problem = problem
        super().__init__(f"{file}:{line}:{column}: {problem}")


class InvalidRecord(FinancialTrendsError):
    """One message or row breaks the rules of its Record.

    Attributes:
        field: the field at fault, or ``"message"`` where the whole is.
        value: the value it had, shortened for display.
        reason: what is wrong with it and what would be right.
        row: the row's position in the caller's data, from 0, where there are rows.
    """

    def __init__(self, field: str, value: object, reason: str, row: int | None = None) -> None:
        self.field = field
        self.value = shorten(value)
        self.reason = reason
        self.row = row
        place = "" if row is None else f"row {row}: "
        super().__init__(f"{place}{field}={self.value}: {reason}")

    def at_row(self, row: int) -> InvalidRecord:
        """Return the same complaint with the row it belongs to."""
        return InvalidRecord(self.field, _Shown(self.value), self.reason, row)


class Refused(FinancialTrendsError):
    """A command would do harm, or has nothing to do."""


class BrokerUnavailable(FinancialTrendsError):
    """Kafka did not answer, or did not acknowledge, in time; nothing is pretended sent."""

    def __init__(self, address: str, detail: str) -> None:
        self.address = address
        super().__init__(
            f"no Kafka broker at {address}: {detail} "
            "(start one with `python -m embedded up`, or set KAFKA_BOOTSTRAP_SERVERS)"
        )


class BrokerRefused(BrokerUnavailable):
    """Kafka does not take this client: its password, its certificate, or who signed Kafka's."""

    def __init__(self, address: str, detail: str, remedy: str) -> None:
        self.address = address
        # Past the constructor of those that advise to start a broker.
        FinancialTrendsError.__init__(
            self, f"Kafka at {address} and this client refuse each other: {detail}: {remedy}"
        )


class StoreUnavailable(FinancialTrendsError):
    """MongoDB did not answer in time."""

    def __init__(self, address: str, detail: str) -> None:
        self.address = address
        super().__init__(
            f"no MongoDB at {address}: {detail} "
            "(start one with `python -m embedded up`, or set MONGODB_URI)"
        )


class StoreRefused(StoreUnavailable):
    """MongoDB does not take this client: its password, its rights, or who signed MongoDB's."""

    def __init__(self, address: str, detail: str, remedy: str) -> None:
        self.address = address
        # Past the constructor of those that advise to start a server.
        FinancialTrendsError.__init__(
            self, f"MongoDB at {address} and this client refuse each other: {detail}: {remedy}"
        )


class SourceUnavailable(FinancialTrendsError):
    """A provider of data cannot be used: not built, not reachable, or without credentials."""


class _Shown(str):
    """A text that is already a display form, so that it is not quoted again."""

    __slots__ = ()


def shorten(value: object, limit: int = 80) -> str:
    """Return a one-line display form of any value, at most ``limit`` characters long."""
    text = str(value) if isinstance(value, _Shown) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
