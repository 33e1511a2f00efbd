"""docs/api.md says what the API is: its addresses, parameters, defaults, fields and events."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel

from tests.test_docs import names, rows, section
from tests.web.conftest import Client
from web import asked, shapes
from web.events import EVENTS
from web.problems import Problem

PAGE = "docs/api.md"

ADDRESSES: dict[str, tuple[type[BaseModel], Any]] = {
    "/api/tickers": (asked.TickersAsked, shapes.TickerRow),
    "/api/tickers/{ticker}": (asked.TickerAsked, None),
    "/api/tickers/{ticker}/bars": (asked.BarsAsked, shapes.BarRow),
    "/api/tickers/{ticker}/news": (asked.NewsAsked, shapes.NewsRow),
    "/api/tickers/{ticker}/posts": (asked.PostsAsked, shapes.PostRow),
    "/api/tickers/{ticker}/sentiment": (asked.SentimentAsked, shapes.SentimentRow),
    "/api/tickers/{ticker}/trend": (asked.TrendAsked, shapes.TrendRow),
    "/api/alerts": (asked.AlertsAsked, shapes.AlertRow),
    "/api/economy": (asked.EconomyAsked, shapes.SeriesRow),
    "/api/economy/{series}": (asked.SeriesAsked, shapes.ObservationRow),
    "/api/stream": (asked.StreamAsked, None),
}
#: Beside the data: looked at by people, with few parameters or none.
OTHERS = {"/tables/", "/tables/{name}/", "/tables/{name}/{key}"}
OTHERS |= {"/topics/", "/topics/{name}/", "/topics/{name}/{partition}"}


def part(address: str) -> str:
    return section(PAGE, f"`GET {address}`")


def tables(address: str) -> tuple[list[list[str]], list[list[str]]]:
    """The rows about parameters (three cells) and those about fields (two cells)."""
    found = rows(part(address))
    return [row for row in found if len(row) == 3], [row for row in found if len(row) == 2]


async def test_the_page_has_the_addresses_of_the_server(bare: Client) -> None:
    routes = {
        re.sub(r":\[\^/\]\+", "", route.resource.canonical)
        for route in bare.app.router.routes()
        if route.resource is not None and route.method == "GET"
    }
    data = {path for path in routes if path.startswith(("/api/", "/tables/", "/topics/"))}
    assert data == ADDRESSES.keys() | OTHERS
    for address in data:
        assert part(address)


@pytest.mark.parametrize("address", ADDRESSES)
def test_parameters_and_defaults_are_those_of_the_program(address: str) -> None:
    model = ADDRESSES[address][0]
    parameters, _ = tables(address)
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    in_path = set(re.findall(r"{(\w+)}", address))
    listed = {name for row in parameters for name in names(row[0])}
    listed |= set(names(part(address).partition("Parameter:")[2].partition("\n")[0]))
    assert listed == set(fields) - in_path
    for row in parameters:
        for name in names(row[0]) if row[1] else []:
            default = fields[name].default
            shown = ",".join(default) if isinstance(default, tuple) else str(default)
            assert names(row[1]) == [shown]


@pytest.mark.parametrize("address", [name for name, (_, row) in ADDRESSES.items() if row])
def test_fields_are_those_of_the_rows(address: str) -> None:
    row = ADDRESSES[address][1]
    _, fields = tables(address)
    assert {name for cells in fields for name in names(cells[0])} == set(row.__annotations__)


def test_events_are_those_of_the_stream() -> None:
    _, events = tables("/api/stream")
    assert {name for row in events for name in names(row[0])} == set(EVENTS)


def test_every_parameter_has_a_remedy() -> None:
    for model, _ in ADDRESSES.values():
        for name, field in model.model_fields.items():
            assert (field.alias or name) in asked.REMEDIES


def test_the_error_on_the_page_is_one() -> None:
    remedy = asked.REMEDIES["limit"]
    problem = Problem(400, "limit", "0", "Input should be greater than or equal to 1", remedy)
    block = re.search(r"```json\n(.*?)```", section(PAGE, "Rules for all addresses"), re.DOTALL)
    assert block is not None
    assert problem.content.keys() == set(re.findall(r'"(\w+)":', block[1])) - {"error"}
    for value in problem.content.values():
        assert str(value) in block[1]
