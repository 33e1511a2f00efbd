"""Log lines: for people, or one JSON object each; without secrets either way.

``LOG_FORMAT`` says which. Libraries may put an address, and with it a password, into a message or a
traceback, so what the settings hold as secrets is taken out of every line, last of all.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

from faust.cli.worker import worker as WorkerCommand  # noqa: N812 - Faust names it like a function
from mode.utils.logging import DEFAULT_COLOR_FORMAT, DEFAULT_COLORS, DEFAULT_FORMAT
from mode.utils.logging import DefaultFormatter as PlainFormatter
from mode.utils.logging import ExtensionFormatter as ColoredFormatter
from pydantic import SecretStr
from pythonjsonlogger.json import JsonFormatter

from config import Settings

#: What stands in a line in place of a secret.
HIDDEN = "***"
#: Shorter secrets would be found in half of all words.
_SHORTEST = 4

Redact = Callable[[str], str]


def redactor(settings: Settings) -> Redact:
    """Return a function that takes the secrets of ``settings`` out of a text."""
    forms = {form for secret in _secrets(settings) for form in _forms(secret)}
    if not forms:
        return str
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return lambda text: pattern.sub(HIDDEN, text)


class JsonLines(JsonFormatter):
    """One JSON object a line: time, level, logger, process, message, and what was given as extra.

    Args:
        redact: takes secrets out of a line.
    """

    def __init__(self, redact: Redact) -> None:
        super().__init__(
            ["levelname", "name", "process", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            timestamp="time",
            json_ensure_ascii=False,
        )
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return self._redact(super().format(record))


class _Plain(PlainFormatter):
    def __init__(self, redact: Redact, fmt: str) -> None:
        super().__init__(fmt)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _Colored(ColoredFormatter):
    def __init__(self, redact: Redact) -> None:
        super().__init__(fmt=DEFAULT_COLOR_FORMAT, log_colors=DEFAULT_COLORS, stream=sys.stdout)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def worker_logging(settings: Settings) -> dict[str, Any]:
    """Return what Faust takes as ``logging_config``: its own, but for how a line looks."""
    redact = redactor(settings)
    plain: dict[str, Any] = {"()": _Plain, "redact": redact, "fmt": DEFAULT_FORMAT}
    colored: dict[str, Any] = {"()": _Colored, "redact": redact}
    if settings.log_format == "json":
        plain = colored = {"()": JsonLines, "redact": redact}
    # `default` is that of a log file, `colored` that of the terminal.
    return {"merge": True, "formatters": {"default": plain, "colored": colored}}


def without_banner() -> None:
    """Let a worker begin with its first line, and not with Faust's table of versions."""
    WorkerCommand.on_worker_created = lambda *_: None  # type: ignore[method-assign]


def set_up_script(settings: Settings) -> None:
    """Let a script log to standard error; what it shows to people goes its own way.

    For people that are warnings, as words; as JSON, everything that happens.
    """
    # It says the whole address of every request, at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    handler = logging.StreamHandler()
    redact = redactor(settings)
    if settings.log_format == "json":
        handler.setFormatter(JsonLines(redact))
        logging.root.setLevel(logging.INFO)
    else:
        handler.setFormatter(_Plain(redact, "%(message)s"))
    logging.root.addHandler(handler)


def is_json() -> bool:
    """Whether this process logs JSON."""
    return any(isinstance(handler.formatter, JsonLines) for handler in logging.root.handlers)


def _secrets(settings: Settings) -> Iterator[str]:
    for name, value in settings:
        if not isinstance(value, SecretStr):
            continue
        if name == "mongodb_uri":
            yield from _secrets_of_uri(value.get_secret_value())
        else:
            yield value.get_secret_value()


def _secrets_of_uri(uri: str) -> Iterator[str]:
    """Yield the password of an address, and the options that hold a secret."""
    credentials, at, _ = uri.partition("://")[2].rpartition("@")
    if at:
        yield credentials.partition(":")[2]
    options = (option.partition("=") for option in uri.partition("?")[2].split("&"))
    for name, _, value in options:
        if re.search("password|properties", name, re.IGNORECASE):
            yield value


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it may stand in a line: as it is, in an address, in JSON."""
    if len(secret) >= _SHORTEST:
        for text in (secret, unquote(secret)):
            yield from (text, quote(text, safe=""), json.dumps(text)[1:-1])
            yield json.dumps(text, ensure_ascii=False)[1:-1]
