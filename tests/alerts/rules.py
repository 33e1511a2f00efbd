"""Rules for tests, from a file as they are always made."""

from __future__ import annotations

import tempfile
from pathlib import Path

from alerts import Rule, RuleBook, load
from indicators import DEFAULT_SPEC, parse

OUTPUTS = parse(DEFAULT_SPEC).outputs


def book(text: str) -> RuleBook:
    """Return the rules of this TOML text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alerts.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, OUTPUTS)


def rule(when: str, more: str = "") -> Rule:
    """Return one rule with this condition, and more lines of TOML."""
    return book(f"[[rule]]\nname = \"it\"\nwhen = '''{when}'''\n{more}").rules[0]
