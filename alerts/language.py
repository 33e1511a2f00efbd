"""From the text of a condition to a tree that is known to make sense."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from alerts.names import DIRECTIONS, FUNCTIONS, Kind, Known, instead

#: The longest text of a condition.
MOST_CHARACTERS = 1_000
#: How deep brackets and denials may be nested.
MOST_LEVELS = 50

#: The longest silence that can be waited for, ms.
MOST_SILENCE_MS = 30 * 86_400_000

#: How an error calls what may stand in a place.
_WORDS = {
    "NUMBER": "a number",
    "NAME": "a name",
    "STRING": "a name in quotes",
    "DURATION": "a time such as 90s, 10m, 2h or 1d",
    "COMPARE": "< <= > >= == !=",
    "MORE": ">",
    "PLUS": "+",
    "MINUS": "-",
    "TIMES": "*",
    "OVER": "/",
    "OPEN": "(",
    "CLOSE": ")",
    "COMMA": ",",
    "$END": "the end",
}
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Misread(ValueError):
    """A condition that makes no sense; ``column`` is where, from 1."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Silence:
    """``silence of SOURCE > TIME``: no record of the source for so long, ms."""

    source: str
    longer_than_ms: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """A condition: its tree, checked, the stream it reads, and the names it uses."""

    tree: Tree[Token]
    stream: str
    names: tuple[str, ...]


@functools.cache
def _parser() -> Lark:
    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        propagate_positions=True,
        maybe_placeholders=False,
    )


def parse(text: str, known: Mapping[str, Known]) -> Parsed | Silence:
    """Return what a condition says.

    Args:
        text: such as ``rsi < 30 and close > sma``.
        known: the names there are (see :func:`alerts.names.known_names`).

    Raises:
        Misread: it makes no sense; says where, what was found and what would be right.
    """
    if len(text) > MOST_CHARACTERS:
        raise Misread(1, f"is {len(text)} characters long: at most {MOST_CHARACTERS} are allowed")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _complaint(error, text) from None
    if tree.data == "silence":
        return _silence(tree)
    checker = _Checker(known)
    if checker.kind(tree) != "condition":
        raise Misread(1, "is a value and no condition: compare it, as in rsi < 30")
    streams = list(dict.fromkeys(known[name].stream for name in checker.used))
    if not streams:
        raise Misread(1, "reads nothing that changes: it needs a name, such as close or rsi")
    if len(streams) > 1:
        other = next(name for name in checker.used if known[name].stream != streams[0])
        raise Misread(
            checker.used[other],
            f"{other} comes with {streams[1]} messages and {next(iter(checker.used))} with "
            f"{streams[0]} messages: a rule reads one of them; make two rules of it",
        )
    return Parsed(tree, streams[0], tuple(checker.used))


def duration_ms(text: str) -> int:
    """Return a time such as ``10m`` in milliseconds.

    Raises:
        ValueError: it is none.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS_MS or not number.isdecimal() or len(number) > 6:
        raise ValueError("must be a whole number and s, m, h or d, such as 90s, 10m, 2h or 1d")
    return int(number) * _UNITS_MS[unit]


def duration_text(ms: int) -> str:
    """Return milliseconds as :func:`duration_ms` reads them.

    >>> duration_text(7_200_000), duration_text(90_000)
    ('2h', '90s')
    """
    unit = next(name for name, length in reversed(_UNITS_MS.items()) if ms % length == 0)
    return f"{ms // _UNITS_MS[unit]}{unit}"


def leaves(tree: Tree[Token]) -> list[Tree[Token]]:
    """Return the parts of a node that are trees: its operands."""
    return [child for child in tree.children if isinstance(child, Tree)]


def words(tree: Tree[Token]) -> list[str]:
    """Return the words of a node itself, in small letters."""
    return [child.lower() for child in tree.children if isinstance(child, Token)]


def _silence(tree: Tree[Any]) -> Silence:
    source, limit = (tree.children[place] for place in (2, 4))
    if not (isinstance(source, Token) and isinstance(limit, Token)):
        raise TypeError(f"the grammar has changed: {tree}")
    name = source.strip('"')
    if not name:
        raise Misread(
            (source.start_pos or 0) + 1, "the source has no name: write one, such as yahoo"
        )
    try:
        longer_than_ms = duration_ms(str(limit))
    except ValueError as error:
        raise Misread((limit.start_pos or 0) + 1, f"{str(limit)!r} {error}") from None
    if not 0 < longer_than_ms <= MOST_SILENCE_MS:
        raise Misread(
            (limit.start_pos or 0) + 1, f"{str(limit)!r} must be longer than 0, at most 30d"
        )
    return Silence(str(name), longer_than_ms)


def _complaint(error: UnexpectedInput, text: str) -> Misread:
    if isinstance(error, UnexpectedCharacters):
        place = error.pos_in_stream or 0
        found, expected, column = repr(text[place]), error.allowed, place + 1
    elif isinstance(error, UnexpectedToken):
        expected = error.accepts or error.expected
        at_end = error.token.type == "$END"
        found = "the end" if at_end else repr(str(error.token))
        column = len(text) + 1 if at_end else (error.token.start_pos or 0) + 1
    else:
        return Misread(1, str(error))
    allowed = sorted({_WORDS.get(name, name.lower()) for name in expected or ()})
    return Misread(column, f"found {found} where this may stand: {', '.join(allowed)}")


class _Checker:
    """Finds out what kind of value each part has; ``used`` has the names with their columns."""

    def __init__(self, known: Mapping[str, Known]) -> None:
        self.used: dict[str, int] = {}
        self._known = known
        self._level = 0

    def kind(self, tree: Tree[Token]) -> Kind:
        """Return the kind of value that a part has.

        Raises:
            Misread: its parts do not fit together.
        """
        self._level += 1
        if self._level > MOST_LEVELS:
            raise Misread(_column(tree), f"is nested deeper than {MOST_LEVELS} levels")
        found: Kind = getattr(self, f"_{tree.data}")(tree)
        self._level -= 1
        return found

    def _number(self, tree: Tree[Token]) -> Kind:
        if float(words(tree)[0]) > 1e300:
            raise Misread(_column(tree), "is too large a number: at most 1e300")
        return "number"

    def _name(self, tree: Tree[Token]) -> Kind:
        name = words(tree)[0]
        if name in DIRECTIONS:
            return "direction"
        known = self._known.get(name)
        if known is None:
            hint = instead(name, [*self._known, *DIRECTIONS])
            raise Misread(_column(tree), f"{name!r} is no name that is known: {hint}")
        self.used.setdefault(name, _column(tree))
        return known.kind

    def _call(self, tree: Tree[Token]) -> Kind:
        name = words(tree)[0]
        if name not in FUNCTIONS:
            hint = instead(name, list(FUNCTIONS))
            raise Misread(_column(tree), f"{name!r} is no function: {hint}")
        given = leaves(tree)
        if len(given) != FUNCTIONS[name]:
            raise Misread(_column(tree), f"{name} takes {FUNCTIONS[name]} values, not {len(given)}")
        return self._all(given, "number", name)

    def _group(self, tree: Tree[Token]) -> Kind:
        return self.kind(leaves(tree)[0])

    def _negative(self, tree: Tree[Token]) -> Kind:
        return self._all(leaves(tree), "number", "-")

    def _arithmetic(self, tree: Tree[Token]) -> Kind:
        return self._all(leaves(tree), "number", words(tree)[0])

    def _logic(self, tree: Tree[Token]) -> Kind:
        return self._all(leaves(tree), "condition", words(tree)[0])

    def _denial(self, tree: Tree[Token]) -> Kind:
        return self._all(leaves(tree), "condition", "not")

    def _comparison(self, tree: Tree[Token]) -> Kind:
        if words(tree)[0] in ("==", "!="):
            return self._same(tree)
        self._all(leaves(tree), "number", words(tree)[0])
        return "condition"

    def _same(self, tree: Tree[Token]) -> Kind:
        first, *others = leaves(tree)
        kind = self.kind(first)
        if kind == "condition":
            raise Misread(_column(first), "is a condition; a number or a direction is needed here")
        self._all(others, kind, words(tree)[0])
        return "condition"

    _sameness = _difference = _same

    def _crossing(self, tree: Tree[Token]) -> Kind:
        self._all(leaves(tree), "number", "crosses")
        return "condition"

    def _change(self, tree: Tree[Token]) -> Kind:
        self._all(leaves(tree), "direction", "changes")
        return "condition"

    def _all(self, trees: list[Tree[Token]], wanted: Kind, what: str) -> Kind:
        for tree in trees:
            found = self.kind(tree)
            if found != wanted:
                raise Misread(_column(tree), f"is a {found}, and {what!r} needs a {wanted} here")
        return wanted


def _column(tree: Tree[Token]) -> int:
    return int(tree.meta.start_pos) + 1


def operands(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    """Yield the operands of a node, brackets taken away."""
    for operand in leaves(tree):
        inner = operand
        while inner.data == "group":
            inner = leaves(inner)[0]
        yield inner
