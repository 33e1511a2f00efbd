"""The command line of ``run_streaming_pipeline.py``."""

from __future__ import annotations

import argparse
import difflib
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from models.rules import check_ticker

_DESCRIPTION = "Real-time Financial Data Streaming Pipeline"
_USAGE = """\
run_streaming_pipeline.py [-h] [--initial-load] [--duration DURATION] [--interval INTERVAL]
                                 [--skip-news] [--skip-economic] [--skip-twitter] [--skip-reddit]
                                 [--source {yahoo,replay,simulated}] [--stream]
                                 [--workers N] [--speed X]
                                 [--kafka-host KAFKA_HOST] [--kafka-port KAFKA_PORT]
                                 [--keep-servers]
                                 tickers [tickers ...]"""
_EPILOG = """\
Kafka and MongoDB are, in this order: those of KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI (or of
--kafka-host and --kafka-port), containers where Docker runs, real servers started in .data/.

exit codes: 0 all went well; 1 a worker could not be kept running, or a server could not be
started; 2 bad usage; 3 no answer: from a server at the address given, or from Yahoo.

examples:
  run_streaming_pipeline.py AAPL MSFT --initial-load --duration 5
  run_streaming_pipeline.py AAPL MSFT --initial-load --source replay
  run_streaming_pipeline.py NVDA TSLA --source simulated --speed 20 --workers 2"""

MOST_WORKERS = 64
LONGEST_RUN_MIN = 366 * 24 * 60.0
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\]?")


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, checked.

    Attributes:
        tickers: in capitals, each once.
        initial_load: whether to load the history first.
        duration_s: how long to stream, in seconds; None is until Ctrl-C or the recordings' end.
        interval_s: seconds between two polls; None is what the settings say.
        skip: the kinds of data whose source is off: of ``news economic twitter reddit``.
        source: where prices come from; None is what the settings say.
        stream: whether Yahoo's stream of trades is followed; else the settings say.
        workers: how many worker processes.
        speed: bars per second and ticker; None is what the settings say.
        kafka: ``host:port``; None if it was not given.
        keep_servers: whether servers that are started stay.
    """

    tickers: tuple[str, ...]
    initial_load: bool
    duration_s: float | None
    interval_s: float | None
    skip: frozenset[str]
    source: str | None
    stream: bool
    workers: int
    speed: float | None
    kafka: str | None
    keep_servers: bool


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Return the options; ends the program after ``--help``, or with one line and exit code 2."""
    parser = _parser()
    given = parser.parse_intermixed_args(arguments)
    host, port = given.kafka_host, given.kafka_port
    kafka = None
    if host is not None or port is not None:
        kafka = f"{host or '127.0.0.1'}:{port or 9092}"
    return Options(
        tickers=tuple(dict.fromkeys(given.tickers)),
        initial_load=given.initial_load,
        duration_s=None if given.duration is None else given.duration * 60,
        interval_s=given.interval,
        skip=frozenset(given.skip),
        source=given.source,
        stream=given.stream,
        workers=given.workers,
        speed=given.speed,
        kafka=kafka,
        keep_servers=given.keep_servers,
    )


class _Parser(argparse.ArgumentParser):
    """Complains in one line that says what to do, without a usage dump."""

    def error(self, message: str) -> NoReturn:
        text = message.removeprefix("argument ")
        if "required: tickers" in text:
            text = "no ticker given: name at least one, such as AAPL MSFT"
        elif text.startswith("unrecognized arguments: "):
            text = self._unknown(text.removeprefix("unrecognized arguments: "))
        elif ":" in text and "such as" not in text:
            text = f"{text} (see --help)"
        sys.stderr.write(f"error: {text}\n")
        sys.exit(2)

    def _unknown(self, words: str) -> str:
        option = next((word for word in words.split() if word.startswith("-")), words)
        known = [name for action in self._actions for name in action.option_strings]
        close = difflib.get_close_matches(option.partition("=")[0], known, n=1)
        hint = f"did you mean {close[0]}?" if close else "--help lists the options"
        return f"unknown option {option}: {hint}"


def _parser() -> _Parser:
    parser = _Parser(
        prog="run_streaming_pipeline.py",
        usage=_USAGE,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("tickers", nargs="+", type=_ticker, help="Stock ticker symbols (e.g., AAPL TSLA MSFT)")
    add(
        "--initial-load",
        action="store_true",
        help="Load the history first, as far as MongoDB does not have it (default: no)",
    )
    add(
        "--duration",
        type=_number("minutes", "1.5", LONGEST_RUN_MIN, "leave it out to run until Ctrl-C"),
        help="Duration to run the streaming pipeline in minutes, after the initial load "
        "(default: until Ctrl-C, or until every recording has been played to its end)",
    )
    add(
        "--interval",
        type=_number("seconds", "5", 86_400),
        help="Data update interval in seconds (default: the setting POLL_INTERVAL_S, 1; "
        "60 for Yahoo)",
    )
    for kind, what in (
        ("news", "news data collection"),
        ("economic", "economic indicators"),
        ("twitter", "Twitter sentiment analysis"),
        ("reddit", "Reddit sentiment analysis"),
    ):
        add(
            f"--skip-{kind}",
            dest="skip",
            action="append_const",
            const=kind,
            default=[],
            help=f"Skip {what} (default: no)",
        )
    add(
        "--source",
        choices=("yahoo", "replay", "simulated"),
        help="Where prices come from: Yahoo with its news, or, without a network, recorded daily "
        "bars or seeded simulated bars, both with simulated news, posts and economic series where "
        "no provider is configured (default: the setting PRICE_SOURCE if it names one, else "
        "yahoo)",
    )
    add(
        "--stream",
        action="store_true",
        help="Refresh Yahoo's bars by its stream of trades between two polls "
        "(default: the setting YAHOO_STREAM, no)",
    )
    add(
        "--workers",
        metavar="N",
        type=_whole("a number", "2", 1, MOST_WORKERS),
        default=1,
        help="Faust worker processes (default: 1)",
    )
    add(
        "--speed",
        metavar="X",
        type=_number("bars per second and ticker", "10", 100_000),
        help="Pace of a replay or a simulation in bars per second and ticker "
        "(default: the setting REPLAY_SPEED, 2)",
    )
    add(
        "--kafka-host",
        type=_host,
        help="Kafka bootstrap server host (default: 127.0.0.1 with --kafka-port, else see below)",
    )
    add(
        "--kafka-port",
        type=_whole("a port", "9092", 1, 65_535),
        help="Kafka bootstrap server port (default: 9092 with --kafka-host, else see below)",
    )
    add(
        "--keep-servers",
        action="store_true",
        help="Leave servers running that were started for this (default: stop them at the end)",
    )
    return parser


def _ticker(text: str) -> str:
    try:
        return check_ticker(text.strip().upper())
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no ticker: give 1 to 32 of A-Z 0-9 . - = ^ &, such as AAPL or ^GSPC"
        ) from None


def _number(unit: str, example: str, most: float, remedy: str = "") -> Callable[[str], float]:
    """Return a reader of numbers above 0."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value <= most:
            what = "is no number" if math.isnan(value) else f"is not above 0 and up to {most:g}"
            advice = f"; {remedy}" if remedy else ""
            raise argparse.ArgumentTypeError(
                f"{text!r} {what}: give {unit}, such as {example}{advice}"
            )
        return value

    return read


def _whole(what: str, example: str, least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not in {least} to {most}: give {what}, such as {example}"
            )
        return int(text)

    return read


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no host: give a name or an address, such as localhost, "
            "and the port with --kafka-port"
        )
    return f"[{text}]" if ":" in text and not text.startswith("[") else text
