"""Finds the servers, makes the checks, shows the outcome."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Self

from rich.console import Console

from broker import Broker
from config import Settings, read_settings
from embedded.errors import EmbeddedError
from embedded.locate import Servers, find_servers
from errors import BrokerUnavailable, ConfigurationError
from integration_check.options import USAGE_ERROR, Options, read_options
from integration_check.report import Report, console
from integration_check.steps import Steps
from monitoring.logs import is_json, set_up_script

log = logging.getLogger(__name__)

PASSED = 0
FAILED = 1
NO_BROKER = 3
INTERRUPTED = 130

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

#: How long a broker may take to say that it is there, in seconds.
_ANSWER_S = 3.0
#: How long to wait, each time, for one that did not say so.
_FORCED_TIMEOUT_S = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check; return the exit status (see ``--help``)."""
    options = read_options(arguments)
    with _Interruption() as interruption:
        try:
            settings = read_settings()
            set_up_script(settings)
            status = _check(options, settings, console(), interruption)
        except ConfigurationError as error:
            return _error(str(error), USAGE_ERROR)
        except (BrokerUnavailable, EmbeddedError) as error:
            return _error(str(error), NO_BROKER)
        except BaseException:
            if not interruption.seen:
                raise
        return _error("interrupted", INTERRUPTED) if interruption.seen else status


class _Interruption:
    """Interrupts by Ctrl-C and by SIGTERM (`docker stop`), and remembers that it was so.

    Where a signal meets a callback of librdkafka, the exception becomes another one, or is lost.

    Attributes:
        seen: whether a signal came.
        deferred: whether a signal is remembered only, because what is going on must come to its
            end.
    """

    def __init__(self) -> None:
        self.seen = False
        self.deferred = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, *_: object) -> None:
        self.seen = True
        if not self.deferred:
            raise KeyboardInterrupt


def _check(
    options: Options, settings: Settings, screen: Console, interruption: _Interruption
) -> int:
    began = time.monotonic()
    kafka = options.kafka_address
    if kafka is None and settings.kafka_given:
        kafka = settings.kafka_bootstrap_servers
    mongodb = settings.mongodb_uri.get_secret_value() if settings.mongodb_given else None
    timeouts: dict[str, float] = {}
    if kafka is not None:
        try:
            _require_answer(read_settings(kafka_bootstrap_servers=kafka))
        except BrokerUnavailable as error:
            if not options.force:
                raise
            screen.print(f"--force: going on although there is {error}", markup=False)
            timeouts["kafka_timeout_s"] = min(settings.kafka_timeout_s, _FORCED_TIMEOUT_S)
    with _servers(kafka, mongodb, options, screen) as servers:
        found = read_settings(
            kafka_bootstrap_servers=servers.kafka, mongodb_uri=servers.mongodb, **timeouts
        )
        report = Report()
        with closing(Steps(found, options, report)) as steps:
            try:
                steps.go()
            finally:
                interruption.deferred = True
                steps.clean_up()
        report.show(screen)
    screen.print(f"took {time.monotonic() - began:.1f} s", highlight=False)
    return PASSED if report.passed else FAILED


def _require_answer(settings: Settings) -> None:
    with Broker(settings, timeout_s=min(settings.kafka_timeout_s, _ANSWER_S)) as broker:
        broker.check()


@contextmanager
def _servers(
    kafka: str | None, mongodb: str | None, options: Options, screen: Console
) -> Iterator[Servers]:
    def say(line: str) -> None:
        log.info("%s", line)
        screen.print(line, markup=False, highlight=False)

    servers = find_servers(kafka, mongodb, log=say)
    try:
        yield servers
    finally:
        if options.keep_servers:
            say("servers that were started for this are left running")
        else:
            servers.stop()


def _error(message: str, status: int) -> int:
    if is_json():
        log.error("%s", message)
        return status
    sys.stderr.write(f"error: {message}\n")
    return status
