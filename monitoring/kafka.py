"""The brokers, asked beside the stream: the worker's own consumer is left alone.

Its thread fetches and commits; a question that waits there for a broker that is away would hold
both up.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from broker import Broker
from config import Settings

#: Longest wait for one answer, in seconds; Prometheus and probes give up after ten or so.
PATIENCE_S = 3.0

P = ParamSpec("P")
T = TypeVar("T")


class Kafka:
    """A :class:`broker.Broker` for the event loop; it connects when first asked.

    One question at a time, in a thread of its own.

    Args:
        settings: where the brokers are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ask-kafka")
        self._broker: Broker | None = None

    async def ask(
        self,
        question: Callable[Concatenate[Broker, P], T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """Return what ``question`` returns when it is called with the broker and the arguments.

        Raises:
            BrokerUnavailable: no broker answers within :data:`PATIENCE_S`.
        """
        call = functools.partial(self._ask, question, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _ask(
        self,
        question: Callable[Concatenate[Broker, P], T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        if self._broker is None:
            self._broker = Broker(self._settings, PATIENCE_S)
        return question(self._broker, *arguments, **named)

    async def close(self) -> None:
        """Give up the connections, once the question under way is answered."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        if self._broker is not None:
            self._broker.__exit__()
            self._broker = None
