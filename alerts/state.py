"""What is remembered of a ticker's rules between two events, and whether an event fires them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from alerts.language import Silence
from alerts.rules import Condition, Rule, RuleBook


class Event(NamedTuple):
    """A message that rules are looked at with.

    ``id`` says which it is and is the same when the message comes again; ``time`` is ms since the
    epoch; ``values`` are by the names of the language; ``interval`` is that of a bar.
    """

    id: str
    time: int
    values: Mapping[str, Any]
    interval: str | None = None


class Firing(NamedTuple):
    """A rule that an event fired."""

    rule: Rule
    event: Event

    def alert(self, ticker: str) -> dict[str, Any]:
        """Return the alert, all but when it was noticed: a pure function of rule, ticker, event."""
        rule, event = self.rule, self.event
        return {
            "ticker": ticker,
            "id": f"{ticker}|{rule.name}|{event.id}",
            "rule": rule.name,
            "time": event.time,
            "interval": event.interval,
            "severity": rule.severity,
            "message": rule.told(ticker, event.interval, event.values),
            "condition": rule.when,
            "values": rule.shown_values(event.values),
        }


@dataclass(slots=True)
class RuleState:
    """What one rule remembers of one ticker, and for bars of one interval.

    ``level`` is whether the condition held at the last event at which that could be told, None
    before the first; ``fired`` are time and id of the event that fired last; ``memory`` is what
    crossings and changes saw. All of it is of the rule with the fingerprint ``of``.
    """

    of: str
    memory: list[Any]
    level: bool | None = None
    fired: tuple[int, str] | None = None

    def step(self, rule: Rule, condition: Condition, event: Event) -> bool:
        """Look at an event; returns whether it fires the rule.

        It does where the condition holds and did not before: at the edge and not at the level.
        What was never seen not to hold has not been crossed.
        """
        holds = condition.holds(event.values, self.memory)
        if holds is None:
            return False
        rose = holds and self.level is False
        self.level = holds
        return rose and self._may_fire(rule.cooldown_ms, event.time, event.id)

    def silent(self, rule: Rule, time: int, event_id: str) -> bool:
        """Take note of a silence; returns whether it fires the rule."""
        return self._may_fire(rule.cooldown_ms, time, event_id)

    def _may_fire(self, cooldown_ms: int, time: int, event_id: str) -> bool:
        if self.fired is not None:
            last_time, last_id = self.fired
            if event_id == last_id or time - last_time < cooldown_ms:
                return False
        self.fired = (time, event_id)
        return True


@dataclass(slots=True)
class AlertState:
    """All that is remembered of a ticker's rules.

    ``marks`` are the offsets, by topic, of the last messages looked at; ``offset`` is their sum, as
    a row of a table needs one. ``rules`` are by name and interval. ``heard`` is when a record of
    each source was last got, ms since the epoch, and whether it was a price; only of sources whose
    silence fires a rule.
    """

    partition: int
    offset: int = -1
    marks: dict[str, int] = field(default_factory=dict)
    rules: dict[str, RuleState] = field(default_factory=dict)
    heard: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def is_new(self, topic: str, offset: int) -> bool:
        """Take note of a message; returns whether it was not looked at before."""
        before = self.marks.get(topic, -1)
        if offset <= before:
            return False
        self.marks[topic] = offset
        self.offset += offset - before
        return True

    def take(self, rules: Iterable[Rule], event: Event) -> list[Firing]:
        """Look at an event with these rules; returns which of them it fires."""
        fired = []
        for rule in rules:
            condition = rule.condition
            if isinstance(condition, Silence):
                continue
            state = self._of(rule, event.interval, condition.places)
            if state.step(rule, condition, event):
                fired.append(Firing(rule, event))
        return fired

    def hear(self, source: str, time: int, *, of_prices: bool) -> None:
        """Take note that a record of a source was got."""
        last, priced = self.heard.get(source, (time, False))
        self.heard[source] = (max(time, last), of_prices or priced)

    def silence(self, rule: Rule, source: str, heard: int, due: int) -> Firing | None:
        """Take note that a source is silent since ``heard``, which became too long at ``due``, ms.

        Returns None where it has been heard since, or where it may not fire (again).
        """
        if self.heard.get(source, (None, False))[0] != heard:
            return None
        event = Event(f"silence|{heard}", due, {})
        fires = self._of(rule, None, 0).silent(rule, due, event.id)
        return Firing(rule, event) if fires else None

    def knows_silence(self, rule: Rule, heard: int) -> bool:
        """Tell whether this very silence was fired for already."""
        state = self.rules.get(_key(rule, None))
        return (
            state is not None
            and state.of == rule.fingerprint
            and state.fired is not None
            and state.fired[1] == f"silence|{heard}"
        )

    def dump(self) -> bytes:
        """Return the row: JSON that begins with the offset (see tables.checkpointed)."""
        return orjson.dumps(
            {
                "offset": self.offset,
                "marks": self.marks,
                "rules": {
                    key: [state.of, state.memory, state.level, state.fired]
                    for key, state in self.rules.items()
                },
                "heard": self.heard,
            }
        )

    @classmethod
    def restored(cls, partition: int, row: Any, book: RuleBook) -> AlertState:
        """Return what was saved, without what is of rules that are no more."""
        state = cls(partition, row["offset"], row["marks"])
        for source, (time, of_prices) in row["heard"].items():
            if source in book.listened:
                state.heard[source] = (time, of_prices)
        for key, (of, memory, level, fired) in row["rules"].items():
            rule = book.by_name.get(key.partition("|")[0])
            if rule is not None and rule.fingerprint == of:
                last = None if fired is None else (fired[0], fired[1])
                state.rules[key] = RuleState(of, memory, level, last)
        return state

    def _of(self, rule: Rule, interval: str | None, places: int) -> RuleState:
        key = _key(rule, interval)
        state = self.rules.get(key)
        if state is None or state.of != rule.fingerprint:
            state = self.rules[key] = RuleState(rule.fingerprint, [None] * places)
        return state


def _key(rule: Rule, interval: str | None) -> str:
    return f"{rule.name}|{interval or ''}"
