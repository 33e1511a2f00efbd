"""The one exception that people who start servers see."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 15
_LONGEST_LINE = 400


class EmbeddedError(RuntimeError):
    """A server could not be started, reached or stopped.

    The message says what went wrong, what the server last wrote and where (if it wrote anything),
    and what to do about it.
    """

    def __init__(self, what: str, *, log: Path | None = None, remedy: str | None = None) -> None:
        self.log = log
        self.remedy = remedy
        parts = [what]
        if log is not None:
            parts.append(f"The last lines of {log}:\n{tail(log)}")
        if remedy is not None:
            parts.append(f"What to do: {remedy}")
        super().__init__("\n".join(parts))


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log file, indented; long lines are cut."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "  (no such file)"
    found = [line[:_LONGEST_LINE] for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(f"  {line}" for line in found) if found else "  (empty)"
