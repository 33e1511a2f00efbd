"""Where data is stored, each fact once.

``base`` says what a sink is and how writes merge, ``mongo`` is the real one, ``memory`` obeys the
same contract, ``documents`` turns Records into documents, ``writer`` feeds a sink from an event
loop.
"""

from sinks.base import Mode, Origin, Refusal, Sink, Write, coalesce
from sinks.memory import MemorySink
from sinks.mongo import MongoSink
from sinks.writer import Writer

__all__ = [
    "MemorySink",
    "Mode",
    "MongoSink",
    "Origin",
    "Refusal",
    "Sink",
    "Write",
    "Writer",
    "coalesce",
]
