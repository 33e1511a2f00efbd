"""fredapi with a time limit, honest errors, and all revisions of a series that has thousands."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from http.client import HTTPException
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import quote

from fredapi import Fred

from sources.answers import MOST_BYTES, AnswerTooLarge

#: FRED's limit for one request of observations.
MOST_VINTAGES = 2_000
#: Rows asked for at a time: some 5 MB, half of what FRED gives.
MOST_ROWS = 50_000
#: Values of one series, all revisions together; the longest have a third of it.
MOST_RELEASES = 150_000

EARLIEST, LATEST = date(1776, 7, 4), date(9999, 12, 31)

#: Small enough that parsing one holds nobody up who waits for the interpreter.
_CHUNK_BYTES = 65_536

#: What the parser raises: also for an encoding that it does not know, or does not read.
_BROKEN_XML = (ET.ParseError, LookupError, ValueError)

#: Elements of one answer: its rows, and what is around them.
_MOST_ELEMENTS = 60_000


class FredError(Exception):
    """FRED did not answer, or said no.

    Attributes:
        status: of the answer; None without one.
        retry_after: seconds that FRED asked to wait; None if it did not.
    """

    def __init__(
        self, reason: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(reason)

    @property
    def unknown_series(self) -> bool:
        """Whether the series does not exist."""
        return self.status in {400, 404} and "series does not exist" in str(self).lower()

    @property
    def too_many_vintages(self) -> bool:
        """Whether fewer revisions must be asked for at a time."""
        return self.status == 400 and "vintage dates" in str(self).lower()


class Abandoned(Exception):
    """Nobody waits for the answer any more."""


class Release(NamedTuple):
    """The value of the period that begins on ``day``, as published on ``published``."""

    day: date
    published: date
    value: float


class FredClient:
    """Blocking; safe to use from several threads.

    Args:
        api_key: never in an error or a log.
        base_url: without a slash at the end.
        timeout_s: longest wait for one answer, in seconds.
    """

    def __init__(self, api_key: str, base_url: str, timeout_s: float) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_s = timeout_s

    def about(self, series: str, abandoned: threading.Event) -> Mapping[str, str]:
        """Return title, units, frequency and more of a series.

        Raises:
            FredError, Abandoned: no answer.
        """
        try:
            info = self._fred(abandoned).get_series_info(_quoted(series))
        except ValueError as error:
            # The library's own complaint about an answer without a series in it.
            raise FredError(f"answered without the series ({error})") from None
        return {str(name): str(text) for name, text in info.items()}

    def history(self, series: str, abandoned: threading.Event) -> list[Release]:
        """Return all values of all periods in order of period, then publication.

        Raises:
            FredError, Abandoned: no answer.
        """
        fred = self._fred(abandoned)
        try:
            return _joined([fred.releases(series, EARLIEST, LATEST)])
        except FredError as error:
            if not error.too_many_vintages:
                raise
        return _joined(self._in_windows(fred, series))

    def since(self, series: str, day: date, abandoned: threading.Event) -> list[Release]:
        """Return what was in force on ``day`` or published after, ordered as by :meth:`history`.

        What was published before says ``day``.

        Raises:
            FredError, Abandoned: no answer.
        """
        fred = self._fred(abandoned)
        try:
            return _joined([fred.releases(series, day, LATEST)])
        except FredError as error:
            if not error.too_many_vintages:
                raise
        return _joined(self._in_windows(fred, series))

    def _in_windows(self, fred: _Fred, series: str) -> Iterator[list[Release]]:
        try:
            vintages = [moment.date() for moment in fred.get_series_vintage_dates(_quoted(series))]
        except ValueError as error:
            raise FredError(f"answered with no dates of publication ({error})") from None
        starts = [EARLIEST, *vintages[MOST_VINTAGES - 1 :: MOST_VINTAGES - 1]]
        left = MOST_RELEASES
        for start, following in pairwise([*starts, LATEST]):
            end = LATEST if following == LATEST else following - timedelta(days=1)
            window = fred.releases(series, start, end, left)
            left -= len(window)
            yield window

    def _fred(self, abandoned: threading.Event) -> _Fred:
        return _Fred(self._api_key, self._base_url, self._timeout_s, abandoned)


class _Fred(Fred):  # type: ignore[misc]  # it comes without types
    """The library with a transport that ends; one object for one caller, who may give up."""

    def __init__(
        self, api_key: str, base_url: str, timeout_s: float, abandoned: threading.Event
    ) -> None:
        super().__init__(api_key=api_key)
        self.root_url = base_url
        self._timeout_s = timeout_s
        self._abandoned = abandoned

    def releases(
        self, series: str, start: date, end: date, most: int = MOST_RELEASES
    ) -> list[Release]:
        """Return what was in force at some time from ``start`` to ``end``.

        The same request as ``get_series_all_releases``, which takes seconds to make a frame of a
        daily series, and whose frame says nothing of further pages.

        Raises:
            FredError, Abandoned: no answer, or more than ``most``.
        """
        found: list[Release] = []
        read = 0
        while True:
            url = (
                f"{self.root_url}/series/observations?series_id={_quoted(series)}"
                f"&realtime_start={start}&realtime_end={end}&limit={MOST_ROWS}"
            )
            root = self._Fred__fetch_data(url + (f"&offset={read}" if read else ""))
            rows = list(root)
            read += len(rows)
            found += [release for row in rows if (release := _release(row)) is not None]
            if read > most:
                raise FredError(f"answered with more than {MOST_RELEASES:,} values of one series")
            if len(rows) < MOST_ROWS:
                return found

    def _Fred__fetch_data(self, url: str) -> ET.Element:  # noqa: N802
        """Return what FRED says at ``url``, in place of the library's private method.

        That one waits without limit, loses the status of a refusal, and fails on one that is not
        XML. urllib as there, and no client that logs the addresses it asks: the key is in them.
        """
        if self._abandoned.is_set():
            raise Abandoned
        deadline = time.monotonic() + self._timeout_s
        try:
            with _OPENER.open(
                f"{url}&api_key={quote(self.api_key, safe='')}", timeout=self._timeout_s
            ) as answer:
                return self._parsed(answer, deadline)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise self._refused(refusal, deadline) from None
        except _BROKEN_XML as error:
            raise FredError(f"answered with broken XML ({error})") from None
        except (OSError, HTTPException) as error:
            # Not chained: a traceback would show the address.
            raise FredError(self._without_key(_described(error, self._timeout_s))) from None

    def _parsed(self, answer: Any, deadline: float) -> ET.Element:
        parser = ET.XMLParser(target=_Tree())  # noqa: S314 - no entities are declared
        for chunk in self._chunks(answer, deadline):
            parser.feed(chunk)
        root: ET.Element = parser.close()
        return root

    def _refused(self, refusal: urllib.error.HTTPError, deadline: float) -> FredError:
        reason = str(refusal.reason)
        try:
            reason = self._parsed(refusal.fp, deadline).get("message", reason)
        except (*_BROKEN_XML, FredError, OSError, HTTPException):
            # A proxy's page, or nothing: then the status is all there is.
            reason = str(refusal.reason)
        wait = refusal.headers.get("Retry-After", "") if refusal.headers else ""
        return FredError(
            f"{refusal.code} {self._without_key(reason)}",
            refusal.code,
            float(wait) if wait.isdecimal() else None,
        )

    def _chunks(self, answer: Any, deadline: float) -> Iterator[bytes]:
        size = 0
        while chunk := answer.read1(_CHUNK_BYTES):
            size += len(chunk)
            if self._abandoned.is_set():
                raise Abandoned
            if time.monotonic() > deadline:
                raise FredError(f"no complete answer in {self._timeout_s:g} s")
            if size > MOST_BYTES:
                raise FredError(str(AnswerTooLarge("FRED", "FRED_BASE_URL")))
            yield chunk

    def _without_key(self, text: str) -> str:
        return text.replace(self.api_key, "***")


class _Tree(ET.TreeBuilder):
    """Builds a tree of bounded size: one of eight megabytes of the smallest elements has 800 MB."""

    def __init__(self) -> None:
        super().__init__()
        self._left = _MOST_ELEMENTS

    def start(self, tag: str, attributes: dict[str, str], /) -> ET.Element:
        """Begin an element."""
        self._left -= 1
        if self._left < 0:
            raise FredError(f"answered with more than {_MOST_ELEMENTS:,} elements")
        return super().start(tag, attributes)

    def doctype(self, *_: object) -> None:
        """Refuse what may declare entities, which would expand to more than the answer has."""
        raise FredError("answered with a document type, which its answers do not have")


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: FRED has none, and urllib reads whatever comes with one to its end."""

    def redirect_request(self, *_: Any) -> None:
        """Return that there is nothing to ask instead."""


_OPENER = urllib.request.build_opener(_Here)


def _joined(windows: Iterable[list[Release]]) -> list[Release]:
    """Return what follows from consecutive windows of publication.

    A window begins with what was in force already, dated to its start: that is no release. It is
    told by saying what the window before ended with.
    """
    known: dict[tuple[date, date], Release] = {}
    last: dict[date, float] = {}
    for number, window in enumerate(windows):
        for release in sorted(window):
            if number and last.get(release.day) == release.value:
                continue
            known[release.day, release.published] = release
            last[release.day] = release.value
    return sorted(known.values())


def _release(row: ET.Element) -> Release | None:
    """Return an observation, None for what FRED has no value of.

    Raises:
        FredError: it is no observation.
    """
    if row.get("value") == Fred.nan_char:
        return None
    try:
        return Release(
            date.fromisoformat(row.attrib["date"]),
            date.fromisoformat(row.attrib["realtime_start"]),
            float(row.attrib["value"]),
        )
    except (KeyError, ValueError):
        raise FredError(f"answered with no observation: {dict(row.attrib)}") from None


def _quoted(series: str) -> str:
    return quote(series, safe="")


def _described(error: Exception, timeout_s: float) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no answer in {timeout_s:g} s"
    return f"no answer ({reason or type(reason).__name__})"
