"""The files of the page: nothing inline, nothing from elsewhere, the charts as published."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from web.pages import STATIC, charts_file

HTML = (STATIC / "index.html").read_text(encoding="utf-8")
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
FILES = [*SCRIPTS, *sorted((STATIC / "css").glob("*.css"))]


def test_there_is_no_script_and_no_style_inside_the_page() -> None:
    assert re.findall(r"<script(?![^>]*\ssrc=)", HTML) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", HTML) == []


def test_nothing_is_loaded_from_elsewhere() -> None:
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', HTML)
    assert loaded
    assert all(place.startswith("/static/") for place in loaded)
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}
        assert re.findall(r"@import|url\(", text) == []


def test_every_file_that_the_page_names_exists_and_every_module_is_named() -> None:
    named = set(re.findall(r'"/static/([^"]+)"', HTML)) - {"charts.js"}
    assert all((STATIC / name).is_file() for name in named)
    assert {f"js/{path.name}" for path in SCRIPTS} <= named


def test_the_charts_are_the_file_whose_hash_the_page_names() -> None:
    content = charts_file().read_bytes()
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert f'integrity="sha256-{digest}"' in HTML
    assert b"Lightweight Charts" in content[:300]
    assert b"Apache License 2.0" in content[:300]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_text_never_becomes_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_short_and_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    assert len(lines) < 400
    assert lines[0].startswith(("//", "/*"))
