"""One run, from the first message to the verdict."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

from chaos.arena import Arena
from chaos.faults import REPAIR_LIMITS_S, Fault
from chaos.feed import Feed, Ledger
from chaos.judge import Case, Finding, judge, judge_trends, log
from chaos.judge.reference import Parameters
from chaos.messages import HISTORY, LATE, PUNCTUAL, TOPICS, Stream
from chaos.pauses import Watch
from chaos.report import Pause, Report
from chaos.workers import NAME, Crew
from embedded.waiting import until

WORKERS = 3

#: Longest waits, in seconds; far above what is promised, so that what is slow is still judged.
_START_S = 240.0
_SETTLE_S = 180.0
_DRAIN_S = 300.0
_RECOMPUTE_S = 300.0

#: Between two faults, in seconds.
_QUIET_S = (1.0, 6.0)

#: After a change of these periods every ticker has to be recomputed.
CHANGED = Parameters(sma=10, ema=12, rsi=9, atr=10)

#: The group, and the database, of the worker that makes everything anew.
_REPLAY = "chaos-replay"

Say = Callable[[str], None]


class Story:
    """Breaks an arena for a while, and judges it twice: as it went, and after a recompute.

    Args:
        arena: servers that run, workers that do not.
        seed: decides what is sent, and what is broken when.
        seconds: how long to go on breaking; every kind of fault has its turn at least once.
        kinds: what to break.
        say: takes a line about each step.
        roll: at last replace the workers by others with changed parameters.
    """

    def __init__(
        self,
        arena: Arena,
        seed: int,
        seconds: float,
        kinds: Sequence[Fault],
        say: Say,
        *,
        roll: bool = True,
    ) -> None:
        self.arena = arena
        self.report = Report(seed, seconds)
        self._kinds = kinds
        self._roll_at_last = roll
        self._say = say
        self._chance = random.Random(f"faults {seed}")
        self._ledger = Ledger()
        self._began = time.monotonic()

    def run(self) -> Report:
        """Tell it from the beginning to the end."""
        self._start_workers()
        feed = Feed(self.arena.kafka.address, Stream(self.report.seed), self._ledger)
        tickers = PUNCTUAL + LATE + HISTORY
        with Watch(self.arena.mongodb.address, NAME, feed, tickers) as watch:
            self._began = time.monotonic()
            feed.start()
            self._until(watch.started, self.arena, "something of every ticker is stored")
            watch.settle(_SETTLE_S)
            self._break_things(watch)
            feed.stop()
            self._judge("as it went", recomputed=False)
            if self._roll_at_last:
                feed.start()
                self._roll(watch)
                feed.stop()
        self._drain(NAME)
        self._recompute(self.arena, tickers)
        self._judge("after a recompute", recomputed=True)
        for worker in list(self.arena.workers):
            self.arena.stop_worker(worker)
        self._judge_trends(tickers)
        self._finish()
        return self.report

    def _start_workers(self) -> None:
        for _ in range(WORKERS):
            self.arena.start_worker()
        # Before the first message, as its topics are made by the workers.
        self._until_ready(self.arena)

    # -- breaking

    def _break_things(self, watch: Watch) -> None:
        end = time.monotonic() + self.report.seconds
        first = True
        while first or time.monotonic() < end:
            for kind in self._chance.sample(self._kinds, len(self._kinds)):
                if first or time.monotonic() < end:
                    time.sleep(self._chance.uniform(*_QUIET_S))
                    self._break(kind, watch)
            first = False

    def _break(self, kind: Fault, watch: Watch) -> None:
        since = time.monotonic()
        repair = kind.act(self.arena, self._chance)
        if kind.since_end:
            since = time.monotonic()
        self._measure(kind.name, kind.limit_s, since, watch)
        if repair is not None:
            name, undo = repair
            since = time.monotonic()
            undo()
            self._until_ready(self.arena)
            self._measure(name, REPAIR_LIMITS_S.get(name), since, watch)
        self.arena.mend()

    def _measure(self, name: str, limit_s: float | None, since: float, watch: Watch) -> None:
        settled = watch.settle(_SETTLE_S)
        longest, ticker = watch.longest(since, time.monotonic())
        pause = Pause(name, since - self._began, longest, ticker, limit_s, settled)
        self.report.pauses.append(pause)
        promised = "" if limit_s is None else f", promised {limit_s:g} s"
        stuck = "" if settled else ", and it stands still"
        self._say(f"{pause.at_s:6.0f} s  {name}: paused {longest:.1f} s{promised}{stuck}")

    def _roll(self, watch: Watch) -> None:
        """Replace each worker by one with other parameters, while the data flow."""
        self.arena.parameters = CHANGED
        for old in list(self.arena.workers):
            since = time.monotonic()
            self.arena.stop_worker(old)
            self.arena.start_worker()
            self._until_ready(self.arena)
            self._measure("rolling restart", None, since, watch)

    # -- judging

    def _case(self) -> Case:
        arena = self.arena
        return Case(arena.kafka.address, arena.mongodb.address, NAME, NAME, self._ledger)

    def _judge(self, when: str, *, recomputed: bool) -> None:
        self._drain(NAME)
        found = judge(self._case(), self.arena.parameters, recomputed=recomputed)
        self._judged(when, found)

    def _judge_trends(self, tickers: Sequence[str]) -> None:
        """Let one worker make everything anew from the same topics, and compare the trends."""
        alone = self.arena.another_crew(_REPLAY)
        try:
            alone.start_worker()
            self._until_ready(alone)
            self._drain(_REPLAY)
            self._recompute(alone, tickers)
            self._drain(_REPLAY)
            self._judged("trends", judge_trends(self._case(), _REPLAY, tickers))
        finally:
            alone.end()

    def _judged(self, what: str, found: Sequence[Finding]) -> None:
        self.report.findings += [(what, one) for one in found]
        self.report.judged.append(what)
        self._say(f"judged {what}: {len(found)} findings")

    def _drain(self, group: str) -> None:
        # What is left after so long is for the judge to see.
        kafka = self.arena.kafka.address
        until(lambda: not log.unfinished(kafka, group, TOPICS), _DRAIN_S, every_s=0.5)

    def _recompute(self, crew: Crew, tickers: Sequence[str]) -> None:
        arguments = ["recompute", *tickers, "--wait", f"{_RECOMPUTE_S:g}"]
        done = crew.command(arguments, _RECOMPUTE_S + 60)
        if done.returncode != 0:
            self._complain(f"recompute failed: {done.stdout[-500:]}{done.stderr[-500:]}")

    def _finish(self) -> None:
        for complaint in self.arena.complaints:
            self._complain(complaint)
        sent = self._ledger.sent
        self.report.sent = len(sent)
        self.report.acknowledged = len(self._ledger.acknowledged)
        self.report.poison = sum(1 for message in sent.values() if message.reason is not None)
        self.report.by_topic = dict(Counter(message.topic for message in sent.values()))

    def _complain(self, text: str) -> None:
        self.report.findings.append(("on the way", Finding("process", text)))

    # -- waiting

    def _until_ready(self, crew: Crew) -> None:
        self._until(lambda: crew.ready, crew, "workers are ready")

    def _until(self, condition: Callable[[], bool], crew: Crew, what: str) -> None:
        if not until(condition, _START_S):
            logs = ", ".join(str(worker.log) for worker in crew.workers)
            raise TimeoutError(f"not within {_START_S:g} s: {what}; see {logs}")
