"""The command that runs everything: servers, topics, history, workers, and a display of it all.

``python run_streaming_pipeline.py AAPL MSFT --initial-load``; ``--help`` lists the options.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

import psutil
from pymongo.errors import PyMongoError
from rich.console import Console

from broker import Broker
from config import Settings
from embedded import stack
from embedded.errors import EmbeddedError
from embedded.kafka import EmbeddedKafka
from embedded.locate import find_servers
from embedded.mongo import EmbeddedMongo
from errors import (
    BrokerUnavailable,
    FinancialTrendsError,
    SourceUnavailable,
    StoreUnavailable,
)
from monitoring.logs import is_json, set_up_script
from pipeline.environment import derive
from pipeline.options import parse
from pipeline.run import Run, plan
from sinks.mongo import connect, unavailable
from sources.base import UnknownKeys

log = logging.getLogger("pipeline")

#: How long a server at a given address may take to answer, in seconds.
ANSWER_S = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    began = _process_start()
    options = parse(arguments)
    console = _console()
    interrupts = _Interrupts()
    try:
        todo = plan(options)
        set_up_script(todo.settings)
        with _servers(todo.settings, console, keep=options.keep_servers) as (settings, stay):
            run = Run(todo, settings, console, interrupts.stop, began)
            interrupts.gentle = True
            return run.go(servers_stay=stay)
    except UnknownKeys as error:
        return _failed(error, 2)
    except (BrokerUnavailable, StoreUnavailable, SourceUnavailable) as error:
        return _failed(error, 3)
    except FinancialTrendsError as error:
        return _failed(error, 2)
    except (EmbeddedError, OSError) as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return _failed("interrupted before anything was streamed", 130)


class _Interrupts:
    """Ctrl-C, SIGTERM, a closed terminal: an interrupt while things start, later a clean end.

    A clean end takes a bounded time, so another Ctrl-C meanwhile changes nothing.

    Attributes:
        gentle: whether from now on they set ``stop``.
    """

    def __init__(self) -> None:
        self.stop = Event()
        self.gentle = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._received)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            signal.signal(signal.SIGHUP, self._received)

    def _received(self, *_: object) -> None:
        if not self.gentle:
            raise KeyboardInterrupt
        self.stop.set()


@contextmanager
def _servers(
    settings: Settings, console: Console, *, keep: bool
) -> Iterator[tuple[Settings, bool]]:
    """Find or start Kafka and MongoDB; yields the settings with their addresses.

    Also yields whether they run on afterwards. Those that are started here are stopped at the end,
    unless ``keep``.
    """

    def say(line: str) -> None:
        log.info("%s", line)
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    _check_given(settings)
    ran = all(
        server(stack.DEFAULT_DATA_DIR).running
        for server, given in (
            (EmbeddedKafka, settings.kafka_given),
            (EmbeddedMongo, settings.mongodb_given),
        )
        if not given
    )
    if not (settings.kafka_given and settings.mongodb_given):
        say("looking for Kafka and MongoDB (starting them takes some seconds)")
    found = find_servers(
        settings.kafka_bootstrap_servers if settings.kafka_given else None,
        settings.mongodb_uri.get_secret_value() if settings.mongodb_given else None,
        log=say,
    )
    try:
        yield (
            derive(settings, kafka_bootstrap_servers=found.kafka, mongodb_uri=found.mongodb),
            keep or (ran and "docker" not in (found.kafka_from, found.mongodb_from)),
        )
    finally:
        if not keep:
            found.stop()


def _check_given(settings: Settings) -> None:
    """Complain at once about a server that does not answer at the address given.

    Raises:
        BrokerUnavailable, StoreUnavailable: it does not; names the address.
    """
    if settings.kafka_given:
        with Broker(settings, ANSWER_S) as broker:
            broker.check()
    if settings.mongodb_given:
        try:
            with connect(derive(settings, mongodb_timeout_s=ANSWER_S)) as client:
                client.admin.command("ping")
        except PyMongoError as error:
            raise unavailable(settings.mongodb_address, error) from error


def _console() -> Console:
    """Return the console of standard output: a terminal, or a stream of plain lines."""
    if sys.stdout.isatty():
        return Console()
    # Whatever the environment says about colours: a pipe gets no control characters.
    return Console(force_terminal=False, color_system=None, width=120)


def _process_start() -> float:
    """Return when this process was started, in seconds of the monotonic clock."""
    return time.monotonic() - (time.time() - psutil.Process().create_time())


def _failed(error: object, code: int) -> int:
    if is_json():
        log.error("%s", error)
        return code
    sys.stderr.write(f"error: {error}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
