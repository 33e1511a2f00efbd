"""How answers leave: as JSON or CSV, with an ETag, and 304 where nothing has changed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from sinks.documents import as_date

#: What CSV writes as ISO 8601: numbers under these names are milliseconds.
_TIMES = frozenset({"time", "ingested", "realtime_start"})


def as_json(request: web.Request, content: Mapping[str, Any]) -> web.Response:
    """Answer with JSON; times are milliseconds since the epoch, UTC, as on the wire."""
    return _tagged(request, orjson.dumps(content), "application/json", content.get("next"))


def as_csv(
    request: web.Request,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    following: str | None = None,
) -> web.Response:
    """Answer with a table; times are ISO 8601, what is missing is empty.

    Rows may have maps in them: ``indicators.rsi`` is the column ``rsi`` of ``indicators``.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.rpartition(".")[2] for column in columns])
    for row in rows:
        writer.writerow([_cell(row, column) for column in columns])
    return _tagged(request, text.getvalue().encode(), "text/csv", following)


def _cell(row: Mapping[str, Any], column: str) -> Any:
    outer, dot, inner = column.partition(".")
    value = (row.get(outer) or {}).get(inner) if dot else row.get(column)
    if value is None:
        return ""
    if column in _TIMES:
        return as_date(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


def _tagged(
    request: web.Request, body: bytes, content_type: str, following: str | None
) -> web.Response:
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    headers = {"ETag": f'"{tag}"', "Vary": "Accept"}
    if following is not None:
        headers["Link"] = f'<{request.rel_url.update_query(cursor=following)}>; rel="next"'
    known = request.if_none_match or ()
    if any(one.value in (tag, "*") for one in known):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)
