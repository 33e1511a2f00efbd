"""Sends alerts to webhooks: signed, with time-outs, tried again for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from alerts.webhook import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, Webhook, body, signature

#: Longest wait for a receiver to take a request, or to answer, in seconds.
TIMEOUT_S = 5.0
#: How often one alert is tried: with the pauses between, for some 15 s, and a minute at most.
ATTEMPTS = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0

#: Answers that say: not now.
_PASSING = frozenset({408, 425, 429})


class NotNow(Exception):
    """The receiver may take it when it is tried again."""


class NotDelivered(Exception):
    """The receiver has not taken an alert, and why; its address is not in the message."""


class WebhookSender:
    """Delivers alerts. Each alert at least once: a receiver tells repetitions by their id.

    Args:
        client: does the requests.
        secret: what they are signed with, if they are.
        attempts: how often one alert is tried.
        first_pause_s: the pause after the first one, in seconds; it doubles.
        timeout_s: longest time that one attempt may take, in seconds.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        secret: str | None,
        *,
        attempts: int = ATTEMPTS,
        first_pause_s: float = FIRST_PAUSE_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._client = client
        self._secret = secret
        self._attempts = attempts
        self._first_pause_s = first_pause_s
        self._timeout_s = timeout_s

    async def deliver(
        self,
        webhook: Webhook,
        alert: Mapping[str, Any],
        *,
        patient: bool = True,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Send one alert.

        Args:
            webhook: where to.
            alert: its fields.
            patient: whether to try again what may go well the next time.
            wanted: says, before each further attempt, whether there is any point in it.

        Raises:
            NotDelivered: the receiver does not take it, or does not answer.
        """
        content = orjson.dumps(body(alert))

        def over(state: RetryCallState) -> bool:
            return not patient or not wanted() or stop_after_attempt(self._attempts)(state)

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(NotNow),
            wait=wait_exponential_jitter(
                multiplier=self._first_pause_s, max=LONGEST_PAUSE_S, jitter=self._first_pause_s
            ),
            stop=over,
            reraise=True,
        )
        try:
            await retrying(self._attempt, webhook, str(alert["id"]), content)
        except NotNow as error:
            raise NotDelivered(str(error)) from None

    async def _attempt(self, webhook: Webhook, alert_id: str, content: bytes) -> None:
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            # An id of a text may hold anything.
            ID_HEADER: quote(alert_id, safe="|^=& "),
            TIMESTAMP_HEADER: timestamp,
        }
        if self._secret is not None:
            headers[SIGNATURE_HEADER] = signature(self._secret, timestamp, content)
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await self._status(webhook, content, headers)
        except TimeoutError:
            raise NotNow(f"no answer within {self._timeout_s:g} s") from None
        except (httpx.RequestError, httpx.InvalidURL) as error:
            # Not its words: they may quote the address.
            raise NotNow(f"no answer ({type(error).__name__})") from None
        if 200 <= status < 300:
            return
        if status in _PASSING or status >= 500:
            raise NotNow(f"it answered {status}")
        raise NotDelivered(f"it answered {status}")

    async def _status(self, webhook: Webhook, content: bytes, headers: Mapping[str, str]) -> int:
        """Return what a receiver answers; what it says beside it, however much, is not read."""
        request = self._client.stream("POST", webhook.url, content=content, headers=headers)
        async with request as answer:
            return answer.status_code


def new_client() -> httpx.AsyncClient:
    """Return a client for webhooks: it follows no redirect, as that could lead anywhere."""
    return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
