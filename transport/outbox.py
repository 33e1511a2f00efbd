"""Sends messages as record batches: one call of the producer for many messages."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from typing import Any

import aiokafka
from faust.types import AppT

#: A message's headers: names and values. A list: aiokafka takes nothing else.
Headers = list[tuple[str, bytes]]

#: A message on its way: key and value.
KeyValue = tuple[bytes, bytes]


async def send_batches(
    app: AppT,
    topic: str,
    partition: int,
    messages: Sequence[KeyValue],
    headers: Headers | None = None,
) -> list[Awaitable[Any]]:
    """Send ``messages`` to one partition, in order, each with ``headers``.

    Returns futures of the acknowledgements.

    One ``send`` a message costs over 50 us in aiokafka, appending to a batch about 2 us.

    Raises:
        aiokafka.errors.KafkaError: the producer's buffer stayed full, or it is closed.
    """
    producer: aiokafka.AIOKafkaProducer = app.producer._ensure_producer()  # type: ignore[attr-defined]
    # aiokafka forgets the leaders of topics that it knows only from its first look at the cluster,
    # as soon as it looks for another topic; batches for them then wait until they expire.
    await producer.client.add_topic(topic)
    headers = headers or []
    now_ms = int(time.time() * 1000)
    acknowledgements: list[Awaitable[Any]] = []
    builder = producer.create_batch()
    for key, value in messages:
        if builder.append(key=key, value=value, timestamp=now_ms, headers=headers) is None:
            if builder.record_count():
                acknowledgements.append(
                    await producer.send_batch(builder, topic, partition=partition)
                )
                builder = producer.create_batch()
            if builder.append(key=key, value=value, timestamp=now_ms, headers=headers) is None:
                # Larger than a whole batch: the producer takes it as a message of its own.
                acknowledgements.append(
                    await producer.send(
                        topic,
                        value,
                        key=key,
                        partition=partition,
                        timestamp_ms=now_ms,
                        headers=headers,
                    )
                )
    if builder.record_count():
        acknowledgements.append(await producer.send_batch(builder, topic, partition=partition))
    return acknowledgements


class Outbox:
    """Messages that agents send, gathered and sent in the background.

    A Store for checkpoints: offsets are committed only after what was sent because of them is
    acknowledged. A message may be sent again after a crash.

    Args:
        app: whose producer sends.
        headers: of every message.
    """

    def __init__(self, app: AppT, headers: Headers | None = None) -> None:
        self._app = app
        self._headers = headers
        self._gathered: dict[tuple[str, int], list[KeyValue]] = defaultdict(list)
        self._sending: set[asyncio.Task[None]] = set()
        self._order = asyncio.Lock()

    def add(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        """Gather a message; :meth:`post` sends it."""
        self._gathered[topic, partition].append((key, value))

    def post(self) -> None:
        """Send what was gathered, in the background."""
        if self._gathered:
            gathered, self._gathered = self._gathered, defaultdict(list)
            task = asyncio.create_task(self._send(gathered), name="outbox")
            self._sending.add(task)
            # A failed send is kept for the checkpoint that waits for it.
            task.add_done_callback(self._forget_success)

    def cut(self) -> None:
        """Send what was gathered so far (see :class:`transport.checkpoint.Store`)."""
        self.post()

    async def flushed(self, _mark: None) -> None:
        """Return once what is being sent now, all up to the cut and more, is acknowledged or void.

        Raises:
            Exception: what a message could not be sent for.
        """
        if self._sending:
            # Not gather: it ends as cancelled with a task that `void` cancels, and would end the
            # checkpoint that waits here, and all later ones with it.
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_EXCEPTION)
            for task in self._sending:
                if task.done() and not task.cancelled():
                    task.result()

    def void(self) -> None:
        """Forget what is not acknowledged; it will be sent again."""
        self._gathered.clear()
        for task in list(self._sending):
            task.cancel()
        self._sending.clear()

    def _forget_success(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._sending.discard(task)

    async def _send(self, gathered: dict[tuple[str, int], list[KeyValue]]) -> None:
        acknowledgements: list[Awaitable[Any]] = []
        async with self._order:
            for (topic, partition), messages in gathered.items():
                acknowledgements += await send_batches(
                    self._app, topic, partition, messages, self._headers
                )
        await asyncio.gather(*acknowledgements)
