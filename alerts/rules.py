"""What a rule is, and all rules together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from alerts.closures import Function, compiled
from alerts.language import Parsed, Silence
from alerts.message import filled, names_in
from alerts.names import BAR
from alerts.webhook import Webhook

Severity = Literal["info", "warning", "critical"]
On = Literal["closed", "forming"]

#: What the name of a rule looks like.
RULE_NAME = r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}"


@dataclass(frozen=True)
class Condition:
    """What a rule waits for: a function of an event's values, and of what was seen before.

    ``stream`` says at which messages it is looked at, ``places`` how much it remembers.
    """

    stream: str
    names: tuple[str, ...]
    holds: Function
    places: int

    @classmethod
    def of(cls, parsed: Parsed) -> Condition:
        """Return the condition that was parsed."""
        holds, places = compiled(parsed.tree)
        return cls(parsed.stream, parsed.names, holds, places)


@dataclass(frozen=True)
class Rule:
    """One rule, checked and compiled.

    ``condition`` is a Silence for rules that no message fires. ``tickers`` and ``interval`` are
    None for all of them, ``webhooks`` for every webhook there is.
    """

    name: str
    when: str
    condition: Condition | Silence
    tickers: frozenset[str] | None
    interval: str | None
    on: On
    cooldown_ms: int
    severity: Severity
    message: str
    webhooks: tuple[str, ...] | None
    #: What is remembered under another fingerprint is of another rule of this name.
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        digest = blake2b(f"{self.when}|{self.on}".encode(), digest_size=6).hexdigest()
        object.__setattr__(self, "fingerprint", digest)

    @property
    def reads_bars(self) -> bool:
        """Whether the rule is looked at with bars."""
        return isinstance(self.condition, Condition) and self.condition.stream == BAR

    def is_for(self, ticker: str) -> bool:
        """Tell whether the rule is about a ticker."""
        return self.tickers is None or ticker in self.tickers

    def told(self, ticker: str, interval: str | None, values: Mapping[str, Any]) -> str:
        """Return the message of an alert."""
        about = {"ticker": ticker, "rule": self.name, "interval": interval or ""}
        if isinstance(self.condition, Silence):
            about["source"] = self.condition.source
        return filled(self.message, about, values)

    def shown_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that the rule names, in its condition or its message."""
        named = () if isinstance(self.condition, Silence) else self.condition.names
        wanted = dict.fromkeys((*named, *names_in(self.message)))
        return {name: values[name] for name in wanted if name in values}


class RuleBook:
    """All rules of a file, by what they are looked at, and the webhooks there are.

    Args:
        rules: in the order of the file.
        webhooks: by name.
    """

    def __init__(self, rules: Iterable[Rule] = (), webhooks: Iterable[Webhook] = ()) -> None:
        self.rules = tuple(rules)
        self.webhooks = {webhook.name: webhook for webhook in webhooks}
        self.by_name = {rule.name: rule for rule in self.rules}
        self.silences = tuple(r for r in self.rules if isinstance(r.condition, Silence))
        #: The sources whose silence somebody waits for.
        self.listened = frozenset(
            r.condition.source for r in self.silences if isinstance(r.condition, Silence)
        )
        self._by_stream: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            if isinstance(rule.condition, Condition):
                stream = rule.condition.stream
                self._by_stream[stream] = (*self._by_stream.get(stream, ()), rule)
        self._found: dict[tuple[str, str, str | None, bool], tuple[Rule, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self.rules)

    def reads(self, stream: str) -> bool:
        """Tell whether any rule is looked at with messages of a stream."""
        return stream in self._by_stream

    def at(
        self, stream: str, ticker: str, interval: str | None = None, *, closed: bool = True
    ) -> tuple[Rule, ...]:
        """Return the rules to look at with a message: of a stream, a ticker, an interval."""
        asked = (stream, ticker, interval, closed)
        found = self._found.get(asked)
        if found is None:
            found = self._found[asked] = tuple(
                rule
                for rule in self._by_stream.get(stream, ())
                if rule.is_for(ticker)
                and rule.interval in (None, interval)
                and (stream != BAR or closed or rule.on == "forming")
            )
        return found

    def targets(self, rule: str) -> tuple[Webhook, ...]:
        """Return the webhooks that an alert of a rule goes to; of a rule that is gone, none."""
        known = self.by_name.get(rule)
        if known is None:
            return ()
        if known.webhooks is None:
            return tuple(self.webhooks.values())
        return tuple(self.webhooks[name] for name in known.webhooks)
