"""The command line of ``test_kafka_integration.py``."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from models.rules import check_ticker

USAGE_ERROR = 2
DEFAULT_HOST = "localhost"
DEFAULT_PORT = 9092
DEFAULT_DURATION_S = 30.0


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    tickers: tuple[str, ...]
    skip_topics: bool
    skip_producer: bool
    skip_consumer: bool
    consumer_duration_s: float
    kafka_address: str | None
    force: bool
    keep_servers: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        sys.stderr.write(f"error: {message} (see --help)\n")
        raise SystemExit(USAGE_ERROR)


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Return the options on the command line.

    Raises:
        SystemExit: they are not as they must be (one line says why), or help was asked for.
    """
    found = _parser().parse_args(arguments)
    address = None
    if found.kafka_host is not None or found.kafka_port is not None:
        port = DEFAULT_PORT if found.kafka_port is None else found.kafka_port
        host = DEFAULT_HOST if found.kafka_host is None else found.kafka_host
        address = f"{host}:{port}"
    return Options(
        tickers=tuple(dict.fromkeys(found.tickers)),
        skip_topics=found.skip_topics,
        skip_producer=found.skip_producer,
        skip_consumer=found.skip_consumer,
        consumer_duration_s=found.consumer_duration,
        kafka_address=address,
        force=found.force,
        keep_servers=found.keep_servers,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="test_kafka_integration.py",
        description="Kafka Integration Test Script: sends test data of all six kinds through "
        "Kafka, and verifies in MongoDB that each document is there once, field by field. The test "
        "data are removed afterwards. Without an address, neither in an option nor in the "
        "settings, the servers run in Docker where there is an engine, or are embedded ones.",
        epilog="Exit status: 0 all checks passed, 1 a check failed, 2 bad usage, 3 no Kafka "
        "broker, 130 interrupted.",
        # `--skip` is not `--skip-topics`.
        allow_abbrev=False,
    )
    parser.add_argument(
        "tickers", nargs="+", type=_ticker, help="Stock ticker symbols (e.g., AAPL TSLA MSFT)"
    )
    for option, what in (
        ("--skip-topics", "Skip topic creation"),
        ("--skip-producer", "Skip producer test"),
        ("--skip-consumer", "Skip consumer test, and with it the verification in MongoDB"),
    ):
        parser.add_argument(option, action="store_true", help=f"{what} (default: do not skip)")
    parser.add_argument(
        "--consumer-duration",
        type=_seconds,
        default=DEFAULT_DURATION_S,
        help="Duration to run the consumer test in seconds, at most: it ends as soon as everything "
        f"has arrived (default: {DEFAULT_DURATION_S:g})",
    )
    parser.add_argument(
        "--kafka-host",
        type=_host,
        help="Kafka bootstrap server host (default: that of KAFKA_BOOTSTRAP_SERVERS; "
        f"{DEFAULT_HOST} if --kafka-port is given)",
    )
    parser.add_argument(
        "--kafka-port",
        type=_port,
        help="Kafka bootstrap server port (default: that of KAFKA_BOOTSTRAP_SERVERS; "
        f"{DEFAULT_PORT} if --kafka-host is given)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="Force run even if Kafka is not available (default: exit with status 3)",
    )
    parser.add_argument(
        "--keep-servers",
        action="store_true",
        help="Leave servers running that were started for this (default: stop them)",
    )
    return parser


def _ticker(text: str) -> str:
    name = text.upper()
    try:
        return check_ticker(name)
    except ValueError as error:
        # Named as it was given.
        raise argparse.ArgumentTypeError(str(error).replace(repr(name), repr(text))) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _host(text: str) -> str:
    # An IPv6 address is written in brackets.
    port_too = ":" in text and not text.endswith("]")
    if not text or port_too or any(c.isspace() or c in ",/" for c in text):
        raise argparse.ArgumentTypeError(f"{text!r} is no host name (the port is --kafka-port)")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a whole number from 1 to 65535")
    return int(text)
