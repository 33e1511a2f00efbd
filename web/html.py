"""Small pages without a script: the log-in, tables, topics. Everything put in is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping
from string import Template
from typing import Any

from aiohttp import web

from sinks.documents import as_date

_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title · Financial Trends</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/css/theme.css">
<link rel="stylesheet" href="/static/css/plain.css">
</head>
<body class="plain">
<main>
$body
</main>
</body>
</html>
"""
)


def escaped(text: object) -> str:
    """Return any text as it may stand in HTML, attributes included."""
    return html.escape(str(text), quote=True)


def page(title: str, body: str, status: int = 200) -> web.Response:
    """Return a page; ``body`` is HTML whose parts from outside are escaped already."""
    text = _PAGE.substitute(title=escaped(title), body=body)
    return web.Response(text=text, status=status, content_type="text/html")


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks, and not a program."""
    return "text/html" in request.headers.get("Accept", "")


#: Names under which our Records have milliseconds since the epoch.
_TIMES = frozenset({"time", "ingested", "realtime_start", "last_time"})
#: From where on a number is written without decimals.
_LARGE = 100_000


def shown(value: Any, name: str = "") -> str:
    """Return a row or a message as nested tables of names and values; ``name`` is the value's."""
    if isinstance(value, Mapping):
        rows = "".join(
            f"<tr><th>{escaped(key)}</th><td>{shown(inner, str(key))}</td></tr>"
            for key, inner in value.items()
        )
        return f'<table class="row"><tbody>{rows}</tbody></table>'
    if value is None:
        return '<span class="none">–</span>'
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(f"<span>{shown(inner)}</span>" for inner in value) or shown(None)
    if isinstance(value, int | float):
        return f'<span class="number">{_number(value, name)}</span>'
    return escaped(value)


def _number(value: float, name: str) -> str:
    if name in _TIMES and isinstance(value, int):
        try:
            return f"{as_date(value):%Y-%m-%d %H:%M:%S} UTC"
        except (ValueError, OverflowError):
            return str(value)
    if isinstance(value, int):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:,.6g}"
