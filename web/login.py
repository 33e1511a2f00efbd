"""``/login`` and ``/logout``: the token once, then a cookie."""

from __future__ import annotations

from urllib.parse import parse_qsl

from aiohttp import web

from web.guard import Guard
from web.html import escaped, page
from web.problems import Problem
from web.sessions import COOKIE, LIFETIME_S, Sessions

_FORM_TYPE = "application/x-www-form-urlencoded"
_FORM = """<form method="post" action="/login" class="login">
<h1>Financial Trends</h1>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<input name="next" type="hidden" value="{following}">
<p role="alert" class="alert">{complaint}</p>
<button>Log in</button>
<p class="hint">It is the setting <code>WEB_TOKEN</code> of the worker.</p>
</form>"""


class Login:
    """The form and what it sends.

    Args:
        guard: knows the token.
        sessions: makes the cookies.
    """

    def __init__(self, guard: Guard, sessions: Sessions) -> None:
        self._guard = guard
        self._sessions = sessions

    async def form(self, request: web.Request) -> web.Response:
        """``GET /login``."""
        return _form(_local(request.query.get("next", "/")), "", 200)

    async def log_in(self, request: web.Request) -> web.Response:
        """``POST /login``: a cookie for the right token."""
        self._guard.check_failures(request)
        given = await _fields(request)
        following = _local(given.get("next", "/"))
        if not self._guard.is_token(given.get("token", "").strip().encode()):
            self._guard.count_failure(request)
            return _form(following, "That is not the token.", 401)
        response = web.Response(status=303, headers={"Location": following})
        response.set_cookie(
            COOKIE,
            self._sessions.new(),
            max_age=LIFETIME_S,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response

    async def log_out(self, _: web.Request) -> web.Response:
        """``POST /logout``: the cookie goes."""
        response = web.Response(status=303, headers={"Location": "/login"})
        response.del_cookie(COOKIE, httponly=True, samesite="Strict")
        return response


async def _fields(request: web.Request) -> dict[str, str]:
    """Return the fields of a form, whatever they are called and whatever they hold."""
    if request.content_type != _FORM_TYPE:
        raise Problem(
            415, "Content-Type", request.content_type, "is not a form's", f"send {_FORM_TYPE}"
        )
    # Not `request.post()`: what is no form, or says to be in an odd encoding, makes it fail.
    try:
        body = await request.read()
    except (ConnectionError, RuntimeError):
        # RuntimeError where it ended before the reading began. Nobody reads the answer; without it
        # the log would have a stack trace.
        reason = "the connection ended before the form did"
        raise Problem(400, "request", request.path, reason, "send all of it") from None
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _form(following: str, complaint: str, status: int) -> web.Response:
    body = _FORM.format(following=escaped(following), complaint=escaped(complaint))
    return page("Log in", body, status)


def _local(place: str) -> str:
    r"""Return ``place`` if it is one of this server's, else the page.

    >>> _local("/?t=AAPL"), _local("//evil.example"), _local("/\\evil.example")
    ('/?t=AAPL', '/', '/')
    """
    safe = place.startswith("/") and place.isprintable() and place.isascii() and "\\" not in place
    return place if safe and not place.startswith("//") else "/"
