"""Which TCP port of the loopback address a server gets."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Container

from embedded.errors import EmbeddedError

HOST = "127.0.0.1"

# Below the range from which Linux takes the ports of outgoing connections (32768 and up): a client
# that retries a stopped server's port from within that range can connect to itself, and the server
# then finds its port taken when it comes back.
_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a predecessor that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts(port: int, timeout_s: float = 0.5) -> bool:
    """Tell whether something accepts connections on this port of the loopback address."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def free_port(exclude: Container[int] = ()) -> int:
    """Return a free port, none of `exclude`.

    Raises:
        EmbeddedError: none was found.
    """
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in exclude and is_free(port):
            return port
    raise EmbeddedError(f"No free TCP port found on {HOST} in {_LOWEST}-{_HIGHEST}.")


def choose(candidates: list[int | None], exclude: Container[int] = ()) -> int:
    """Return the first candidate that is free and not excluded, or else any free port."""
    for port in candidates:
        if port is not None and port not in exclude and is_free(port):
            return port
    return free_port(exclude)
