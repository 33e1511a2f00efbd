"""What an agent of a batched topic receives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import faust
from faust.types import TP

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

    from transport.consumer import BatchingConsumer


#: Most bytes of the values in one batch, unless a single one has more: what becomes of a batch is
#: in memory at once.
MOST_BYTES = 256 * 1024

_size = attrgetter("serialized_value_size")


def pieces(records: Sequence[ConsumerRecord]) -> Iterator[Sequence[ConsumerRecord]]:
    """Yield the records of a fetch in the portions that make a batch each."""
    if sum(map(_size, records)) <= MOST_BYTES:
        yield records
        return
    start = held = 0
    for number, size in enumerate(map(_size, records)):
        if held and held + size > MOST_BYTES:
            yield records[start:number]
            start, held = number, 0
        held += size
    yield records[start:]


class Batch:
    """Records that one fetch brought for one partition, in offset order; never empty."""

    __slots__ = ("_consumer", "epoch", "records", "tp")

    def __init__(
        self, consumer: BatchingConsumer, tp: TP, records: Sequence[ConsumerRecord], epoch: int
    ) -> None:
        self.tp = tp
        self.records = records
        self.epoch = epoch
        self._consumer = consumer

    @property
    def current(self) -> bool:
        """Whether the batch still counts; a void one will be delivered again, to its owner."""
        return self.epoch == self._consumer.accepting

    def done(self) -> None:
        """Say that every record is applied to state and handed to its store.

        Call it without an ``await`` since :attr:`current` was last seen true.
        """
        self._consumer.batch_done(self)

    def __repr__(self) -> str:
        first, last = self.records[0].offset, self.records[-1].offset
        return f"<Batch {self.tp.topic}/{self.tp.partition} {first}..{last} epoch {self.epoch}>"


class BatchSchema(faust.Schema[Any, Any]):
    """Lets a Batch through Faust's decoding as it is."""

    def loads_key(self, *_: Any, **__: Any) -> None:
        """A batch has no key of its own."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002
        """Return the Batch that the consumer put into the message."""
        return message.value
