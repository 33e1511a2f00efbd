"""aiokafka's connection, mended for uvloop.

A write on a connection that closed a moment ago raises OSError in asyncio's own loop, which
aiokafka expects, but RuntimeError in uvloop, which ends aiokafka's background tasks for good: after
a restart of the broker a worker would wait for ever for metadata that nobody fetches any more.
"""

from __future__ import annotations

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError


class SteadyConnection(conn.AIOKafkaConnection):
    """A connection whose failing writes are connection errors, whatever the event loop."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Send ``request``; returns an awaitable of the response.

        Raises:
            KafkaConnectionError: the connection is closed.
        """
        try:
            return super().send(request, expect_response=expect_response)
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"connection is closed: {error}") from error


def install() -> None:
    """Let aiokafka make such connections; its clients look the class up by this name."""
    conn.AIOKafkaConnection = SteadyConnection
