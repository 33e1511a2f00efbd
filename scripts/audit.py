"""Asks OSV whether what is installed has known vulnerabilities; `make audit`.

Exit codes: 0 none is known, or OSV cannot be reached, which is said; 1 some are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

OSV = "https://api.osv.dev/v1/query"
#: Longest wait for one answer, in seconds.
_TIMEOUT_S = 15


def main(arguments: list[str] | None = None) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.audit", description=__doc__)
    parser.add_argument("--osv-url", default=OSV, help="another address for OSV (%(default)s)")
    url: str = parser.parse_args(arguments).osv_url
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "pip_audit", "--local", "--skip-editable"),
            *("--vulnerability-service", "osv", "--osv-url", url),
            *("--format", "json", "--progress-spinner", "off", "--timeout", str(_TIMEOUT_S)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        _say(f"NOT AUDITED: no answer from {url} ({reason[:300]})")
        return 0
    found = [(one, flaw) for one in packages for flaw in one.get("vulns", ())]
    for one, flaw in found:
        mended = ", ".join(flaw["fix_versions"]) or "no version yet"
        names = ", ".join((flaw["id"], *flaw.get("aliases", ())))
        _say(f"{one['name']} {one['version']}: {names}; mended in {mended}")
    _say(f"{len(packages)} packages, {len(found)} known vulnerabilities")
    return 1 if found else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main())
