"""The rules file: TOML, checked as a whole when it is read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from alerts import message, webhook
from alerts.language import Misread, Parsed, Silence, duration_ms, parse
from alerts.names import BAR, Known, instead, known_names
from alerts.place import Places
from alerts.rules import RULE_NAME, Condition, Rule, RuleBook, Severity
from alerts.webhook import Webhook
from errors import ConfigurationError, InvalidRule
from models.rules import INTERVAL_PATTERN, check_ticker

_NAME = re.compile(RULE_NAME)


class _Entry(BaseModel):
    """The keys of a rule, and what they may hold."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str
    when: str
    tickers: list[str] | None = None
    interval: str | None = None
    on: Literal["closed", "forming"] | None = None
    cooldown: str | None = None
    severity: Severity = "warning"
    message: str | None = None
    webhooks: list[str] | None = None


def load(path: Path, indicators: Iterable[str], extra_webhooks: Iterable[Webhook] = ()) -> RuleBook:
    """Read and check a rules file.

    Args:
        path: the file.
        indicators: the names of the indicators that are kept.
        extra_webhooks: beside those of the file, and before them where names are the same.

    Raises:
        InvalidRule: something in it is not right; names file, line and column, what was found and
            what is allowed.
        ConfigurationError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"ALERT_RULES: {path} cannot be read ({error}): name a TOML file in UTF-8"
        ) from None
    return _Reader(path, text, known_names(indicators)).book(extra_webhooks)


class _Reader:
    def __init__(self, path: Path, text: str, known: Mapping[str, Known]) -> None:
        self._path = path
        self._text = text
        self._known = known
        self._places = Places(text)

    def book(self, extra: Iterable[Webhook]) -> RuleBook:
        """Return what the file says."""
        content = self._content()
        webhooks = self._webhooks(content.get("webhooks", {}))
        webhooks |= {one.name: one for one in extra}
        entries = content.get("rule", [])
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise self._wrong(None, "'rule' must be written as [[rule]], once for each rule")
        rules: list[Rule] = []
        for number, entry in enumerate(entries):
            rule = self._rule(number, entry, webhooks)
            if rule.name in {one.name for one in rules}:
                raise self._at(number, "name", f"{rule.name!r} is the name of another rule already")
            rules.append(rule)
        return RuleBook(rules, webhooks.values())

    def _content(self) -> dict[str, Any]:
        try:
            content = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
            if found is None:  # "at end of document"
                end = self._places.line_and_column(len(self._text))
                raise InvalidRule(self._path, *end, f"is no TOML: {error}") from None
            place = int(found[2]), int(found[3])
            raise InvalidRule(self._path, *place, f"is no TOML: {found[1]}") from None
        unknown = next((name for name in content if name not in ("rule", "webhooks")), None)
        if unknown is not None:
            found = re.search(rf"^\s*\[*\s*{re.escape(unknown)}", self._text, re.MULTILINE)
            at = None if found is None else found.start()
            raise self._wrong(at, f"found {unknown!r}: there are [[rule]] and [webhooks]")
        return content

    def _webhooks(self, entries: Any) -> dict[str, Webhook]:
        if not isinstance(entries, dict):
            raise self._wrong(None, "'webhooks' must be a table: [webhooks], and name = address")
        found = {}
        for name, url in entries.items():
            try:
                if not isinstance(url, str):
                    raise ValueError(f"the address of webhook {name!r} must be a text")
                found[name] = webhook.checked(name, url)
            except ValueError as error:
                raise self._wrong(self._places.of_webhook(name), str(error)) from None
        return found

    def _rule(self, number: int, given: Any, webhooks: Mapping[str, Webhook]) -> Rule:
        try:
            entry = _Entry.model_validate(given)
        except ValidationError as error:
            # A key that is misspelt is missing as well: that it is misspelt says more.
            problems = error.errors(include_url=False)
            unknown = (one for one in problems if one["type"] == "extra_forbidden")
            problem = next(unknown, problems[0])
            key = str(problem["loc"][0])
            if problem["type"] == "extra_forbidden":
                hint = instead(key, list(_Entry.model_fields))
                raise self._at(number, key, f"{key!r} is no key of a rule: {hint}") from None
            if problem["type"] == "missing":
                raise self._at(number, None, f"{key!r} is missing: each rule needs one") from None
            raise self._at(
                number, key, f"{key} is {problem['input']!r}: {problem['msg']}"
            ) from None
        if not _NAME.fullmatch(entry.name):
            raise self._at(
                number,
                "name",
                f"{entry.name!r} is no name: 1 to 64 of A-Z a-z 0-9 . _ - and spaces",
            )
        parsed = self._condition(number, entry)
        stream = None if isinstance(parsed, Silence) else parsed.stream
        for key in ("interval", "on"):
            if stream != BAR and getattr(entry, key) is not None:
                raise self._at(number, key, f"{key} is for rules about bars, and this is none")
        if entry.interval is not None and not re.fullmatch(INTERVAL_PATTERN, entry.interval):
            raise self._at(
                number, "interval", f"{entry.interval!r} is no interval: write 1m, 1h, 1d, 1wk ..."
            )
        return Rule(
            name=entry.name,
            when=" ".join(entry.when.split()),
            condition=parsed if isinstance(parsed, Silence) else Condition.of(parsed),
            tickers=self._tickers(number, entry),
            interval=entry.interval,
            on=entry.on or "closed",
            cooldown_ms=self._cooldown(number, entry),
            severity=entry.severity,
            message=self._message(number, entry, parsed),
            webhooks=self._targets(number, entry, webhooks),
        )

    def _condition(self, number: int, entry: _Entry) -> Parsed | Silence:
        try:
            return parse(entry.when, self._known)
        except Misread as error:
            raise self._at(number, "when", str(error), entry.when, error.column - 1) from None

    def _message(self, number: int, entry: _Entry, parsed: Parsed | Silence) -> str:
        if isinstance(parsed, Silence):
            values = ["source"]
            usual = f"{{ticker}}: nothing of {{source}} ({' '.join(entry.when.split())})"
        else:
            known = self._known
            values = [name for name, one in known.items() if one.stream == parsed.stream]
            shown = ", ".join(f"{name} {{{name}}}" for name in parsed.names)
            usual = f"{{ticker}}: {' '.join(entry.when.split())} ({shown})"
        text = usual if entry.message is None else entry.message
        try:
            message.check(text, values)
        except message.BadMessage as error:
            raise self._at(number, "message", str(error), text, error.at) from None
        return text

    def _tickers(self, number: int, entry: _Entry) -> frozenset[str] | None:
        if entry.tickers is None:
            return None
        if not entry.tickers:
            raise self._at(number, "tickers", "tickers is empty: leave it out for all tickers")
        try:
            return frozenset(check_ticker(ticker.upper()) for ticker in entry.tickers)
        except ValueError as error:
            raise self._at(number, "tickers", str(error)) from None

    def _cooldown(self, number: int, entry: _Entry) -> int:
        try:
            return 0 if entry.cooldown is None else duration_ms(entry.cooldown)
        except ValueError as error:
            raise self._at(number, "cooldown", f"cooldown {entry.cooldown!r} {error}") from None

    def _targets(
        self, number: int, entry: _Entry, webhooks: Mapping[str, Webhook]
    ) -> tuple[str, ...] | None:
        if entry.webhooks is None:
            return None
        for name in entry.webhooks:
            if name not in webhooks:
                hint = instead(name, list(webhooks)) if webhooks else "there are none"
                raise self._at(
                    number,
                    "webhooks",
                    f"{name!r} is no webhook: {hint} ([webhooks] and ALERT_WEBHOOKS name them)",
                )
        return tuple(dict.fromkeys(entry.webhooks))

    def _at(
        self, number: int, key: str | None, problem: str, value: str | None = None, at: int = 0
    ) -> InvalidRule:
        """Return the error about a key of a rule, or about a character of its value."""
        place = self._places.of_rule(number, key)
        if place is not None and value is not None:
            place = self._places.within(place, value, at)
        return self._wrong(place, problem)

    def _wrong(self, place: int | None, problem: str) -> InvalidRule:
        return InvalidRule(self._path, *self._places.line_and_column(place or 0), problem)
