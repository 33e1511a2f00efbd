"""Small pages without a script: the log-in and the tables. Everything put in is escaped."""

from __future__ import annotations

import html
from string import Template

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
