"""The command `python -m chaos`."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from chaos.arena import arena
from chaos.faults import all_faults
from chaos.story import Story
from chaos.workers import ROOT
from embedded.errors import EmbeddedError

#: MongoDB is away for so long, in a run that lasts long enough.
OUTAGE_S = 60.0

_DESCRIPTION = """\
Three workers, three Kafka brokers, three members of MongoDB; messages of all kinds, good and bad;
and at random moments something is killed, stopped or frozen. At the end everything is compared
with what was sent: each fact once, indicators as `ta` computes them, bad messages set aside.

Exit codes: 0 all of it is right and no pause was longer than promised; 1 otherwise."""


def main() -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m chaos",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    folder = ROOT / ".data" / "chaos"
    parser.add_argument("--seed", type=int, help="repeats the run of this seed (default: any)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=900.0,
        help="how long to break things; each kind has its turn at least once (%(default)g)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        default=folder / "report.json",
        help="where the JSON report goes (%(default)s)",
    )
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    _say(f"seed {seed}: repeat with SEED={seed} SECONDS={options.seconds:g}")
    outage_s = min(OUTAGE_S, options.seconds / 10)
    try:
        with arena(folder / "run") as made:
            report = Story(made, seed, options.seconds, all_faults(outage_s), _say).run()
    except (EmbeddedError, TimeoutError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    report.write(options.report)
    for line in report.lines():
        _say(line)
    _say(f"report: {options.report}; logs: {folder / 'run'}")
    return 0 if report.right and report.in_time else 1


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
