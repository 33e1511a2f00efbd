"""praw's way to Reddit: when requests may go out, how long they may take, what is no answer."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import urlsplit

import prawcore
import requests

from errors import SourceUnavailable
from monitoring.instruments import rate_limited
from sources.answers import BoundedAdapter

#: Reddit counts requests over ten minutes, so no pause that it asks for is longer, in seconds.
LONGEST_PAUSE_S = 600.0


class TokenRefused(SourceUnavailable):
    """The access token was good once; with a new client there will be a new one."""


class Gate:
    """When requests may go out, and how long each may take."""

    def __init__(self, request_timeout_s: float) -> None:
        self.request_timeout_s = request_timeout_s
        self.session = requests.Session()
        bounded = BoundedAdapter("reddit", "REDDIT_BASE_URL", request_timeout_s)
        self.session.mount("https://", bounded)
        self.session.mount("http://", bounded)
        self._given_up = threading.Event()
        self._closed_until = 0.0

    def open(self, given_up: threading.Event) -> None:
        """Begin a fetch, whose requests end once it is ``given_up``."""
        self._given_up = given_up
        self.check()

    def check(self) -> None:
        """Raise SourceUnavailable if nothing may go out now."""
        if self._given_up.is_set():
            raise SourceUnavailable("reddit: the fetch was given up")
        left = self._closed_until - time.monotonic()
        if left > 0:
            raise SourceUnavailable(f"reddit: too many requests, goes on in {left:.0f} s")

    def close_for(self, seconds: float) -> float:
        """Let nothing out for so long, within reason; returns how long that is."""
        seconds = min(max(seconds, 1.0), LONGEST_PAUSE_S)
        self._closed_until = time.monotonic() + seconds
        rate_limited("reddit", seconds)
        return seconds


class Requestor(prawcore.Requestor):
    """praw's way to HTTP, with limits.

    Left alone, praw repeats a failed request twice and sleeps up to ten minutes where the quota is
    used up. Repeating is the schedule's business, and a thread that sleeps cannot be stopped: both
    become errors here, before praw sees them. What stays praw's is to spread requests when the
    quota runs low, ten seconds at most.
    """

    def __init__(self, *, gate: Gate, **kwargs: Any) -> None:
        super().__init__(session=gate.session, **kwargs)
        self._gate = gate

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
        """Ask, if the gate is open, and refuse what is no usable answer."""
        self._gate.check()
        timeout = self._gate.request_timeout_s
        try:
            response = super().request(*args, timeout=timeout, **kwargs)
        except prawcore.RequestException as error:
            if isinstance(error.original_exception, SourceUnavailable):
                raise error.original_exception from None
            host = urlsplit(self.oauth_url).hostname
            kind = type(error.original_exception).__name__
            raise SourceUnavailable(f"reddit: no answer from {host} ({kind})") from None
        if _is_for_token(response):
            # praw announces that it closes this connection, so the other side does; left in the
            # pool it would fail the next request.
            self._gate.session.close()
        self._refuse(response)
        self._count(response)
        return response

    def _refuse(self, response: requests.Response) -> None:
        status = response.status_code
        if status == 200 and response.content:
            return
        if _is_for_token(response) and status in {400, 401, 403}:
            raise SourceUnavailable(
                f"reddit: {status}, the credentials are refused: check REDDIT_CLIENT_ID and "
                "REDDIT_CLIENT_SECRET"
            )
        if status == 401:
            raise TokenRefused("reddit: 401, the access token is refused; the next one will be new")
        if status == 429:
            wait = _seconds(response, "retry-after") or _seconds(response, "x-ratelimit-reset")
            if wait:
                wait = self._gate.close_for(wait)
                raise SourceUnavailable(f"reddit: too many requests, goes on in {wait:.0f} s")
            rate_limited("reddit", 0)
            raise SourceUnavailable("reddit: too many requests")
        if status in {403, 404} or 300 <= status < 400:
            raise SourceUnavailable(
                f"reddit: {status}, not there or not for us: check the subreddits' names"
            )
        raise SourceUnavailable(
            f"reddit: {'an empty answer' if status == 200 else f'the provider answers {status}'}"
        )

    def _count(self, response: requests.Response) -> None:
        remaining, used, reset = (
            _seconds(response, f"x-ratelimit-{name}") for name in ("remaining", "used", "reset")
        )
        if remaining is None or used is None or reset is None:
            # praw stumbles over half of them, and over what is no number.
            response.headers.pop("x-ratelimit-remaining", None)
        elif remaining < 1:
            self._gate.close_for(reset)
            response.headers["x-ratelimit-reset"] = "0"


def _is_for_token(response: requests.Response) -> bool:
    return urlsplit(response.url).path.endswith("/api/v1/access_token")


def _seconds(response: requests.Response, header: str) -> float | None:
    try:
        value = float(response.headers.get(header, ""))
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
