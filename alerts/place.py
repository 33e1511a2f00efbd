"""Where something stands in a TOML file: ``tomllib`` reads values and forgets their places."""

from __future__ import annotations

import re

_TABLE = re.compile(r"\s*\[")


class Places:
    """Finds lines and columns, both from 1, in the text of a rules file."""

    def __init__(self, text: str) -> None:
        self._text = text
        #: Where each line begins, and whether a text of several lines is going on there.
        self._lines: list[tuple[int, bool]] = []
        start, inside = 0, False
        for line in text.splitlines(keepends=True):
            self._lines.append((start, inside))
            start += len(line)
            if len(re.findall(r'"""|\'\'\'', line)) % 2:
                inside = not inside

    def of_rule(self, number: int, key: str | None = None) -> int | None:
        """Return the offset of a value of the rule with this number, from 0, or of its head.

        None where the file is written in another way, as with tables in one line.
        """
        return self._of("rule", number, key)

    def of_webhook(self, name: str) -> int | None:
        """Return the offset of the address of a webhook."""
        return self._of("webhooks", 0, name)

    def within(self, start: int, value: str, at: int) -> int:
        """Return the offset of a character of a text value that begins at ``start``.

        Where the value is written with escapes, that of its beginning.
        """
        found = self._text.find(value, start)
        quotes = 4  # three of them, and a line break
        return found + at if start <= found <= start + quotes else start

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Return where an offset is."""
        before = self._text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def _of(self, table: str, number: int, key: str | None) -> int | None:
        head = re.compile(rf"\s*(\[+\s*)({table})\s*\]+\s*(#.*)?$")
        wanted = None if key is None else re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=\s*")
        seen = -1
        for start, inside in self._lines:
            if inside:
                continue
            end = self._text.find("\n", start)
            line = self._text[start : len(self._text) if end < 0 else end]
            if (found := head.match(line)) is not None:
                seen += 1
                if seen == number and wanted is None:
                    return start + found.start(1)
            elif _TABLE.match(line) and seen == number:
                break  # the next table
            elif seen == number and wanted is not None and (found := wanted.match(line)):
                return start + found.end()
        return None if wanted is None else self._of(table, number, None)
