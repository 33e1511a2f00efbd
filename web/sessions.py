"""Logged-in browsers: a signed cookie, which any worker with the same token can read.

The cookie holds when it ends and a signature made with the token. It holds no secret, needs no
memory of the server's, and a new WEB_TOKEN ends all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

COOKIE = "financial_trends_session"
#: How long a log-in lasts.
LIFETIME_S = 7 * 86_400


class Sessions:
    """Makes and checks session cookies.

    Args:
        token: the secret that signs them.
        now: seconds since the epoch.
    """

    def __init__(self, token: bytes, now: Callable[[], float] = time.time) -> None:
        # A key of its own: a signature must not be usable as anything else.
        self._key = hmac.new(token, b"session cookie", hashlib.sha256).digest()
        self._now = now

    def new(self) -> str:
        """Return the cookie of a session that begins now."""
        return self._signed(str(int(self._now()) + LIFETIME_S))

    def is_valid(self, cookie: str) -> bool:
        """Tell whether a cookie is one of ours and has not ended."""
        ends, _, _ = cookie.partition(".")
        if not (ends.isascii() and ends.isdecimal() and len(ends) < 16):
            return False
        right = hmac.compare_digest(
            cookie.encode("utf-8", "surrogateescape"), self._signed(ends).encode()
        )
        return right and int(ends) > self._now()

    def _signed(self, ends: str) -> str:
        return f"{ends}.{hmac.new(self._key, ends.encode(), hashlib.sha256).hexdigest()}"
