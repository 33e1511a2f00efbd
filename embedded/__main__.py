"""The command `python -m embedded`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from embedded import stack
from embedded.errors import EmbeddedError
from embedded.kafka_jars import cache_dir

_DESCRIPTION = """\
A real Apache Kafka and a real MongoDB on this machine, without Docker and without a system Java.

  up       start what does not run yet, and wait until both serve clients
  down     stop them cleanly; the data stay
  status   show what runs, where, and how much memory it takes;
           exit code 0 if both answer, 1 otherwise
  reset    stop them and delete their data

Kafka listens on 127.0.0.1:9092 and MongoDB on 127.0.0.1:27017, or on free ports where those are
taken; `status` tells. The servers keep running after the command ends."""

_EPILOG = f"""\
examples:
  python -m embedded up
  python -m embedded status --json
  python -m embedded --data-dir /tmp/try up

Kafka's jars (45 MB) are downloaded once, to {cache_dir()}.
The logs are DATA_DIR/kafka/server.log and DATA_DIR/mongodb/server.log."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    data_dir: Path = options.data_dir
    try:
        if options.command == "up":
            return _up(data_dir)
        if options.command == "down":
            stopped = stack.down(data_dir, log=_say)
            _say(f"stopped {' and '.join(stopped)}" if stopped else "nothing was running")
            return 0
        if options.command == "status":
            return _status(data_dir, as_json=options.json)
        stack.reset(data_dir, log=_say)
    except (EmbeddedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m embedded",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=stack.DEFAULT_DATA_DIR,
        help="where data, logs and pid files are kept (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="start Kafka and MongoDB")
    commands.add_parser("down", help="stop them; the data stay")
    status = commands.add_parser("status", help="show what runs")
    status.add_argument(
        "--json",
        action="store_true",
        help='print {"kafka": "host:port", "mongodb": "mongodb://..."}, null for what does not run',
    )
    commands.add_parser("reset", help="stop them and delete their data")
    return parser


def _say(line: str) -> None:
    # To the error stream: what `status --json` prints is for programs to read.
    print(line, file=sys.stderr, flush=True)


def _up(data_dir: Path) -> int:
    began = time.monotonic()
    servers = stack.up(data_dir, log=_say)
    for server in servers.servers:
        if server.name in servers.started:
            _say(f"{server.title} is up: {server.address}")
        else:
            _say(f"{server.title} was already running: {server.address}")
    if servers.started:
        _say(f"data in {data_dir}, {time.monotonic() - began:.1f} s")
    return 0


def _status(data_dir: Path, *, as_json: bool) -> int:
    found = stack.status(data_dir)
    if as_json:
        print(json.dumps({one.name: one.address for one in found}))
    else:
        print(_table(found))
    return 0 if all(one.address is not None for one in found) else 1


def _table(found: list[stack.Status]) -> str:
    rows = [("SERVER", "STATE", "PID", "MEMORY", "ADDRESS", "DATA")]
    for one in found:
        if one.pid is None:
            rows.append((one.title, "not running", "-", "-", "-", str(one.folder)))
        else:
            state = "starting or stuck" if one.address is None else "running"
            memory = f"{stack.megabytes(one.memory_bytes or 0)} MB"
            address = one.address or "-"
            rows.append((one.title, state, str(one.pid), memory, address, str(one.folder)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
