"""A look into the tables: what this worker holds, and any key's row, wherever it is."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
from aiohttp import web
from faust.types import AppT
from yarl import URL

from config import Settings
from web.problems import Problem

#: Says that a question was passed on already, so that two workers cannot pass it back and forth.
PASSED_ON = "X-Passed-On"
#: What is passed on with a question: who asks, and in which form.
_HEADERS = ("Authorization", "Cookie", "Accept")
#: Longest wait for the owner's answer, in seconds.
_PATIENCE_S = 5.0
#: When asking again makes sense: a worker that died is known to be dead after 10 s.
_RETRY_S = 3


class Tables:
    """Reads tables, here and at other workers.

    Args:
        app: whose tables.
        settings: this worker's address.
    """

    def __init__(self, app: AppT, settings: Settings) -> None:
        self._app: Any = app
        self._settings = settings

    def overview(self) -> list[dict[str, Any]]:
        """Return each table's name, what it is for, and how many rows this worker holds."""
        return [
            {"name": table.name, "help": table.help, "rows": len(table.data)}
            for table in self._app.tables.values()
        ]

    def keys(self, name: str, after: str, limit: int) -> tuple[list[str], bool]:
        """Return this worker's keys behind ``after``, sorted, and whether there are more.

        Raises:
            Problem: there is no such table.
        """
        found = sorted(key for key in self._table(name).data if key > after)
        return found[:limit], len(found) > limit

    async def row(self, request: web.Request, name: str, key: str) -> Any:
        """Return the row of ``key`` as its owner has it.

        Raises:
            Problem: 404 without such a table or row; 503 while nobody can tell.
        """
        table = self._table(name)
        owner = self._owner(name, key)
        # Not every key's hash tells its partition; and only rows of own partitions are here.
        if owner is None or key in table.data:
            return self._row(table, key)
        if PASSED_ON in request.headers:
            raise _nobody(key, "its owner is changing")
        return await self._ask(owner, request, key)

    def _table(self, name: str) -> Any:
        table = self._app.tables.get(name)
        if table is None:
            known = ", ".join(self._app.tables)
            raise Problem(404, "name", name, "there is no such table", f"there are: {known}")
        return table

    def _row(self, table: Any, key: str) -> Any:
        try:
            row = table[key]
        except KeyError:
            raise Problem(
                404, "key", key, "the table has no such row", f"see /tables/{table.name}/"
            ) from None
        # As Faust's own pages do.
        return row.__json__() if hasattr(row, "__json__") else row

    def _owner(self, name: str, key: str) -> URL | None:
        """Return the address of the worker that has ``key``; None where it is this one."""
        app = self._app
        recovered = app.tables.recovery.completed.is_set()
        if app.rebalancing or app.in_recovery or not recovered:
            raise _nobody(key, "the workers are sharing the tables out anew")
        try:
            url: URL = app.router.key_store(name, key)
        except KeyError:
            raise _nobody(key, "no worker has it yet") from None
        here = app.conf.canonical_url
        if (url.host, url.port) != (here.host, here.port):
            return url
        return None

    async def _ask(self, owner: URL, request: web.Request, key: str) -> Any:
        url = owner.with_path(request.path, encoded=False)
        headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
        headers |= {PASSED_ON: "1", "Accept": "application/json"}
        try:
            async with self._app.http_client.get(
                url, headers=headers, timeout=aiohttp.ClientTimeout(total=_PATIENCE_S)
            ) as answer:
                content = orjson.loads(await answer.read())
                if answer.status == 200:
                    return content["row"]
                raise _as_told(answer, content)
        except (TimeoutError, aiohttp.ClientError, OSError, orjson.JSONDecodeError):
            raise _nobody(key, f"its owner at {owner.host}:{owner.port} does not answer") from None


def _nobody(key: str, reason: str) -> Problem:
    remedy = f"ask again in {_RETRY_S} s"
    return Problem(503, "key", key, reason, remedy, retry_after_s=_RETRY_S)


def _as_told(answer: aiohttp.ClientResponse, content: Any) -> Problem:
    """Return the owner's own problem."""
    error = content["error"]
    retry = _RETRY_S if answer.status == 503 else None
    told = (error["field"], error["value"], error["reason"], error["remedy"])
    return Problem(answer.status, *told, retry_after_s=retry)
