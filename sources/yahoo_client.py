"""yfinance, kept to limits: one call at a time, by a deadline, and with what went wrong told.

``yfinance.download`` logs what goes wrong with a ticker and returns no rows of it, so the session
that it sends its requests through is ours. It counts them against the token bucket, sends them to
another address where one is set, and notes how each ticker's request ended.

yfinance is imported by the first call, in that call's thread: it takes most of a second.
"""

from __future__ import annotations

import functools
import json
import logging
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from errors import SourceUnavailable
from sources.answers import MOST_RECORDS, AnswerTooLarge, CurlBody
from sources.market_hours import DAY_MS, WITHIN_DAY_MS
from sources.token_bucket import TokenBucket

if TYPE_CHECKING:
    import pandas as pd

#: Where prices are asked for; the ticker follows.
CHART = "/v8/finance/chart/"
#: What yfinance asks beside prices, to be let in. All else would be requests nobody needs.
_ENTRANCE = ("/v1/test/getcrumb", "/consent", "/v2/collectConsent", "/copyConsent")

#: Told a ticker and its company's name.
Learn = Callable[[str, str], None]
_LONGEST_NAME = 200

#: Bars beyond what the time asked for has of them: the last trade, days that clocks change.
_SPARE_BARS = 10

_TOO_MANY = 429
#: yfinance then asks again with another cookie.
_NOT_LET_IN = (401, 403)

#: yfinance keeps its session, its cookies and its cache of time zones in the process, not in an
#: object: calls of all sources go one after another.
_ONE_AT_A_TIME = threading.Lock()


class Refused(Exception):
    """A request was not sent, or its answer is of no use; yfinance must not ask for it again."""


@dataclass
class Call:
    """One download: its bounds, and what became of it.

    Attributes:
        seconds: how long it may take; no request is sent after that.
        problems: why a ticker has no rows, where that may change.
        unknown: tickers that Yahoo does not have, with what it says.
        cooldown: seconds during which nothing is sent, where Yahoo answered 429.
        most_bars: no ticker is asked for after so many of the others.
        bars: how many have come.
        later: the tickers that were not asked for because of that.
    """

    seconds: float
    most_bars: int = MOST_RECORDS
    bars: int = 0
    later: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    cooldown: float | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _started: float = field(default_factory=time.monotonic)

    def stop(self) -> None:
        """Send no more requests; the one that is on its way comes to its end."""
        self._stopped.set()

    def left(self) -> float:
        """Return the seconds left, 0 or less where no request may be sent any more."""
        if self._stopped.is_set():
            return 0.0
        return self.seconds - (time.monotonic() - self._started)


class YahooClient:
    """Downloads tables of prices.

    Args:
        bucket: counts the requests.
        cache_dir: where yfinance keeps time zones and cookies; its own place in the user's cache
            where None. The first one in a process is used by all.
        base_url: where all requests go instead of Yahoo's hosts, such as ``http://127.0.0.1:8080``.
        timeout: of one request, in seconds.
        learn: told each ticker with its company's name, which come with the prices; in the thread
            of the download.
    """

    def __init__(
        self,
        bucket: TokenBucket,
        cache_dir: Path | None = None,
        base_url: str | None = None,
        timeout: float = 10.0,
        learn: Learn | None = None,
    ) -> None:
        self._bucket = bucket
        self._cache_dir = cache_dir
        self._base_url = base_url.rstrip("/") if base_url else None
        self._timeout = timeout
        self._learn = learn
        self._session: Any = None

    def prepare(self) -> None:
        """Load what the first download needs, so that it is no part of its time; blocks."""
        _yfinance(self._cache_dir)
        _session_class()

    def download(
        self, call: Call, tickers: Sequence[str], interval: str, **span: object
    ) -> pd.DataFrame:
        """Return yfinance's table of ``tickers``; blocks. What is missing is told by ``call``.

        Args:
            call: the bounds of this download; takes what went wrong.
            tickers: in capitals.
            interval: of a bar, as Yahoo has it.
            span: ``period``, or ``start`` and ``end``, as for ``yfinance.download``.

        Raises:
            SourceUnavailable: another download took all the time.
        """
        if not _ONE_AT_A_TIME.acquire(timeout=max(0.0, call.left())):
            raise SourceUnavailable(
                f"Yahoo: another download took all of the {call.seconds:.0f} s; it is tried again"
            )
        try:
            yfinance = _yfinance(self._cache_dir)
            # It uses what pandas is going to change, and turns such warnings on for itself.
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
            if self._session is None:
                self._session = _session_class()(
                    self._bucket, self._base_url, self._timeout, self._learn
                )
            self._session.call = call
            # Dividends belong in adjusted_close alone; threads would multiply the load on Yahoo,
            # and yfinance waits for ever for one that dies.
            frame: pd.DataFrame = yfinance.download(
                list(tickers),
                interval=interval,
                auto_adjust=False,
                actions=True,
                threads=False,
                progress=False,
                timeout=self._timeout,
                session=self._session,
                **span,
            )
            return frame
        finally:
            if self._session is not None:
                self._session.call = None
            _ONE_AT_A_TIME.release()

    def close(self) -> None:
        """Give up the connections; a later download opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


@functools.cache
def _yfinance(cache_dir: Path | None) -> Any:
    """Import yfinance, quiet and with its files where they belong."""
    import yfinance  # noqa: PLC0415 - slow: only where it is needed, and in a thread

    if cache_dir is not None and not _cache_dirs:
        cache_dir.mkdir(parents=True, exist_ok=True)
        yfinance.set_tz_cache_location(str(cache_dir))
        _cache_dirs.append(cache_dir)
    # Whatever it logs as an error reaches our callers as one.
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    return yfinance


#: The folder given to yfinance: it cannot change once its database is open.
_cache_dirs: list[Path] = []


@functools.cache
def _session_class() -> Callable[[TokenBucket, str | None, float, Learn | None], Any]:
    """Return the class of session; its base is imported late, like yfinance."""
    from curl_cffi import requests  # noqa: PLC0415

    class YahooSession(requests.Session[Any]):
        """Sends a call's requests and notes how they ended."""

        def __init__(
            self, bucket: TokenBucket, base_url: str | None, timeout: float, learn: Learn | None
        ) -> None:
            # As yfinance's own session: Yahoo turns away what is no browser.
            super().__init__(impersonate="chrome")
            self.call: Call | None = None
            self._bucket = bucket
            self._replacement = base_url
            self._longest = timeout
            self._learn = learn
            self._cookie_page: Any = None

        def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
            call = self.call
            if call is None:
                raise Refused("no download is under way")
            parts = urlsplit(url)
            ticker = _ticker(parts.path)
            self._check(call, parts.path, ticker)
            # A cookie of another host than Yahoo's does not count as had: yfinance would fetch one
            # before each request.
            for_cookie = self._replacement is not None and parts.path in {"", "/"}
            if for_cookie and self._cookie_page is not None:
                return self._cookie_page
            if self._replacement is not None:
                url = self._replacement + (parts.path or "/")
                url += f"?{parts.query}" if parts.query else ""
            given = kwargs.get("timeout")
            longest = min(self._longest, call.left())
            kwargs["timeout"] = min(given, longest) if isinstance(given, int | float) else longest
            self._bucket.spend()
            kwargs["content_callback"] = body = CurlBody()
            try:
                response = super().request(method, url, *args, **kwargs)
            except requests.exceptions.RequestException as error:
                if ticker is None:
                    raise
                if body.too_large:
                    call.problems[ticker] = str(AnswerTooLarge("Yahoo", "YAHOO_BASE_URL"))
                    # yfinance would ask again for what it takes for a broken connection.
                    raise Refused(call.problems[ticker]) from None
                call.problems[ticker] = _network_trouble(error, kwargs["timeout"])
                raise
            response.content = bytes(body.content)
            if ticker is not None:
                self._judge(call, ticker, response, _most_bars(kwargs.get("params") or {}))
            if for_cookie:
                self._cookie_page = response
            return response

        def _check(self, call: Call, path: str, ticker: str | None) -> None:
            if call.left() <= 0:
                reason = f"not asked: the {call.seconds:.0f} s for all tickers were over"
            elif call.cooldown is not None:
                reason = "not asked: Yahoo had answered 429 before"
            elif ticker is not None and call.bars >= call.most_bars:
                reason = f"not asked: the others have {call.bars:,} bars, so it comes next"
                call.later.add(ticker)
            elif ticker is not None and (ticker in call.unknown or ticker in _final(call)):
                raise Refused(f"{ticker} was answered already")
            elif ticker is None and path not in {"", "/", *_ENTRANCE}:
                raise Refused(f"{path} is not needed for prices")
            else:
                return
            if ticker is not None:
                call.problems.setdefault(ticker, reason)
            raise Refused(reason)

        def _judge(self, call: Call, ticker: str, response: Any, most: int) -> None:
            status: int = response.status_code
            if status == _TOO_MANY:
                seconds = _retry_after(response.headers.get("Retry-After"))
                call.cooldown = self._bucket.refused(seconds)
                call.problems[ticker] = "HTTP 429 (too many requests)"
                raise Refused(call.problems[ticker])
            if status in _NOT_LET_IN:
                call.problems[ticker] = f"HTTP {status}"
                return
            said = _said(response.content)
            if status == 404 and said.code == "Not Found":
                call.unknown[ticker] = said.description
            elif said.bars > most:
                call.problems[ticker] = (
                    f"{said.bars:,} bars of a time that has {most:,}: look at YAHOO_BASE_URL"
                )
            elif status != 200 or said.damaged or said.code:
                shown = f"HTTP {status}" if status != 200 else ""
                why = "an answer that is no whole JSON" if said.damaged else said.description
                call.problems[ticker] = ": ".join(text for text in (shown, why) if text)
            else:
                call.problems.pop(ticker, None)
                call.bars += said.bars
                self._bucket.answered()
                if self._learn is not None and said.name:
                    self._learn(ticker, said.name)
                return
            # Not handed to yfinance: it would ask four times more for what is final, and keep an
            # error page for the rest of the process where it looks for the ticker's time zone.
            raise Refused(f"{ticker}: {call.unknown.get(ticker) or call.problems[ticker]}")

    return YahooSession


def _final(call: Call) -> set[str]:
    """Return the tickers that are not worth another request in this call."""
    again = {f"HTTP {status}" for status in _NOT_LET_IN}
    return {ticker for ticker, problem in call.problems.items() if problem not in again}


def _ticker(path: str) -> str | None:
    return unquote(path.removeprefix(CHART)).upper() if path.startswith(CHART) else None


class _Said(NamedTuple):
    """What a chart's JSON says beside prices.

    Attributes:
        code: of the error, empty without one; ``name``, the company's, likewise.
        damaged: whether it is no chart's JSON.
    """

    code: str = ""
    description: str = ""
    damaged: bool = False
    name: str = ""
    bars: int = 0


def _said(body: bytes) -> _Said:
    try:
        chart = json.loads(body)["chart"]
        error = chart["error"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return _Said(damaged=True)
    if isinstance(error, dict):
        return _Said(str(error.get("code") or "error"), str(error.get("description") or ""))
    results = chart.get("result")
    if not isinstance(results, list):
        return _Said(damaged=True)
    first = results[0] if results else None
    if not isinstance(first, dict):
        return _Said()
    meta, times = first.get("meta"), first.get("timestamp")
    return _Said(
        name=_name(meta) if isinstance(meta, dict) else "",
        bars=len(times) if isinstance(times, list) else 0,
    )


def _most_bars(asked: Mapping[str, Any]) -> int:
    """Return how many bars an answer has at most.

    >>> _most_bars({"interval": "1m", "period1": 0, "period2": 3_600})
    70
    """
    try:
        seconds = int(asked["period2"]) - int(asked["period1"])
    except (LookupError, TypeError, ValueError):
        return MOST_RECORDS  # for the time zone alone, and nobody reads them
    length = WITHIN_DAY_MS.get(asked.get("interval", ""), DAY_MS) // 1000
    return max(0, seconds) // length + _SPARE_BARS


def _name(meta: dict[str, Any]) -> str:
    """Return the company's name from a chart's metadata, empty without one."""
    names = (meta.get("longName"), meta.get("shortName"))
    found = next((name for name in names if isinstance(name, str) and name.strip()), "")
    return " ".join(found.split())[:_LONGEST_NAME]


def _network_trouble(error: Exception, timeout: float) -> str:
    kind = type(error).__name__
    if "Timeout" in kind:
        return f"no answer within {timeout:.1f} s"
    return f"{kind}: {str(error).partition('. See https://curl')[0]}"


def _retry_after(value: str | None) -> float | None:
    """Return a Retry-After header as seconds from now; None without one that can be read.

    >>> _retry_after("120"), _retry_after("soon"), _retry_after(None)
    (120.0, None, None)
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
