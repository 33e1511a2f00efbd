"""The words of an alert: a text with names in braces, filled in when the rule fires."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from alerts.names import instead

#: The longest message of an alert.
MOST_CHARACTERS = 2_000

#: What a message may name beside the values that its stream brings.
ABOUT = ("ticker", "rule", "interval")

#: From where on a value without a format is written in full, in thousands, without decimals.
_LARGE = 100_000

#: A text, then a name in braces with its format.
_FIELD = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_FORMAT = re.compile(r"(\+?,?\.[0-9]f|\+?\.[0-9]%|)")


class BadMessage(ValueError):
    """A message that cannot be filled in; ``at`` is where, from 0."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at


def names_in(text: str) -> list[str]:
    """Return the names in braces."""
    return [found[1].strip() for found in _FIELD.finditer(text)]


def check(text: str, values: Collection[str]) -> None:
    """Check that all names in braces exist.

    Raises:
        BadMessage: one does not, or a brace stands alone.
    """
    allowed = [*ABOUT, *values]
    for found in _FIELD.finditer(text):
        name, style = found[1].strip(), found[2] or ""
        if name not in allowed:
            raise BadMessage(found.start(), f"{{{name}}} is no name here: {instead(name, allowed)}")
        if not _FORMAT.fullmatch(style):
            raise BadMessage(
                found.start(), f"{style!r} is no format: write .1f, +.2f, ,.0f or .1% or none"
            )
    alone = re.search(r"[{}]", _FIELD.sub(lambda found: " " * len(found[0]), text))
    if alone is not None:
        raise BadMessage(alone.start(), f"found {alone[0]!r} alone: names stand in {{ and }}")


def filled(text: str, about: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Return a checked text with the values in it; ``?`` for what is not known."""

    def shown(found: re.Match[str]) -> str:
        name, style = found[1].strip(), found[2] or ""
        value = about.get(name, values.get(name))
        if value is None:
            return "?"
        if isinstance(value, str):
            return value
        return format(value, style or (",.0f" if abs(value) >= _LARGE else ".6g"))

    return _FIELD.sub(shown, text)[:MOST_CHARACTERS]
