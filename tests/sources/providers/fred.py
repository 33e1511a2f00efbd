"""A server that answers as FRED's API does, in XML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from xml.sax.saxutils import quoteattr

from tests.sources.providers.server import Answer, LocalServer, Request

OBSERVATIONS = "/fred/series/observations"
SERIES = "/fred/series"
VINTAGES = "/fred/series/vintagedates"
API_KEY = "0123456789abcdef0123456789abcdef"
TODAY = "2026-11-23"
_XML = {"Content-Type": "text/xml; charset=UTF-8"}


def error(status: int, message: str, **headers: str) -> Answer:
    """Return FRED's refusal."""
    body = (
        f'<?xml version="1.0" encoding="utf-8" ?>\n<error code="{status}" '
        f"message={quoteattr(message)}/>"
    )
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, body.encode(), {**_XML, **named})


TOO_MANY = error(429, "Too Many Requests.  Exceeded Rate Limit")
NO_SUCH_KEY = error(400, "Bad Request.  The value for variable api_key is not registered.")


@dataclass
class FredSeries:
    """What FRED knows of a series.

    Attributes:
        releases: (period, day of publication, value), in order of publication per period.
    """

    title: str
    units: str = "Percent"
    frequency: str = "Monthly"
    releases: list[tuple[str, str, str]] = field(default_factory=list)

    def vintages(self) -> list[str]:
        return sorted({published for _, published, _ in self.releases})

    def rows(self, start: str, end: str) -> Iterable[tuple[str, str, str, str]]:
        """Yield the values in force between two days: their periods' part in between."""
        by_day: dict[str, list[tuple[str, str]]] = {}
        for day, published, value in self.releases:
            by_day.setdefault(day, []).append((published, value))
        for day, values in sorted(by_day.items()):
            for place, (published, value) in enumerate(values):
                until = "9999-12-31"
                if place + 1 < len(values):
                    successor = date.fromisoformat(values[place + 1][0])
                    until = (successor - timedelta(days=1)).isoformat()
                if published <= end and until >= start:
                    yield max(published, start), min(until, end), day, value


class FredServer(LocalServer):
    """Serves ``series``; its address for the source is :attr:`base_url`.

    Attributes:
        most_vintages: more dates of publication in one request are refused.
        page: rows in one answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.series: dict[str, FredSeries] = {}
        self.most_vintages = 2_000
        self.page = 100_000
        self.base_url = f"{self.url}/fred"

    def answer(self, request: Request) -> Answer:
        if request.value("api_key") != API_KEY:
            return NO_SUCH_KEY
        series = self.series.get(request.value("series_id"))
        if series is None:
            return error(400, "Bad Request.  The series does not exist.")
        if request.path == SERIES:
            return Answer(200, self._about(request.value("series_id"), series), _XML)
        if request.path == OBSERVATIONS:
            return self._observations(request, series)
        if request.path == VINTAGES:
            dates = "".join(f"<vintage_date>{day}</vintage_date>" for day in series.vintages())
            body = f'<vintage_dates count="{len(series.vintages())}">{dates}</vintage_dates>'
            return Answer(200, body.encode(), _XML)
        return super().answer(request)

    def _about(self, name: str, series: FredSeries) -> bytes:
        return (
            '<?xml version="1.0" encoding="utf-8" ?>\n'
            f'<seriess realtime_start="{TODAY}" realtime_end="{TODAY}">'
            f'<series id="{name}" realtime_start="{TODAY}" realtime_end="{TODAY}" '
            f"title={quoteattr(series.title)} "
            f"frequency={quoteattr(series.frequency)} frequency_short="
            f"{quoteattr(series.frequency[0])} units={quoteattr(series.units)} "
            'units_short="%" seasonal_adjustment="Seasonally Adjusted" '
            'seasonal_adjustment_short="SA" last_updated="2026-11-06 07:44:02-06" popularity="94"/>'
            "</seriess>"
        ).encode()

    def _observations(self, request: Request, series: FredSeries) -> Answer:
        start = request.value("realtime_start", TODAY)
        end = request.value("realtime_end", TODAY)
        vintages = [day for day in series.vintages() if start <= day <= end]
        if len(vintages) > self.most_vintages:
            return error(
                400,
                f"Bad Request.  There are {len(vintages)} vintage dates in the specified real-time "
                f"period: {start} to {end}.  This exceeds the maximum number of vintage dates "
                f"allowed ({self.most_vintages}).",
            )
        rows = list(series.rows(start, end))
        offset = int(request.value("offset", "0"))
        limit = min(self.page, int(request.value("limit", "100000")))
        shown = "".join(
            f'<observation realtime_start="{since}" realtime_end="{until}" date="{day}" '
            f'value="{value}"/>\n'
            for since, until, day, value in rows[offset : offset + limit]
        )
        body = (
            '<?xml version="1.0" encoding="utf-8" ?>\n'
            f'<observations realtime_start="{start}" realtime_end="{end}" '
            'observation_start="1776-07-04" observation_end="9999-12-31" units="lin" '
            'output_type="1" file_type="xml" order_by="observation_date" sort_order="asc" '
            f'count="{len(rows)}" offset="{offset}" limit="{limit}">{shown}</observations>'
        )
        return Answer(200, body.encode(), _XML)
