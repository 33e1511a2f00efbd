"""``/tables/``: pages for people, JSON for programs.

Browsers say that they want HTML; everybody else gets JSON.
"""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from web.answers import as_json
from web.html import escaped, page, shown, wants_page
from web.tables import Tables

#: Keys on one page.
KEYS = 200


class TablePages:
    """The views of the tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self, request: web.Request) -> web.Response:
        """``GET /tables/``: every table, and how many rows this worker holds of it."""
        tables = self._tables.overview()
        if not wants_page(request):
            return as_json(request, {"tables": tables})
        rows = "".join(
            f'<tr><td><a href="/tables/{quote(one["name"])}/">{escaped(one["name"])}</a></td>'
            f'<td>{escaped(one["help"])}</td><td class="number">{one["rows"]:,}</td></tr>'
            for one in tables
        )
        body = (
            '<nav><a href="/">Financial Trends</a></nav><h1>Tables</h1>'
            "<p>Each worker holds the rows of its own partitions; these are this one's.</p>"
            "<table><thead><tr><th>table</th><th>what it holds</th>"
            f'<th class="number">rows here</th></tr></thead><tbody>{rows}</tbody></table>'
        )
        return page("Tables", body)

    async def one(self, request: web.Request) -> web.Response:
        """``GET /tables/{name}/``: the keys of this worker."""
        name = request.match_info["name"]
        keys, more = self._tables.keys(name, request.query.get("after", ""), KEYS)
        following = keys[-1] if more else None
        if not wants_page(request):
            return as_json(request, {"table": name, "keys": keys, "after": following})
        place = f"/tables/{quote(name)}/"
        items = "".join(
            f'<li><a href="{place}{quote(key, safe="")}">{escaped(key)}</a></li>' for key in keys
        )
        further = ""
        if following is not None:
            further = f'<p><a href="{place}?after={quote(following)}">more</a></p>'
        body = (
            f'<nav><a href="/">Financial Trends</a> / <a href="/tables/">Tables</a></nav>'
            f"<h1>{escaped(name)}</h1>"
            f'<form action="{place}find" class="find"><label for="key">Key</label>'
            '<input id="key" name="key" required autocapitalize="characters">'
            "<button>Show</button></form>"
            "<p>Any key can be asked for; these are on this worker.</p>"
            f'<ul class="keys">{items}</ul>{further}'
        )
        return page(name, body)

    async def key(self, request: web.Request) -> web.Response:
        """``GET /tables/{name}/{key}``: the row, whichever worker has it."""
        name, key = request.match_info["name"], request.match_info["key"]
        if key == "find" and "key" in request.query:
            wanted = quote(request.query["key"].strip().upper(), safe="")
            raise web.HTTPFound(f"/tables/{quote(name)}/{wanted}")
        row = await self._tables.row(request, name, key)
        if not wants_page(request):
            return as_json(request, {"table": name, "key": key, "row": row})
        place = f"/tables/{quote(name)}/"
        body = (
            '<nav><a href="/">Financial Trends</a> / <a href="/tables/">Tables</a> / '
            f'<a href="{place}">{escaped(name)}</a></nav><h1>{escaped(key)}</h1>{shown(row)}'
        )
        return page(f"{key} in {name}", body)
