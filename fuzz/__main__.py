"""The command `python -m fuzz`."""

from __future__ import annotations

import argparse
import logging
import secrets
import shutil
import sys
from pathlib import Path

from embedded.errors import EmbeddedError
from embedded.locate import find_servers
from fuzz.run import TOKEN, run
from tests.deployment import ROOT, Deployment

_DESCRIPTION = """\
Messages made by hypothesis and valid messages spoilt, over all topics and into a running worker;
HTTP requests over all its addresses; answers of providers, spoilt, into all sources.

Exit codes: 0 nothing was found; 1 something was."""


def main() -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="repeats the input of this seed (default: any)")
    parser.add_argument("--messages", type=int, default=20_000, help="(%(default)d)")
    parser.add_argument("--requests", type=int, default=5_000, help="(%(default)d)")
    parser.add_argument("--fetches", type=int, default=200, help="of each source (%(default)d)")
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    _say(f"seed {seed}: repeat with SEED={seed} MESSAGES={options.messages}")
    folder: Path = ROOT / ".data" / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # What sources say of bad answers, of which there are many.
    logging.basicConfig(filename=folder / "sources.log", level=logging.INFO)
    counts = (options.messages, options.requests, options.fetches)
    try:
        with find_servers(
            None, None, data_dir=folder / "servers", log=_say, usual_ports=False
        ) as servers:
            deployment = Deployment(servers, folder, web_token=TOKEN, checkpoint_interval_s=0.2)
            try:
                report = run(deployment, seed, counts, _say)
            finally:
                deployment.close()
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    for line in report.lines():
        _say(line)
    _say(f"seed {seed}; the worker's log: {folder / 'worker-0.log'}")
    return 1 if report.all_findings else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
