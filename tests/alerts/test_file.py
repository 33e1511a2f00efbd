"""The rules file: what it may hold, and errors that lead to the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts import load
from alerts.rules import Condition
from alerts.webhook import Webhook
from errors import ConfigurationError, InvalidRule
from tests.alerts.rules import OUTPUTS, book

GOOD = '''# what we want to know
[webhooks]
ops = "https://hooks.example/T/B/secret"
me = "http://127.0.0.1:8000/"

[[rule]]
name = "oversold"
when = "rsi < 30"
tickers = ["aapl", "MSFT"]
interval = "1d"
on = "forming"
cooldown = "2h"
severity = "critical"
message = "{ticker} {interval}: RSI {rsi:.1f}"
webhooks = ["me"]

[[rule]] # another one
name = "golden"
when = """
  close crosses above sma
"""
'''


def test_all_keys_of_a_rule() -> None:
    found = book(GOOD)
    first, second = found.rules
    assert (first.name, first.when, first.interval, first.on) == (
        "oversold",
        "rsi < 30",
        "1d",
        "forming",
    )
    assert first.tickers == frozenset({"AAPL", "MSFT"})
    assert (first.cooldown_ms, first.severity) == (7_200_000, "critical")
    assert first.told("AAPL", "1d", {"rsi": 28.44}) == "AAPL 1d: RSI 28.4"
    assert [one.name for one in found.targets("oversold")] == ["me"]
    assert (second.when, second.tickers, second.interval) == ("close crosses above sma", None, None)
    assert (second.on, second.cooldown_ms, second.severity) == ("closed", 0, "warning")
    assert isinstance(second.condition, Condition)
    assert [one.name for one in found.targets("golden")] == ["ops", "me"]
    assert found.targets("gone") == ()
    told = second.told("AAPL", "1d", {"close": 5.25, "sma": None})
    assert told == "AAPL: close crosses above sma (close 5.25, sma ?)"


def test_the_setting_comes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "alerts.toml"
    path.write_text(GOOD, encoding="utf-8")
    found = load(path, OUTPUTS, [Webhook("ops", "https://other.example/")])
    assert found.webhooks["ops"].url == "https://other.example/"
    assert "secret" not in repr(book(GOOD).webhooks)


def test_rules_are_found_by_what_they_are_about() -> None:
    found = book(GOOD)

    def names(ticker: str, interval: str, *, closed: bool = True) -> list[str]:
        return [rule.name for rule in found.at("bar", ticker, interval, closed=closed)]

    assert names("AAPL", "1d") == ["oversold", "golden"]
    assert names("AAPL", "1d", closed=False) == ["oversold"]
    assert names("AAPL", "1h") == ["golden"]
    assert names("IBM", "1d") == ["golden"]
    assert found.at("news", "AAPL") == ()
    assert found.reads("bar")
    assert not found.reads("trend")


def test_a_file_without_rules_is_allowed() -> None:
    assert not book("")


RULE = '[[rule]]\nname = "it"\n'


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("[[rule]\n", (1, 7), ["is no TOML"]),
        ("a = [1,\n", (2, 1), ["is no TOML"]),
        ("[rules]\n", (1, 1), ["'rules'", "[[rule]]"]),
        ("[rule]\n", (1, 1), ["[[rule]]"]),
        ("webhooks = 3\n", (1, 1), ["must be a table"]),
        ("[webhooks]\nops = 3\n", (2, 7), ["must be a text"]),
        ("[webhooks]\nops = 'ftp://x/'\n", (2, 7), ["https://"]),
        ("[webhooks]\n'a b' = 'http://x/'\n", (2, 9), ["no name of a webhook"]),
        (f"{RULE}", (1, 1), ["'when' is missing"]),
        (f'{RULE}wen = "rsi < 3"\n', (3, 7), ["'wen'", "did you mean when?"]),
        (f'{RULE}when = "rsl < 3"\n', (3, 9), ["did you mean rsi?"]),
        (f'{RULE}when = "close > 1 and rsl < 3"\n', (3, 23), ["'rsl'"]),
        (f'{RULE}when = """\nclose > 1\n  and rsl < 3"""\n', (5, 7), ["'rsl'"]),
        (f'{RULE}when = "rsi \\u003c 3 and rsl < 3"\n', (3, 8), ["'rsl'"]),
        (f"{RULE}when = 3\n", (3, 8), ["when is 3", "string"]),
        (f'{RULE}when = "rsi < 3"\non = "open"\n', (4, 6), ["'closed' or 'forming'"]),
        (f'{RULE}when = "rsi < 3"\ninterval = "1x"\n', (4, 12), ["'1x'", "1d"]),
        (f'{RULE}when = "rsi < 3"\ncooldown = "soon"\n', (4, 12), ["'soon'", "10m"]),
        (f'{RULE}when = "rsi < 3"\nseverity = "bad"\n', (4, 12), ["'info', 'warning'"]),
        (f'{RULE}when = "rsi < 3"\ntickers = []\n', (4, 11), ["leave it out"]),
        (f'{RULE}when = "rsi < 3"\ntickers = ["A B"]\n', (4, 11), ["'A B' is no ticker"]),
        (f'{RULE}when = "rsi < 3"\nwebhooks = ["ops"]\n', (4, 12), ["'ops'", "there are none"]),
        (f'{RULE}when = "rsi < 3"\nmessage = "a {{rso}}"\n', (4, 14), ["did you mean rsi or"]),
        (f'{RULE}when = "rsi < 3"\nmessage = "a {{"\n', (4, 14), ["alone"]),
        (f'{RULE}when = "rsi < 3"\nmessage = "{{rsi:%x}}"\n', (4, 12), ["no format"]),
        (f'{RULE}when = "trend is up"\non = "closed"\n', (4, 6), ["rules about bars"]),
        ('[[rule]]\nname = "a|b"\nwhen = "rsi < 3"\n', (2, 8), ["no name"]),
        (f'{RULE}when = "rsi < 3"\n\n{RULE}when = "rsi < 4"\n', (6, 8), ["another rule"]),
        ('rule = [{name = "it", when = "rsl < 3"}]\n', (1, 1), ["'rsl'"]),
    ],
)
def test_an_error_names_its_place(text: str, place: tuple[int, int], words: list[str]) -> None:
    with pytest.raises(InvalidRule) as caught:
        book(text)
    assert (caught.value.line, caught.value.column) == place
    assert f"alerts.toml:{place[0]}:{place[1]}: " in str(caught.value)
    for word in words:
        assert word in caught.value.problem


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ALERT_RULES: .*none\.toml cannot be read"):
        load(tmp_path / "none.toml", OUTPUTS)


def test_the_example_is_right() -> None:
    example = Path(__file__).parents[2] / "examples" / "alerts.toml"
    found = load(example, OUTPUTS)
    assert len(found.rules) >= 6
    assert found.silences
