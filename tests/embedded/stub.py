"""A server that needs nothing but Python, for what all servers have in common."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from embedded import ports
from embedded.process import ServerProcess

_LISTEN = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    print("listening", flush=True)
    while True:
        server.accept()[0].close()
"""


class Stub(ServerProcess):
    """Accepts connections, or runs another program if `script` is set."""

    name: ClassVar[str] = "stub"
    title: ClassVar[str] = "Stub"
    usual_port: ClassVar[int] = 19_092
    start_timeout_s: ClassVar[float] = 10.0
    script: str = _LISTEN

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{ports.HOST}:{self.port}"

    def answers(self) -> bool:
        """Tell whether it listens."""
        return ports.accepts(self.port)

    def _ready(self) -> bool:
        return self.answers()

    def _command(self) -> list[str]:
        return [sys.executable, "-c", self.script, str(self.port)]


def stub(data_dir: Path, port: int | None = None, script: str = _LISTEN) -> Stub:
    """Return a stub in this folder."""
    server = Stub(data_dir, port, avoid_usual_port=True)
    server.script = script
    return server
