"""Macroeconomic series from FRED, the database of the Federal Reserve Bank of St. Louis."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from errors import ConfigurationError, InvalidRecord, SourceUnavailable
from models import ECONOMIC_OBSERVATION, EconomicObservation
from models.times import to_ms
from monitoring.instruments import rate_limited
from sources.answers import MOST_RECORDS
from sources.base import NO_FRED_KEY, UnknownKeys
from sources.fred_client import Abandoned, FredClient, FredError, Release
from sources.token_bucket import LONGEST_RETRY_AFTER_S
from topics import ECONOMIC_INDICATORS

log = logging.getLogger(__name__)

FRED_BASE_URL = "https://api.stlouisfed.org/fred"

#: Series asked at a time: few, as every thread that parses takes turns with the loop, and FRED
#: takes 120 requests a minute of one key.
CONCURRENCY = 2

#: Pause after a 429 or 503 that does not say how long, in seconds.
RETRY_AFTER_S = 30.0


class FredSource:
    """Reads series with fredapi, every revision with the day it was published.

    A key without a ``since`` brings the series' whole history, all revisions. Otherwise come, for
    one series, the observations of periods after ``since``, and all that was published after the
    first value of the period ``since``: revisions of older periods, which no time after ``since``
    would bring. Where they come alone, the newest value of ``since`` comes with them, so that
    a cursor made of their times does not go back. Business keys absorb what comes again.

    ``time`` is the first day of the period and ``realtime_start`` the day of publication, both
    at midnight UTC. Missing values (``.``) and periods still to come (projections) are left out.

    Series are independent: one that fails is a warning, unless all do.

    Args:
        api_key: from https://fredaccount.stlouisfed.org, free.
        base_url: where FRED is.
        interval: seconds between two polls.
        timeout_s: longest wait for one answer, in seconds.
        budget_s: longest wait for all series, in seconds; those that are not done by then fail.
        clock: seconds from any start, for pauses.
        now: seconds since the epoch.

    Raises:
        SourceUnavailable: there is no key.
        ConfigurationError: ``base_url`` is no address.
    """

    name = "fred"
    topic = ECONOMIC_INDICATORS

    def __init__(
        self,
        api_key: str | None,
        *,
        base_url: str = FRED_BASE_URL,
        interval: float = 3600.0,
        timeout_s: float = 10.0,
        budget_s: float = 25.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        key = (api_key or "").strip()
        if not key:
            raise SourceUnavailable(NO_FRED_KEY)
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(f"FRED_BASE_URL={base_url!r}: must begin with https://")
        self.interval = interval
        self._budget_s = budget_s
        self._clock = clock
        self._now = now
        self._client = FredClient(key, base_url.rstrip("/"), timeout_s)
        self._about: dict[str, Mapping[str, str]] = {}
        self._not_before = float("-inf")
        # Of its own: calls that hang must not take the threads that others need.
        self._pool: ThreadPoolExecutor | None = None

    async def fetch(
        self, keys: Sequence[str], since: Mapping[str, int]
    ) -> list[EconomicObservation]:
        """Return what was published after ``since``; see :meth:`sources.base.Source.fetch`.

        Raises:
            UnknownKeys: FRED does not have some of the series.
            SourceUnavailable: FRED answered for none of the series.
        """
        if not keys:
            return []
        wait = self._not_before - self._clock()
        if wait > 0:
            raise SourceUnavailable(f"FRED asked to be left alone for another {wait:.0f} s")
        answers = await self._ask(keys, since)
        unknown = [key for key, got in answers.items() if _is_unknown(got)]
        if unknown:
            raise UnknownKeys(self.name, unknown, "see https://fred.stlouisfed.org, FRED_SERIES")
        found: list[EconomicObservation] = []
        problems = []
        for key, got in answers.items():
            if isinstance(got, FredError):
                problems.append(f"FRED, {key}: {got}")
                if got.status in {429, 503}:
                    asked = RETRY_AFTER_S if got.retry_after is None else got.retry_after
                    pause = min(asked, LONGEST_RETRY_AFTER_S)
                    self._not_before = max(self._not_before, self._clock() + pause)
                    rate_limited(self.name, pause)
            else:
                found += got
        if problems and len(problems) == len(answers):
            raise SourceUnavailable("; ".join(problems))
        for problem in problems:
            log.warning("%s; the other series go on", problem)
        return found

    async def close(self) -> None:
        """Give up the threads, and what is known about the series."""
        self._about = {}
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    async def _ask(
        self, keys: Sequence[str], since: Mapping[str, int]
    ) -> dict[str, list[EconomicObservation] | FredError]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="fred")
        loop, abandoned = asyncio.get_running_loop(), threading.Event()
        found: list[int] = []

        def series(key: str) -> list[EconomicObservation] | FredError:
            if sum(found) > MOST_RECORDS:
                return FredError("not asked, as the others have so much; it is with the next poll")
            answer = self._series(key, since.get(key), abandoned)
            found.append(0 if isinstance(answer, FredError) else len(answer))
            return answer

        calls = {key: loop.run_in_executor(self._pool, series, key) for key in keys}
        try:
            await asyncio.wait(calls.values(), timeout=self._budget_s)
        finally:
            # Whoever stopped waiting must not be outlived by its requests.
            abandoned.set()
            for call in calls.values():
                call.cancel()
        late = FredError(f"no complete answer in {self._budget_s:g} s")
        return {key: late if call.cancelled() else call.result() for key, call in calls.items()}

    def _series(
        self, series: str, since: int | None, abandoned: threading.Event
    ) -> list[EconomicObservation] | FredError:
        """Return what is new of one series, or why nothing is; runs in a thread."""
        try:
            about = self._about.get(series)
            if about is None:
                about = self._client.about(series, abandoned)
            if since is None:
                releases = self._client.history(series, abandoned)
            else:
                releases = _after(since, self._client.since(series, _day(since), abandoned))
        except FredError as error:
            return error
        except Abandoned:
            return FredError("no longer waited for")
        self._about[series] = about
        return self._records(series, about, releases)

    def _records(
        self, series: str, about: Mapping[str, str], releases: Sequence[Release]
    ) -> list[EconomicObservation]:
        now = self._now()
        ingested, tomorrow = int(now * 1000), datetime.fromtimestamp(now, UTC).date()
        tomorrow += timedelta(days=1)
        found, left_out = [], None
        for release in releases:
            # Nothing was observed yet of a period that has not begun.
            if release.day > tomorrow:
                continue
            try:
                found.append(
                    ECONOMIC_OBSERVATION.parse(
                        {
                            "series": series,
                            "time": _ms(release.day),
                            "value": release.value,
                            "realtime_start": _ms(release.published),
                            "source": self.name,
                            "ingested": ingested,
                            "title": about.get("title", "")[:2_000],
                            "units": about.get("units", "")[:256],
                            "frequency": about.get("frequency", "")[:256],
                        }
                    )
                )
            except InvalidRecord as error:
                left_out = error
        if left_out is not None:
            log.warning("FRED, %s: left out what breaks a rule, the last: %s", series, left_out)
        return found


def _after(since: int, releases: Sequence[Release]) -> list[Release]:
    """Return what was published after the first value of the period that ``since`` is."""
    day = _day(since)
    first = min((r.published for r in releases if r.day == day), default=day)
    new = [r for r in releases if r.day > day or r.published > first]
    if new and all(r.day < day for r in new):
        # Its cursor would go back.
        new += [r for r in releases if r.day == day][-1:]
    return new


def _is_unknown(answer: object) -> bool:
    return isinstance(answer, FredError) and answer.unknown_series


def _day(ms: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).date()


def _ms(day: date) -> int:
    return to_ms("time", day)
