"""Small pages without a script: the log-in, tables, topics. Everything put in is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping
from string import Template
from typing import Any

import orjson
from aiohttp import web

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


def shown(value: Any) -> str:
    """Return a row or a message as nested tables of names and values."""
    if isinstance(value, Mapping):
        rows = "".join(
            f"<tr><th>{escaped(name)}</th><td>{shown(inner)}</td></tr>"
            for name, inner in value.items()
        )
        return f'<table class="row"><tbody>{rows}</tbody></table>'
    if value is None:
        return '<span class="none">none yet</span>'
    if isinstance(value, float):
        return f'<span class="number">{value:,.6g}</span>'
    if isinstance(value, list):
        return f"<code>{escaped(orjson.dumps(value).decode())}</code>"
    return escaped(value)
