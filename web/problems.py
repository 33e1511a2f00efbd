"""The one shape that every error of the API has; people get a page that says the same.

::

    {"error": {"field": "limit", "value": "0", "reason": "...", "remedy": "..."}}
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web
from pydantic import ValidationError

from errors import shorten
from web.html import escaped, page

#: What to do about a status that says nothing else.
_REMEDIES = {
    401: "send the header `Authorization: Bearer <WEB_TOKEN>`, or log in at /login",
    404: "docs/api.md lists the addresses",
    405: "use GET",
    413: "send less",
}


class Problem(Exception):
    """A request that gets an error for an answer.

    Args:
        status: of HTTP.
        field: the parameter at fault; ``"request"`` where the whole is.
        value: what it was, as it came.
        reason: what is wrong with it.
        remedy: what would be right.
        retry_after_s: when asking again makes sense, if it does.
    """

    def __init__(
        self,
        status: int,
        field: str,
        value: object,
        reason: str,
        remedy: str,
        *,
        retry_after_s: int | None = None,
    ) -> None:
        self.status = status
        shown = value if isinstance(value, str) and len(value) <= 80 else shorten(value)
        self.content = {
            "field": _writable(field),
            "value": _writable(shown),
            "reason": _writable(reason),
            "remedy": remedy,
        }
        self.retry_after_s = retry_after_s
        super().__init__(reason)

    def response(self, *, as_page: bool = False) -> web.Response:
        """Return the answer: JSON, or a page for people."""
        headers: Mapping[str, str] = (
            {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        )
        if as_page:
            answer = page(str(self.status), self._body(), self.status)
            answer.headers.update(headers)
            return answer
        return web.Response(
            body=orjson.dumps({"error": self.content}),
            status=self.status,
            content_type="application/json",
            headers=headers,
        )

    def _body(self) -> str:
        told = {name: escaped(text) for name, text in self.content.items()}
        return (
            '<nav><a href="/">Financial Trends</a> / <a href="/tables/">Tables</a> / '
            f'<a href="/topics/">Topics</a></nav><h1>{self.status}: {told["reason"]}</h1>'
            f"<p>{told['field']}: <code>{told['value']}</code></p><p>{told['remedy']}</p>"
        )


def _writable(text: str) -> str:
    """Return a text that JSON can hold: what came need not have been UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def of_validation(error: ValidationError, remedies: Mapping[str, str]) -> Problem:
    """Return the first complaint of pydantic as a problem; ``remedies`` are by field."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = str(first["loc"][0]) if first["loc"] else "request"
    if first["type"] == "extra_forbidden":
        known = ", ".join(remedies)
        return Problem(
            400, field, first["input"], "there is no such parameter", f"there are: {known}"
        )
    remedy = remedies.get(field, "docs/api.md lists the parameters")
    return Problem(400, field, first["input"], first["msg"].removeprefix("Value error, "), remedy)


def of_status(error: web.HTTPException, path: str) -> Problem:
    """Return aiohttp's own answer (not found, wrong method, too large) in our shape."""
    remedy = _REMEDIES.get(error.status, "docs/api.md lists what can be asked")
    return Problem(error.status, "request", path, error.reason.lower(), remedy)
