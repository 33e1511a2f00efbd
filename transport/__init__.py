"""A batching transport for Faust, and the checkpoint that makes it safe.

Faust hands an agent one event a message, at 100 us each. Here a fetch's records of one partition
arrive as *one* event, a :class:`Batch`, and an agent is ``async for batch in stream:`` and ordinary
Faust otherwise. Faust's own acknowledgement means nothing for such topics (a stream acknowledges
in ``finally``, on errors too), so the agent says :meth:`Batch.done`, and offsets are committed by
checkpoints alone::

    fetch -> batch -> (agent: decode, update, store) -> done -> checkpoint -> commit

*Epoch.* The consumer has an epoch number. On an error, a cancellation, a revocation or a stop it
goes up: everything delivered in an older epoch is void, live state is dropped, and the consumer
goes back to the committed offsets.

*Checkpoint.* About once a second, between two batches: note the offsets applied and serialise the
dirty state (the cut); then, while further batches run, await the stores up to the cut, then the
changelog; if the epoch is still the same, put the rows into their tables and commit those offsets.
Hence a state at offset X means that everything up to X is stored, and a committed offset C means
that the state up to C-1 is in the changelog. A crash anywhere replays from a checkpoint whose
state matches its offset.

*Offsets.* What may be committed of a partition is the end of the longest run of batches done, in
whatever order they are. Offsets have gaps, where a topic is compacted and at the markers of
transactions: a partition that ends with a marker is committed behind it, so a drained group has no
lag. Messages of aborted transactions are not delivered.

*Flow.* At most eight batches of a topic are on their way to its agent; then the topic is not
fetched, and what was fetched waits in aiokafka, one fetch a partition. A store that is slow stops
its agent, and that stops the fetching: memory stays bounded however long the lag is. While messages
come, fetches wait a few ms to fill (`thread`); when nothing comes, they return with the first one.

*Pauses.* The next checkpoint starts a second after the last one started, or, where those take long,
four times as long after its end as it took, unless nothing comes any more: with thousands of keys
that change, most of the work is saved. Where a backlog comes to its end, it starts at once.

Topics that are not batched behave as Faust's own.

``app`` has the App class to use and ``worker`` its process, ``consumer`` the batching consumer,
``thread`` its half in the consumer's thread, ``offsets`` what may be committed, ``driver`` ties
them together for Faust. ``connection`` mends aiokafka's for uvloop, ``coordinator`` its stop in
mid-rebalance, ``headers`` its reading of names that are no text. ``batch`` is what agents see,
``checkpoint`` the protocol above, ``outbox`` sends messages as record batches, ``heap`` gives
memory back after large checkpoints, and now and then.
"""

from transport.app import BatchingApp
from transport.batch import Batch
from transport.checkpoint import Checkpointer, State, Store
from transport.outbox import Outbox

__all__ = ["Batch", "BatchingApp", "Checkpointer", "Outbox", "State", "Store"]
