"""No address passes on anything but texts, numbers and dates of known forms to a query."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import BaseModel
from yarl import URL

from config import read_settings
from fuzz.requests import addresses
from tests.web.conftest import Client
from web import asked

#: What MongoDB would take for an operator, or for several values, in all ways of writing it.
OPERATORS = (
    '{"$ne": ""}',
    '{"$gt": ""}',
    '{"$where": "sleep(1000)"}',
    "{$regex: .*}",
    '["AAPL", "MSFT"]',
    "[$ne]",
    "$where",
    "AAPL\0",
    "AAPL'; return true; //",
)

#: The model of each address with parameters; a new address must be added.
MODELS: dict[str, type[BaseModel]] = {
    "/api/tickers": asked.TickersAsked,
    "/api/tickers/{ticker}": asked.TickerAsked,
    "/api/tickers/{ticker}/bars": asked.BarsAsked,
    "/api/tickers/{ticker}/news": asked.NewsAsked,
    "/api/tickers/{ticker}/posts": asked.PostsAsked,
    "/api/tickers/{ticker}/sentiment": asked.SentimentAsked,
    "/api/tickers/{ticker}/trend": asked.TrendAsked,
    "/api/alerts": asked.AlertsAsked,
    "/api/economy": asked.EconomyAsked,
    "/api/economy/{series}": asked.SeriesAsked,
    "/api/stream": asked.StreamAsked,
}
#: In a good request.
VARIABLES = {"ticker": "AAPL", "series": "UNRATE"}

IN_PATH = [path for path in MODELS if "{" in path]
IN_QUERY = [
    (path, field.alias or name)
    for path, model in MODELS.items()
    for name, field in model.model_fields.items()
    if f"{{{name}}}" not in path
]


def filled(path: str, **values: str) -> str:
    """The path with its variables replaced."""
    return path.format(**VARIABLES | values)


async def refusal(client: Client, address: str) -> dict[str, Any]:
    """The error of an answer that must be a refusal."""
    answer = await client.get(URL(address, encoded=True))
    content: dict[str, Any] = await answer.json()
    assert answer.status == 400, (address, content)
    return content["error"]


def test_every_address_is_here() -> None:
    found = addresses(read_settings(_env_file=None))
    assert {path for path in found if path.startswith("/api/")} == MODELS.keys()


@pytest.mark.parametrize("path", IN_PATH)
async def test_no_operator_in_a_path(path: str, bare: Client) -> None:
    name = path.partition("{")[2].partition("}")[0]
    for operator in OPERATORS:
        error = await refusal(bare, filled(path, **{name: quote(operator, safe="")}))
        assert error["field"] == name


@pytest.mark.parametrize(("path", "name"), IN_QUERY)
async def test_no_operator_as_a_value(path: str, name: str, bare: Client) -> None:
    for operator in OPERATORS:
        error = await refusal(bare, f"{filled(path)}?{name}={quote(operator, safe='')}")
        assert error["field"] == name


@pytest.mark.parametrize("path", MODELS)
async def test_no_operator_in_a_name(path: str, bare: Client) -> None:
    for name in ("ticker[$ne]", "ticker[]", "ticker.$gt", "tickers[0]", "limit[$gt]", "$where"):
        assert (await refusal(bare, f"{filled(path)}?{quote(name, safe='')}=1"))["field"] == name


@pytest.mark.parametrize("path", [path for path, name in IN_QUERY if name == "cursor"])
@pytest.mark.parametrize(
    "place",
    [
        [{"$gt": ""}, "x"],
        [1, {"$gt": ""}],
        [1, ["x"]],
        {"$gt": ""},
        [[1], "x"],
        ["1", 2],
        [True, "x"],
        [1.5, "x"],
        [1e400, "x"],
        [None, None],
    ],
    ids=str,
)
async def test_no_operator_in_a_cursor(path: str, place: object, bare: Client) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    assert (await refusal(bare, f"{filled(path)}?cursor={cursor}"))["field"] == "cursor"
