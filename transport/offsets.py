"""Which records have been delivered, which are done, and which offsets may be committed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from faust.types import TP


@dataclass(slots=True)
class _Partition:
    """One partition since its last seek.

    ``next`` is the next offset to deliver; ``runs`` the ends (offset after the last record) of the
    batches delivered and not yet part of ``applied``, in order, of which ``done`` are done;
    ``applied`` is the end of the longest run of batches that are done without a gap; ``begun`` is
    where the work began if nothing was committed.
    """

    next: int | None = None
    runs: deque[int] = field(default_factory=deque)
    done: set[int] = field(default_factory=set)
    applied: int | None = None
    committed: int = -1
    begun: int | None = None

    def forget(self) -> None:
        """Make void what was delivered; what is committed stands."""
        self.next = self.applied = None
        self.runs.clear()
        self.done.clear()


class Offsets:
    """Follows the batches of all partitions.

    A batch is known by its end, the offset after its last record: offsets have gaps, where a topic
    is compacted and at the markers of transactions, so nothing is concluded from their numbers.
    """

    def __init__(self) -> None:
        self._partitions: dict[TP, _Partition] = {}
        #: Batches of each topic that are delivered and not done.
        self.outstanding: Counter[str] = Counter()

    def __iter__(self) -> Iterator[TP]:
        """The partitions that are followed."""
        return iter(self._partitions)

    def position(self, tp: TP) -> int | None:
        """Return the next offset to deliver; None where no seek has said and nothing came."""
        partition = self._partitions.get(tp)
        return None if partition is None else partition.next

    def seek(self, tp: TP, offset: int, *, committed: bool) -> None:
        """Go on at ``offset``, which is the one committed or, where none is, the first kept."""
        partition = self._of(tp)
        self.outstanding[tp.topic] -= len(partition.runs) - len(partition.done)
        partition.forget()
        partition.next = offset
        partition.committed = offset if committed else -1
        partition.begun = offset

    def fresh(self, tp: TP, records: Sequence[Any]) -> Sequence[Any]:
        """Return those of a fetch's records that have not been delivered since the last seek."""
        first = self.position(tp) or 0
        return records if records[0].offset >= first else [r for r in records if r.offset >= first]

    def delivered(self, tp: TP, end: int) -> None:
        """Take note that a batch with this end is on its way to its agent."""
        partition = self._of(tp)
        partition.next = end
        partition.runs.append(end)
        self.outstanding[tp.topic] += 1

    def done(self, tp: TP, end: int) -> None:
        """Take note that a batch is applied; one that is void or done already changes nothing."""
        partition = self._of(tp)
        if end not in partition.runs or end in partition.done:
            return
        partition.done.add(end)
        self.outstanding[tp.topic] -= 1
        runs = partition.runs
        while runs and runs[0] in partition.done:
            partition.applied = runs.popleft()
            partition.done.discard(partition.applied)

    def passed(self, tp: TP, position: int) -> None:
        """Take note that there is nothing to deliver before ``position``: only markers or gaps.

        Otherwise a partition that ends with the marker of a transaction would never be without lag.
        """
        partition = self._of(tp)
        if partition.next is not None and position > partition.next:
            self.delivered(tp, position)
            self.done(tp, position)

    def uncommitted(self) -> dict[TP, int]:
        """Return the offsets that may be committed once everything before them is saved."""
        return {
            tp: partition.applied
            for tp, partition in self._partitions.items()
            if partition.applied is not None and partition.applied > partition.committed
        }

    def committed(self, offsets: Mapping[TP, int]) -> None:
        """Take note of what the broker has taken."""
        for tp, offset in offsets.items():
            self._of(tp).committed = offset

    def saved(self, tp: TP) -> int | None:
        """Return the offset before which all is saved; None where no seek has said."""
        partition = self._partitions.get(tp)
        if partition is None:
            return None
        return partition.begun if partition.committed < 0 else partition.committed

    def void(self) -> None:
        """Make void everything that was delivered; what is committed stands."""
        for partition in self._partitions.values():
            partition.forget()
        self.outstanding.clear()

    def keep_only(self, tps: Iterable[TP]) -> None:
        """Forget all other partitions: another worker goes on with them."""
        kept = set(tps)
        for tp in [tp for tp in self._partitions if tp not in kept]:
            del self._partitions[tp]

    def _of(self, tp: TP) -> _Partition:
        partition = self._partitions.get(tp)
        if partition is None:
            partition = self._partitions[tp] = _Partition()
        return partition
