"""Whom the web server may be open to, before it opens."""

from __future__ import annotations

import ipaddress
import socket

from config import Settings
from errors import ConfigurationError


def is_loopback(host: str) -> bool:
    """Tell whether only programs on this machine reach ``host``.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("192.168.1.5"), is_loopback("example.org")
    (False, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings) -> None:
    """Refuse to be open to other machines without a token.

    Raises:
        ConfigurationError: names both settings.
    """
    if settings.web_token is None and not is_loopback(settings.web_host):
        raise ConfigurationError(
            f"setting WEB_HOST is {settings.web_host!r}, which other machines reach, and there is "
            "no WEB_TOKEN: set WEB_TOKEN to 16 or more random characters "
            "(`python -c 'import secrets; print(secrets.token_urlsafe())'`), "
            "or WEB_HOST=127.0.0.1"
        )


def advertised_host(settings: Settings) -> str:
    """Return the host under which other workers reach this one's web server.

    A worker that binds every address is known by its machine's name, which containers of one
    network resolve; 0.0.0.0 would lead each worker to itself.
    """
    if settings.web_host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return socket.gethostname()
    return settings.web_host


def is_ip(host: str) -> bool:
    """Tell whether ``host`` is an address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
