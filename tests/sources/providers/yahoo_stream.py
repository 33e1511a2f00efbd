"""Streams trades as Yahoo Finance does: protobuf in base64 in JSON, over a WebSocket."""

from __future__ import annotations

import base64
import json
import threading
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from yfinance.pricing_pb2 import PricingData


def message(ticker: str, price: float, time_ms: int, day_volume: int | None = None) -> str:
    """Return one trade as Yahoo writes it."""
    pricing: Any = PricingData(
        id=ticker, price=price, time=time_ms, currency="USD", exchange="NMS", market_hours=1
    )
    if day_volume is not None:
        pricing.day_volume = day_volume
    encoded = base64.b64encode(pricing.SerializeToString()).decode()
    return json.dumps({"type": "pricing", "message": encoded})


class StreamServer:
    """Accepts connections, and says to all of them what a test tells it to say.

    Attributes:
        url: its address.
        subscribed: what each connection asked for, in the order in which they came.
    """

    def __init__(self) -> None:
        self.subscribed: list[set[str]] = []
        self._connections: list[ServerConnection] = []
        self._changed = threading.Condition()
        self._server = serve(self._serve, "127.0.0.1", 0)
        host, port = self._server.socket.getsockname()[:2]
        self.url = f"ws://{host}:{port}/?version=2"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def wait_subscribed(self, connections: int, tickers: set[str], timeout: float = 15.0) -> None:
        """Return once so many connections came, the last of which follows ``tickers``."""
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: len(self.subscribed) >= connections and self.subscribed[-1] == tickers,
                timeout,
            )
        if not arrived:
            raise TimeoutError(f"{self.subscribed} instead of {connections} with {tickers}")

    def say(self, text: str | bytes) -> None:
        """Send a message to the last connection."""
        self._connections[-1].send(text)

    def close_cleanly(self) -> None:
        """End the last connection as the protocol has it."""
        self._connections[-1].close()

    def cut(self) -> None:
        """Break the last connection."""
        self._connections[-1].close_socket()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        for connection in self._connections:
            connection.close_socket()
        self._thread.join(5)

    def _serve(self, connection: ServerConnection) -> None:
        number = len(self.subscribed)
        with self._changed:
            self._connections.append(connection)
            self.subscribed.append(set())
        try:
            for text in connection:
                asked = json.loads(text)
                with self._changed:
                    self.subscribed[number] |= set(asked.get("subscribe", ()))
                    self.subscribed[number] -= set(asked.get("unsubscribe", ()))
                    self._changed.notify_all()
        except ConnectionClosed:
            return
