"""What the doctor shows of the settings."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from commands import settings_table
from config import read_settings


@pytest.mark.parametrize(
    ("feed", "shown"),
    [
        ("https://me:pa55@news.example/feed", "https://********@news.example/feed"),
        ("https://news.example/feed?s=AAPL&token=pa55", "?s=AAPL&token=********"),
        ("https://news.example/feed?api_key=pa55&s=IBM", "?api_key=********&s=IBM"),
        ("https://news.example/@me?s=IBM", "https://news.example/@me?s=IBM"),
    ],
)
def test_secrets_in_addresses_are_not_shown(feed: str, shown: str) -> None:
    """Somebody may have put them into the address of a feed."""
    settings = read_settings(_env_file=None, news_feeds=f"{feed},https://b.example/rss")
    console = Console(file=io.StringIO(), width=1_000)
    console.print(settings_table(settings))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"{shown},https://b.example/rss" in text
    assert "pa55" not in text
