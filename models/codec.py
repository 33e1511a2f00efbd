"""One strict codec per Record: bytes to Record, Record to bytes.

Faust's own decoding is too forgiving for money (``true`` passes as a price) and acknowledges what
it cannot decode before anybody sees it. So topics are raw, and agents decode here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, NotRequired, TypeVar

import orjson
from faust import Record
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from errors import InvalidRecord
from models.rules import DAY_MS

R = TypeVar("R", bound=Record)
Fields = dict[str, Any]

#: What pydantic's error types mean to somebody who has to mend the message.
_REMEDIES = {
    "json_invalid": "the message is not valid JSON",
    "dict_type": "the message must be a JSON object",
    "missing": "the field is missing",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list",
}


class Codec(Generic[R]):
    """Decode, check and encode one kind of Record.

    Args:
        record: the Record class.
        key: the field that is the message's key (``ticker`` or ``series``).
        fields: the rule of each field, by name (types from :mod:`models.rules`).
        check: a rule over several fields; returns ``(field, reason)`` or None.
        times: the fields that may not lie more than a day ahead of now.
    """

    def __init__(
        self,
        record: type[R],
        key: str,
        fields: Mapping[str, Any],
        *,
        check: Callable[[Fields], tuple[str, str] | None] | None = None,
        times: tuple[str, ...] = ("time",),
    ) -> None:
        self.record = record
        self.key = key
        self.name = record.__name__
        self.fields = tuple(fields)
        self._names = frozenset(fields)
        self.unknown_fields = 0
        self._check = check
        self._times = times
        self._defaults: Fields = dict(record._options.defaults)
        shape = {
            name: NotRequired[rule] if name in self._defaults else rule
            for name, rule in fields.items()
        }
        strict = with_config(ConfigDict(strict=True, extra="allow"))
        typed = strict(TypedDict(self.name, shape))  # type: ignore[operator]
        self._adapter: TypeAdapter[Fields] = TypeAdapter(typed)

    def decode(self, key: bytes | None, value: bytes | None) -> R:
        """Return the Record that a message holds.

        Raises:
            InvalidRecord: the message breaks a rule; names the field, the value and the rule.
        """
        if value is None:
            raise InvalidRecord("message", None, "a tombstone (no value): nothing to store")
        try:
            data = self._adapter.validate_json(value)
        except ValidationError as error:
            raise self._complaint(error) from None
        record = self._build(data)
        expected: str = data[self.key]
        if key is None or key != expected.encode():
            raise InvalidRecord(
                "key", key, f"must be the {self.key}, {expected!r}, as UTF-8: it decides who works"
            )
        return record

    def parse(self, data: Mapping[str, Any]) -> R:
        """Return the Record with these fields, under the same rules as :meth:`decode`.

        Raises:
            InvalidRecord: a field breaks a rule.
        """
        try:
            return self._build(self._adapter.validate_python(dict(data)))
        except ValidationError as error:
            raise self._complaint(error) from None

    def encode(self, record: R) -> bytes:
        """Return the JSON of ``record``, fields in their declared order."""
        return self.dump({name: getattr(record, name) for name in self.fields})

    def dump(self, fields: Mapping[str, Any]) -> bytes:
        """Return the JSON of a Record with these fields: all of them, known to be right.

        For trends and alerts, where making the Record first costs more than all the rest.
        """
        return orjson.dumps(fields)

    def encode_key(self, record: R) -> bytes:
        """Return the message key of ``record``."""
        name: str = getattr(record, self.key)
        return name.encode()

    def _build(self, data: Fields) -> R:
        if data.keys() != self._names:
            data = self._trim_and_fill(data)
        latest = time.time() * 1000 + DAY_MS
        for name in self._times:
            if data[name] > latest:
                raise InvalidRecord(name, data[name], "lies more than a day in the future")
        if self._check is not None:
            problem = self._check(data)
            if problem is not None:
                raise InvalidRecord(problem[0], data[problem[0]], problem[1])
        # Faust's constructor takes 8 us, most of it to find out what is known here already.
        record: R = self.record.__new__(self.record)
        data["__evaluated_fields__"] = set()
        record.__dict__ = data
        return record

    def _trim_and_fill(self, data: Fields) -> Fields:
        known = {**self._defaults, **{k: v for k, v in data.items() if k in self._names}}
        if not self._names.issuperset(data):
            self.unknown_fields += 1
        return known

    def _complaint(self, error: ValidationError) -> InvalidRecord:
        problem = error.errors(include_url=False)[0]
        kind, place, value = problem["type"], problem["loc"], problem["input"]
        field = ".".join(str(part) for part in place) or "message"
        reason = _REMEDIES.get(kind, problem["msg"])
        if kind == "json_invalid":
            reason = f"{reason} ({problem['msg'].removeprefix('Invalid JSON: ')})"
        if kind == "missing":
            value = None
        return InvalidRecord(field, value, reason)
