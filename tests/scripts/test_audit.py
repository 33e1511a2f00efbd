"""`make audit`, with an OSV of our own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.deployment import ROOT
from tests.sources.providers.server import Answer, LocalServer, Request, json_answer

FLAW = {
    "id": "PYSEC-1",
    "aliases": ["CVE-1"],
    "summary": "made up",
    "details": "made up",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "orjson", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.0"}]},
            ],
        }
    ],
}


class Osv(LocalServer):
    """Knows a flaw of the packages named."""

    flawed: tuple[str, ...] = ()

    def answer(self, request: Request) -> Answer:
        asked = request.json()["package"]["name"]
        return json_answer({"vulns": [FLAW]} if asked in self.flawed else {})


@pytest.fixture
def osv() -> Iterator[Osv]:
    with Osv() as server:
        yield server


def audit(address: str) -> tuple[int, str]:
    """Return the exit code, and what is printed."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "scripts.audit", "--osv-url", f"{address}/v1/query"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_nothing_is_known(osv: Osv) -> None:
    code, said = audit(osv.url)
    assert code == 0
    asked = {request.json()["package"]["name"] for request in osv.asked()}
    assert {"aiokafka", "aiohttp", "pymongo", "orjson"} <= asked
    assert f"{len(asked)} packages, 0 known vulnerabilities" in said


def test_what_is_known_fails(osv: Osv) -> None:
    osv.flawed = ("orjson",)
    code, said = audit(osv.url)
    assert code == 1
    assert "orjson" in said
    assert "PYSEC-1, CVE-1; mended in 999.0" in said


def test_without_a_network_it_is_said_and_passes() -> None:
    code, said = audit("http://127.0.0.1:1")
    assert code == 0
    assert "NOT AUDITED: no answer from http://127.0.0.1:1/v1/query" in said
