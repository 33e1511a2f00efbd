"""One run of the streaming pipeline, on servers that are there: load, stream, stop, sum up."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Event

from rich.console import Console

from config import Settings, read_settings
from errors import ConfigurationError, FinancialTrendsError, SourceUnavailable
from kafka_integration import KafkaIntegrationManager
from models import Bar
from pipeline.background import load_background, missing_background
from pipeline.display import PLAIN_EVERY_S, View, duration, live, load_progress, plain_lines
from pipeline.economy import load_series
from pipeline.environment import folders
from pipeline.fill import Filler
from pipeline.fill import run as run_here
from pipeline.fill_display import fill_progress
from pipeline.history import HistoryProgress
from pipeline.load import find_gaps, load, order_recompute, read_history
from pipeline.options import Options
from pipeline.status import Gauges, Reading
from pipeline.summary import Outcome, summary, where_next
from pipeline.watch import Watch
from sinks.company_names import CompanyNames
from sources.base import BarProvider, PriceSource, UnknownKeys
from sources.registry import economic_source, price_source, price_sources

log = logging.getLogger(__name__)

TICK_S = 0.2
#: How long to wait for the last bars of a recording to be stored before stopping, in seconds.
LAST_BARS_S = 10.0
#: How long to work at the end on what is on Kafka, in seconds.
DRAIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do, checked as far as that goes without servers.

    Attributes:
        options: the command line.
        settings: the settings, with the options above them.
        source: where prices come from.
        history: the bars before the live part, by ticker; empty if nobody needs them, or if only
            what is missing is asked for.
    """

    options: Options
    settings: Settings
    source: PriceSource
    history: Mapping[str, Sequence[Bar]]


def plan(options: Options) -> Plan:
    """Return the plan of a run.

    Raises:
        ConfigurationError: a setting is not allowed.
        UnknownKeys: the source does not have a ticker.
        SourceUnavailable: the source cannot be used.
    """
    settings = _settings(options)
    source = price_source(settings)
    if source is None:
        raise FinancialTrendsError("no source of prices")  # _settings chose one
    history: Mapping[str, Sequence[Bar]] = {}
    if isinstance(source, BarProvider):
        _probe(source, settings)
    # A recording is read in any case: it says which tickers there are and where they end.
    elif options.initial_load or settings.price_source == "replay":
        history = read_history(source, settings.tickers)
    return Plan(options, settings, source, history if options.initial_load else {})


#: Seconds between two polls of Yahoo, unless somebody says otherwise.
YAHOO_INTERVAL_S = 60.0


def _probe(source: BarProvider, settings: Settings) -> None:
    """Ask whether the provider answers, before anything is started for it."""

    async def probe() -> None:
        try:
            await source.probe(settings.tickers)
        finally:
            await source.close()

    try:
        run_here(probe)
    except UnknownKeys:
        raise
    except SourceUnavailable as error:
        raise SourceUnavailable(
            f"{error}. Without {source.name.capitalize()} there are recorded prices: "
            "--source replay (or --source simulated)"
        ) from error


class Run:
    """One run.

    Args:
        plan: what to do.
        settings: those of the plan, with the addresses of the servers.
        console: where to show it.
        stop: set from outside to end the run.
        began: when the program was started, in monotonic seconds.
    """

    def __init__(
        self, plan: Plan, settings: Settings, console: Console, stop: Event, began: float
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._console = console
        self._stop = stop
        self._began = began
        self._manager = KafkaIntegrationManager(settings, self._tell)
        self._watch: Watch | None = None
        self._first_document_s: float | None = None
        self._note = ""
        self._loaded = 0
        self._history = HistoryProgress(0, None)
        #: Tickers whose history came after later bars.
        self._late: list[str] = []
        self._started = began
        self._deadline: float | None = None

    def go(self, *, servers_stay: bool) -> int:
        """Run until it ends, print the summary, and return the exit code.

        Args:
            servers_stay: whether the servers run on afterwards, for the summary.

        Raises:
            FinancialTrendsError: it could not begin.
        """
        settings = self._settings
        with self._manager, Gauges(settings, settings.tickers) as gauges:
            created = self._manager.create_topics(settings.tickers)
            if created:
                self._tell(f"created topics: {', '.join(created)}")
            watch = self._watch = Watch(gauges, self._look_for_documents)
            before = watch.start()
            given_up, web = 0, f"http://{settings.web_host}:{settings.web_port}"
            try:
                self._load()
                reason = self._nothing_to_do(before)
                if not reason:
                    self._start()
                    web = self._manager.workers()[0].web
                    reason = self._stream(watch)
                    given_up = self._given_up()
                # Nobody would finish what is left, where no worker could be kept running.
                self._end(drain=given_up < self._plan.options.workers)
            finally:
                watch.stop()
            after = self._last_numbers(gauges)
        outcome = Outcome(
            reason,
            time.monotonic() - self._began,
            self._first_document_s,
            self._loaded,
            before,
            after,
            given_up,
        )
        logs_dir = folders(settings)[1]
        for line in (
            *summary(outcome),
            *where_next(settings, web, logs_dir, servers_stay=servers_stay),
        ):
            self._show(line)
        log.info("over after %.1f s: %s", outcome.seconds, reason)
        return 1 if given_up else 0

    # -- before

    def _load(self) -> None:
        if self._plan.options.initial_load:
            self._load_series()
        if self._plan.options.initial_load and isinstance(self._plan.source, BarProvider):
            self._fill()
            return
        if not self._plan.history:
            return
        gaps = find_gaps(self._settings, self._plan.history)
        missing = sum(len(gap.missing) for gap in gaps.values())
        began = time.monotonic()
        with load_progress(self._console, gaps) as report, self._manager.producer() as producer:
            self._loaded = load(producer, gaps, report, self._stop)
            around = load_background(producer, missing_background(self._settings), self._stop)
        if missing:
            seconds = time.monotonic() - began
            self._tell(f"history: {self._loaded} of {missing} bars on Kafka in {seconds:.1f} s")
        if around:
            self._tell(f"history: {around} simulated news, posts and observations on Kafka")
        self._late = [ticker for ticker, gap in gaps.items() if gap.late]

    def _load_series(self) -> None:
        source = economic_source(self._settings)
        if source is not None:
            with self._manager.producer() as producer:
                load_series(self._settings, source, producer, self._console, self._stop)

    def _fill(self) -> None:
        settings = self._settings
        sources = price_sources(settings, CompanyNames(settings))
        providers = [(one, kept) for one, kept in sources if isinstance(one, BarProvider)]
        began = time.monotonic()
        try:
            with fill_progress(self._console) as progress, self._manager.producer() as producer:
                filler = Filler(settings, producer, progress, self._stop)
                filled = filler.fill(providers, settings.tickers)
        finally:
            for source, cursors in sources:
                run_here(source.close)
                cursors.close()
        self._loaded, self._late = filled.bars, filled.late
        seconds = time.monotonic() - began
        self._tell(f"history: {self._loaded} bars on Kafka in {seconds:.1f} s")
        if filled.problems:
            more = f" (and {len(filled.problems) - 1} more)" if len(filled.problems) > 1 else ""
            self._tell(
                f"warning: history not complete: {filled.problems[0]}{more}; "
                "another --initial-load takes what is missing"
            )

    def _nothing_to_do(self, before: Reading) -> str:
        """Return why there is no point in starting workers; an empty text if there is one."""
        if self._stop.is_set():
            return "stopped before it streamed"
        if self._loaded == 0 and before.lag == 0 and self._ended(before):
            return (
                "every recording was played to its end before; `python -m embedded reset`, "
                "or another MONGODB_DATABASE and APP_ID, starts afresh"
            )
        return ""

    def _start(self) -> None:
        options, settings, watch = self._plan.options, self._settings, self._watch
        self._manager.start_pipeline(settings.tickers, workers=options.workers)
        self._started = time.monotonic()
        if options.duration_s is not None:
            self._deadline = self._started + options.duration_s
        self._history = HistoryProgress(self._loaded, None if watch is None else watch.first)
        if self._loaded:
            self._note = "working through the history"
        for worker in self._manager.workers():
            self._tell(
                f"worker {worker.index}: pid {worker.pid}, {worker.web}, log {worker.log_file}"
            )

    # -- while it runs

    def _stream(self, watch: Watch) -> str:
        """Look after it until there is a reason to end; returns the reason."""
        stored_by: float | None = None
        plain_at = self._started + PLAIN_EVERY_S
        with self._shown():
            while True:
                if self._stop.wait(TICK_S):
                    return "stopped"
                now = time.monotonic()
                if self._deadline is not None and now >= self._deadline:
                    return f"the {duration(self._plan.options.duration_s or 0)} are over"
                if self._given_up() == self._plan.options.workers:
                    return "no worker could be kept running"
                reading = watch.latest
                if reading is not None and reading.at > self._started:
                    self._follow_history(reading)
                    if self._ended(reading):
                        stored_by = now + LAST_BARS_S if stored_by is None else stored_by
                        if reading.lag == 0 or now > stored_by:
                            return "every recording has been played to its end"
                if not self._console.is_terminal and now >= plain_at:
                    plain_at = now + PLAIN_EVERY_S
                    for line in plain_lines(self._view()):
                        self._show(line)

    def _follow_history(self, reading: Reading) -> None:
        if reading.history:
            if self._note:
                self._note, warning = self._history.look(reading)
                if warning:
                    self._tell(f"warning: {warning}: look into {folders(self._settings)[1]}")
            return
        if self._note:
            self._note = ""
            self._tell(f"history worked through after {self._elapsed():.1f} s")
        if self._late:
            # Only now: the bars must be in MongoDB, from where they are computed again.
            with self._manager.producer() as producer:
                order_recompute(producer, self._late)
            self._tell(f"earlier bars came in, computing again: {', '.join(self._late)}")
            self._late = []

    def _ended(self, reading: Reading) -> bool:
        source, tickers = self._plan.source, self._settings.tickers
        return all(source.exhausted(ticker, reading.cursors.get(ticker)) for ticker in tickers)

    def _given_up(self) -> int:
        return sum(worker.state == "given up" for worker in self._manager.workers())

    def _look_for_documents(self, reading: Reading) -> None:
        watch = self._watch
        if self._first_document_s is not None or watch is None or watch.first is None:
            return
        stored, before = reading.data["prices"].stored, watch.first.data["prices"].stored
        if stored is not None and before is not None and stored > before:
            self._first_document_s = self._elapsed()
            self._tell(f"first document in MongoDB after {self._first_document_s:.1f} s")

    # -- after

    def _end(self, *, drain: bool) -> None:
        """Stop the workers, and finish what is on Kafka."""
        self._tell("stopping (workers make their last checkpoint; this takes some seconds)")
        try:
            self._manager.stop_pipeline(drain_s=DRAIN_S if drain else 0.0)
        except FinancialTrendsError as error:
            self._tell(f"warning: {error}")

    def _last_numbers(self, gauges: Gauges) -> Reading | None:
        try:
            return gauges.read(exact=True)
        except FinancialTrendsError as error:
            self._tell(f"warning: {error}")
            return None

    # -- showing

    def _shown(self) -> AbstractContextManager[None]:
        return live(self._console, self._view) if self._console.is_terminal else nullcontext()

    def _view(self) -> View:
        now = time.monotonic()
        watch, settings = self._watch, self._settings
        return View(
            title=f"{' '.join(settings.tickers)}, source {settings.price_source}",
            elapsed_s=now - self._started,
            remaining_s=None if self._deadline is None else max(0.0, self._deadline - now),
            reading=None if watch is None else watch.latest,
            rates={} if watch is None else watch.rates(),
            age_s=0.0 if watch is None else watch.age_s(),
            problem=None if watch is None else watch.problem,
            workers=self._manager.workers(),
            note=self._note,
        )

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _tell(self, line: str) -> None:
        log.info("%s", line)
        self._show(line)

    def _show(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _settings(options: Options) -> Settings:
    """Return the settings with the options above them."""
    base = read_settings(tickers=options.tickers)
    source = options.source or base.price_source
    chosen = {
        "tickers": options.tickers,
        "price_source": "yahoo" if source == "none" else source,
        "poll_interval_s": options.interval_s,
        "replay_speed": options.speed,
        "kafka_bootstrap_servers": options.kafka,
        "yahoo_stream": options.stream or None,
    }
    known_ahead = chosen["price_source"] in {"replay", "simulated"}
    if known_ahead and "simulate_missing" not in base.model_fields_set:
        # A demonstration shows everything, unless somebody said that it shall not.
        chosen["simulate_missing"] = True
    if options.stream and chosen["price_source"] != "yahoo":
        raise ConfigurationError(
            f"--stream with the source {chosen['price_source']}: only Yahoo has a stream, "
            "so add --source yahoo"
        )
    if chosen["price_source"] == "yahoo":
        # Live prices come with live news; and Yahoo is not to be asked every second.
        chosen["news_source"] = "rss"
        if "poll_interval_s" not in base.model_fields_set:
            chosen["poll_interval_s"] = options.interval_s or YAHOO_INTERVAL_S
    given = {name: value for name, value in chosen.items() if value is not None}
    return read_settings(**given, **{f"skip_{kind}": True for kind in options.skip})
