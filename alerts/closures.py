"""From a condition's tree to one function: rules are looked at with every bar.

A function takes the values by name and what was remembered of the event before, and returns a
number, a direction, a truth, or None where something that it needs is not known (yet).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from lark import Token, Tree

from alerts.language import operands, words
from alerts.names import DIRECTIONS

Values = Mapping[str, Any]
#: What crossings and changes saw at the event before; each has its own place in it.
Memory = list[Any]
Function = Callable[[Values, Memory], Any]

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _quotient(left: float, right: float) -> float | None:
    return left / right if right else None


_CALCULATE: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "min": min,
    "max": max,
}


def compiled(tree: Tree[Token]) -> tuple[Function, int]:
    """Return the function of a checked tree, and how many places of memory it needs."""
    compiler = _Compiler()
    return compiler.function(tree), compiler.places


class _Compiler:
    def __init__(self) -> None:
        self.places = 0

    def function(self, tree: Tree[Token]) -> Function:
        made: Function = getattr(self, f"_{tree.data}")(tree)
        return made

    def _parts(self, tree: Tree[Token]) -> list[Function]:
        return [self.function(part) for part in operands(tree)]

    def _group(self, tree: Tree[Token]) -> Function:
        return self._parts(tree)[0]

    def _number(self, tree: Tree[Token]) -> Function:
        number = float(words(tree)[0])
        return lambda values, memory: number  # noqa: ARG005

    def _name(self, tree: Tree[Token]) -> Function:
        name = words(tree)[0]
        if name in DIRECTIONS:
            return lambda values, memory: name  # noqa: ARG005
        return lambda values, memory: values.get(name)  # noqa: ARG005

    def _negative(self, tree: Tree[Token]) -> Function:
        return _one(operator.neg, self._parts(tree)[0])

    def _call(self, tree: Tree[Token]) -> Function:
        name, parts = words(tree)[0], self._parts(tree)
        return _one(abs, parts[0]) if name == "abs" else _two(_CALCULATE[name], *parts)

    def _arithmetic(self, tree: Tree[Token]) -> Function:
        return _two(_CALCULATE[words(tree)[0]], *self._parts(tree))

    def _comparison(self, tree: Tree[Token]) -> Function:
        return _two(_COMPARE[words(tree)[0]], *self._parts(tree))

    def _sameness(self, tree: Tree[Token]) -> Function:
        return _two(operator.eq, *self._parts(tree))

    def _difference(self, tree: Tree[Token]) -> Function:
        return _two(operator.ne, *self._parts(tree))

    def _denial(self, tree: Tree[Token]) -> Function:
        return _one(operator.not_, self._parts(tree)[0])

    def _logic(self, tree: Tree[Token]) -> Function:
        left, right = self._parts(tree)
        # Both sides are always looked at: a crossing must see every event.
        decides = bool(words(tree)[0] == "or")

        def decided(values: Values, memory: Memory) -> bool | None:
            one, other = left(values, memory), right(values, memory)
            if one is decides or other is decides:
                return bool(decides)
            return None if one is None or other is None else not decides

        return decided

    def _crossing(self, tree: Tree[Token]) -> Function:
        left, right = self._parts(tree)
        place = self._place()
        asked = words(tree)[1:]
        upward, downward = asked != ["below"], asked != ["above"]

        def crossed(values: Values, memory: Memory) -> bool | None:
            one, other = left(values, memory), right(values, memory)
            if one is None or other is None:
                return None
            before, memory[place] = memory[place], [one, other]
            if before is None:
                return False
            rose = upward and before[0] <= before[1] and one > other
            fell = downward and before[0] >= before[1] and one < other
            return bool(rose or fell)

        return crossed

    def _change(self, tree: Tree[Token]) -> Function:
        what, *to = self._parts(tree)
        place = self._place()

        def changed(values: Values, memory: Memory) -> bool | None:
            now = what(values, memory)
            if now is None:
                return None
            before, memory[place] = memory[place], now
            if before is None or before == now:
                return False
            return not to or bool(to[0](values, memory) == now)

        return changed

    def _place(self) -> int:
        self.places += 1
        return self.places - 1


def _one(calculate: Callable[[Any], Any], part: Function) -> Function:
    def function(values: Values, memory: Memory) -> Any:
        value = part(values, memory)
        return None if value is None else calculate(value)

    return function


def _two(calculate: Callable[[Any, Any], Any], left: Function, right: Function) -> Function:
    def function(values: Values, memory: Memory) -> Any:
        one, other = left(values, memory), right(values, memory)
        return None if one is None or other is None else calculate(one, other)

    return function
