"""``/topics/``: pages for people, JSON for programs, as for the tables.

What a look at Kafka needs, for those without a Kafka UI: nothing here changes data or commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from config import Settings
from errors import BrokerUnavailable
from monitoring.kafka import Kafka
from monitoring.peek import peek
from monitoring.topics import Look, Looks, Place
from sinks.documents import as_date
from web.answers import as_json
from web.asked import PeekAsked, read
from web.html import escaped, page, shown, wants_page
from web.problems import Problem

#: When asking again makes sense, in seconds.
_RETRY_S = 3

_NAV = '<nav><a href="/">Financial Trends</a>'


class TopicPages:
    """The views of the topics.

    Args:
        settings: whose group.
        kafka: asks the brokers; a look may take its time, so not the one of the metrics.
    """

    def __init__(self, settings: Settings, kafka: Kafka) -> None:
        self._group = settings.app_id
        self._kafka = kafka
        self._looks = Looks(settings, kafka)

    async def all(self, request: web.Request) -> web.Response:
        """``GET /topics/``: every topic of the program, how far it reaches, and who lags."""
        look, before = await self._look(request)
        rows: list[dict[str, Any]] = [
            {"name": name, "partitions": len(look.places(name))}
            | _numbers(look, before, look.places(name))
            for name in look.names
        ]
        seconds = None if before is None else round(look.at - before.at, 1)
        if not wants_page(request):
            return as_json(
                request,
                {
                    "topics": rows,
                    "groups": list(look.committed),
                    "seconds": seconds,
                    "left_out": look.left_out,
                },
            )
        lines = "".join(
            f'<tr><td><a href="/topics/{quote(row["name"])}/">{escaped(row["name"])}</a></td>'
            f"{_number(row['partitions'])}{_cells(row, look)}</tr>"
            for row in rows
        )
        left_out = f"<p>{look.left_out:,} more are left out.</p>" if look.left_out else ""
        head = f'<th>topic</th><th class="number">partitions</th>{_head(look)}'
        body = f"{_NAV}</nav><h1>Topics</h1>{_explained(seconds)}{_table(head, lines)}{left_out}"
        return page("Topics", body)

    async def one(self, request: web.Request) -> web.Response:
        """``GET /topics/{name}/``: the partitions of a topic."""
        name = request.match_info["name"]
        look, before = await self._look(request)
        places = _require(look, name)
        rows: list[dict[str, Any]] = [
            {"partition": place[1], "begin": look.begins[place], "end": look.ends[place]}
            | _numbers(look, before, [place])
            for place in places
        ]
        seconds = None if before is None else round(look.at - before.at, 1)
        if not wants_page(request):
            groups = list(look.committed)
            return as_json(
                request, {"topic": name, "partitions": rows, "groups": groups, "seconds": seconds}
            )
        lines = "".join(
            f'<tr><td><a href="/topics/{quote(name)}/{row["partition"]}">'
            f"{row['partition']}</a></td>"
            f"{_number(row['begin'])}{_number(row['end'])}{_cells(row, look)}</tr>"
            for row in rows
        )
        head = (
            f'<th>partition</th><th class="number">begin</th><th class="number">end</th>'
            f"{_head(look)}"
        )
        body = (
            f'{_NAV} / <a href="/topics/">Topics</a></nav><h1>{escaped(name)}</h1>'
            f"{_explained(seconds)}"
            f"{_table(head, lines)}"
        )
        return page(name, body)

    async def messages(self, request: web.Request) -> web.Response:
        """``GET /topics/{name}/{partition}``: the last messages of a partition, decoded."""
        asked = read(PeekAsked, request)
        look, _ = await self._look(request)
        numbers = [number for _, number in _require(look, asked.name)]
        if asked.partition not in numbers:
            raise Problem(
                404,
                "partition",
                str(asked.partition),
                f"{asked.name} has no such partition",
                f"there are: 0 to {max(numbers)}",
            )
        try:
            found = await self._kafka.ask(
                peek, self._group, asked.name, asked.partition, asked.last
            )
        except BrokerUnavailable as error:
            raise _away(request, error) from None
        if not wants_page(request):
            return as_json(request, {"topic": asked.name, "partition": asked.partition} | found)
        place = f"/topics/{quote(asked.name)}/"
        lines = "".join(_line(message) for message in reversed(found["messages"]))
        head = '<th class="number">offset</th><th>sent</th><th>key</th><th>value</th>'
        body = (
            f'{_NAV} / <a href="/topics/">Topics</a> / '
            f'<a href="{place}">{escaped(asked.name)}</a></nav>'
            f"<h1>{escaped(asked.name)}/{asked.partition}</h1>"
            f"<p>Offsets {found['begin']:,} to {found['end']:,}; the last messages, newest first."
            f"</p>{_table(head, lines)}"
        )
        return page(f"{asked.name}/{asked.partition}", body)

    async def _look(self, request: web.Request) -> tuple[Look, Look | None]:
        try:
            return await self._looks.now()
        except BrokerUnavailable as error:
            raise _away(request, error) from None


def _numbers(look: Look, before: Look | None, places: Sequence[Place]) -> dict[str, Any]:
    rate = look.rate(before, places)
    return {
        "messages": look.messages(places),
        "rate": None if rate is None else round(rate, 2),
        "lag": {
            group: lag for group in look.committed if (lag := look.lag(group, places)) is not None
        },
    }


def _require(look: Look, name: str) -> list[Place]:
    places = look.places(name)
    if not places:
        known = ", ".join(look.names)
        raise Problem(404, "name", name, "there is no such topic", f"there are: {known}")
    return places


def _away(request: web.Request, error: BrokerUnavailable) -> Problem:
    remedy = f"ask again in {_RETRY_S} s"
    return Problem(503, "request", request.path, str(error), remedy, retry_after_s=_RETRY_S)


def _explained(seconds: float | None) -> str:
    since = "with the next look" if seconds is None else f"of the last {seconds:,} s"
    return (
        f"<p>Messages kept, messages a second ({since}), and how many each group has not "
        'committed. <a href="">Look again</a></p>'
    )


def _table(head: str, lines: str) -> str:
    """Return a table that scrolls by itself where it is too wide, by keyboard as well."""
    return (
        '<div class="wide" role="region" aria-label="Table" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _head(look: Look) -> str:
    groups = "".join(f'<th class="number">lag of {escaped(group)}</th>' for group in look.committed)
    return f'<th class="number">messages</th><th class="number">a second</th>{groups}'


def _cells(row: dict[str, Any], look: Look) -> str:
    lags = "".join(_number(row["lag"].get(group)) for group in look.committed)
    return f"{_number(row['messages'])}{_number(row['rate'])}{lags}"


def _number(value: float | None) -> str:
    return f'<td class="number">{"–" if value is None else f"{value:,}"}</td>'


def _line(message: dict[str, Any]) -> str:
    sent = message["time"]
    moment = "–" if sent is None else f"{as_date(sent):%Y-%m-%d %H:%M:%S} UTC"
    cut = f"<p>The first of {message['size']:,} bytes.</p>" if message["truncated"] else ""
    return (
        f"{_number(message['offset'])}<td>{escaped(moment)}</td>"
        f"<td>{shown(message['key'])}</td><td>{cut}{shown(message['value'])}</td>"
    ).join(("<tr>", "</tr>"))
