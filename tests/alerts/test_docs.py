"""docs/alerts.md says what the language is, and its examples are right."""

from __future__ import annotations

import doctest
import importlib
import re
import time

import orjson
import pytest

from alerts.file import _Entry
from alerts.language import parse
from alerts.names import FUNCTIONS, known_names
from alerts.webhook import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from models import ALERT
from tests.alerts.rules import OUTPUTS, book
from tests.test_docs import blocks, names, rows, section, text

PAGE = "docs/alerts.md"


def test_the_keys_of_a_rule() -> None:
    table = rows(section(PAGE, "A rule"))
    assert [name for row in table for name in names(row[0])] == list(_Entry.model_fields)
    required = {names(row[0])[0] for row in table if not row[1]}
    assert required == {name for name, one in _Entry.model_fields.items() if one.is_required()}


def test_every_name_is_in_the_table_with_its_stream() -> None:
    found = {
        name: row[1]
        for row in rows(section(PAGE, "Conditions"))
        if len(row) == 3
        for name in names(row[0])
    }
    known = known_names(OUTPUTS)
    assert found.keys() == known.keys()
    words = {"bar": "bars", "trend": "trends"}
    for name, stream in found.items():
        assert stream == words.get(known[name].stream, "that of the texts")
    assert all(f"`{name}(" in section(PAGE, "Conditions") for name in FUNCTIONS)


def test_conditions_on_the_page_can_be_written() -> None:
    table = rows(section(PAGE, "Conditions"))
    listed = [name for row in table if row[0] in ("cross", "change") for name in names(row[1])]
    listed += re.findall(r'^when = "(.*)"$', text(PAGE), re.MULTILINE)
    assert len(listed) >= 5
    for condition in listed:
        parse(condition, known_names(OUTPUTS))


def test_files_on_the_page_are_right() -> None:
    assert (
        sum(len(book(block).rules or book(block).webhooks) for block in blocks(PAGE, "toml")) == 2
    )


def test_the_request_on_the_page_is_one() -> None:
    (block,) = blocks(PAGE, "json")
    content = orjson.loads(block)
    assert content.pop("text") == f"[{content['severity']}] {content['message']}"
    assert content.keys() == set(ALERT.fields)
    ALERT.decode(b"AAPL", orjson.dumps(content))


def test_a_receiver_that_does_as_the_page_says_knows_us() -> None:
    (block,) = blocks(PAGE, "python")
    defined: dict[str, object] = {}
    exec(compile(block, PAGE, "exec"), defined)  # noqa: S102 - a block of our own
    is_ours = defined["is_ours"]
    assert callable(is_ours)
    now, content = str(int(time.time())), b'{"text":"x"}'
    headers = {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: signature("key", now, content)}
    assert is_ours("key", headers, content)
    assert not is_ours("key", headers, content + b" ")
    assert not is_ours("other", headers, content)
    old = str(int(now) - 1_000)
    assert not is_ours(
        "key", {TIMESTAMP_HEADER: old, SIGNATURE_HEADER: signature("key", old, content)}, content
    )
    listed = {name for row in rows(section(PAGE, "Webhooks")) for name in names(row[0])}
    assert listed == {ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER}


@pytest.mark.parametrize("name", ["names", "language", "webhook"])
def test_examples_in_docstrings_are_right(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"alerts.{name}"))
    assert result.attempted
    assert not result.failed
