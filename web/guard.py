"""Who may ask, and what every answer says to browsers.

Three attacks on a server that only listens on loopback come through the user's own browser: a page
elsewhere that sends requests here (the Origin tells), a name elsewhere that resolves to 127.0.0.1
(the Host tells), and text from outside that becomes script (the Content-Security-Policy forbids
it). A token keeps everybody else out. All of it holds for Faust's own pages as well.
"""

from __future__ import annotations

import hmac
import logging
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web
from pymongo.errors import PyMongoError
from yarl import URL

from config import Settings
from sources.token_bucket import TokenBucket
from web.exposure import is_ip
from web.html import wants_page
from web.problems import Problem, of_status
from web.sessions import COOKIE, Sessions

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What answers without a token: the form that asks for it, files that hold no data, and whether
#: the worker is well, which says no more than that.
OPEN_PATHS = ("/login", "/static/", "/health/")

#: Requests that one address may send in a minute, and at once.
REQUESTS_PER_MINUTE = 3_000
#: Wrong tokens that one address may send in a minute, and at once.
FAILURES_PER_MINUTE = 10
#: Addresses whose requests are counted; the one unheard of for longest goes first.
_KEPT_ADDRESSES = 4_096

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": then browsers name no origin with a form, and the log-in would be refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """The checks before every request, and the headers on every answer.

    Args:
        settings: with the token, if there is one.
    """

    def __init__(self, settings: Settings) -> None:
        token = settings.web_token
        self._token = None if token is None else token.get_secret_value().encode()
        self.sessions = None if self._token is None else Sessions(self._token)
        self._names = {"localhost", settings.web_host.lower(), socket.gethostname().lower()}
        self._names |= {name.lower() for name in settings.web_allowed_hosts}
        self._requests = _Buckets(REQUESTS_PER_MINUTE)
        self._failures = _Buckets(FAILURES_PER_MINUTE)

    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or say why not, in the one shape of errors; to people as a page."""
        try:
            self._check(request)
            return await handler(request)
        except Problem as problem:
            if problem.status == 401 and _wants_page(request):
                return web.Response(status=303, headers={"Location": _login(request)})
            return _answer(request, problem)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return _answer(request, of_status(error, request.path))
        except PyMongoError as error:
            log.warning("%s: MongoDB does not answer: %s", request.path, error)
            reason, remedy = "MongoDB does not answer in time", "ask again, or for less at once"
            away = Problem(503, "request", request.path, reason, remedy, retry_after_s=2)
            return _answer(request, away)

    def is_token(self, given: bytes) -> bool:
        """Tell in constant time whether ``given`` is the token."""
        return self._token is not None and hmac.compare_digest(given, self._token)

    def count_failure(self, request: web.Request) -> None:
        """Count a wrong token against the one who sent it."""
        self._failures.of(request).spend()

    def check_failures(self, request: web.Request) -> None:
        """Refuse those who have guessed too often.

        Raises:
            Problem: status 429.
        """
        _spendable(self._failures.of(request), request, "too many wrong tokens")

    def _check(self, request: web.Request) -> None:
        self._check_host(request)
        self._check_origin(request)
        bucket = self._requests.of(request)
        _spendable(bucket, request, f"more than {REQUESTS_PER_MINUTE} requests a minute")
        bucket.spend()
        if self._token is not None and not request.path.startswith(OPEN_PATHS):
            self._check_token(request)

    def _check_host(self, request: web.Request) -> None:
        given = request.headers.get("Host", "")
        try:
            host = (URL(f"http://{given}").host or "").lower()
        except ValueError:
            host = ""
        # An address cannot be made to resolve to another one, as a name can.
        if host not in self._names and not is_ip(host):
            raise Problem(
                421,
                "Host",
                given,
                "this server does not answer under that name",
                "use its address or localhost, or add the name to WEB_ALLOWED_HOSTS",
            )

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        navigates = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
        foreign = origin is not None and origin.partition("://")[2] != request.headers.get("Host")
        if foreign or (site in ("cross-site", "same-site") and not navigates):
            raise Problem(
                403,
                "Origin",
                origin or site,
                "the request comes from another site's page",
                "open the page of this server, or ask without a browser",
            )

    def _check_token(self, request: web.Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self.check_failures(request)
            if self.is_token(given.strip().encode("utf-8", "surrogateescape")):
                return
            self.count_failure(request)
            reason = "the token is wrong"
        elif self.sessions is not None and self.sessions.is_valid(request.cookies.get(COOKIE, "")):
            return
        else:
            reason = "a token is needed"
        raise Problem(
            401,
            "Authorization",
            scheme,
            reason,
            "send `Authorization: Bearer <WEB_TOKEN>`, or log in at /login",
        )


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers for browsers on an answer, whoever made it."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    # Files hold no data: they may be kept, and are asked for anew by their ETag.
    static = request.path.startswith("/static/")
    response.headers["Cache-Control"] = "no-cache" if static else "no-store"
    response.headers.popall("Server", None)
    if response.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="financial-trends"'


class _Buckets:
    """A bucket of requests for each address that asks."""

    def __init__(self, per_minute: float) -> None:
        self._per_minute = per_minute
        self._by_address: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, request: web.Request) -> TokenBucket:
        address = request.remote or ""
        bucket = self._by_address.pop(address, None) or TokenBucket(self._per_minute)
        self._by_address[address] = bucket
        if len(self._by_address) > _KEPT_ADDRESSES:
            self._by_address.popitem(last=False)
        return bucket


def _spendable(bucket: TokenBucket, request: web.Request, reason: str) -> None:
    wait_s = bucket.wait()
    if wait_s > 0:
        seconds = int(wait_s) + 1
        remedy = f"wait {seconds} s"
        raise Problem(429, "request", request.path, reason, remedy, retry_after_s=seconds)


def _wants_page(request: web.Request) -> bool:
    return request.method == "GET" and wants_page(request)


def _answer(request: web.Request, problem: Problem) -> web.Response:
    """Return a problem as who asks reads it. The API answers in its own form, whoever asks."""
    return problem.response(as_page=wants_page(request) and not request.path.startswith("/api/"))


def _login(request: web.Request) -> str:
    return f"/login?next={quote(request.path_qs, safe='')}"
