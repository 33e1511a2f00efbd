"""The fuzzer in its short form: some of everything, and the same judgement."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from embedded.locate import Servers
from fuzz.run import TOKEN, run
from tests.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(300)]

SEED = 11


def test_nothing_is_found(servers: Servers, tmp_path: Path) -> None:
    deployment = Deployment(servers, tmp_path, web_token=TOKEN, checkpoint_interval_s=0.1)
    try:
        report = run(deployment, SEED, (300, 150, 5), logging.getLogger("tests").info)
    finally:
        deployment.close()
    assert report.all_findings == []
    fates = report.messages.fates
    # Those that were made, and the last ones.
    assert sum(fates.values()) == 300 + 9
    assert min(fates["document"], fates["dead letter"]) > 20
    assert sum(report.requests.answers.values()) == 150
    assert report.requests.answers["200"] > 5
    sources = {outcome.partition(":")[0] for outcome in report.answers.outcomes}
    assert sources == {"rss", "reddit", "twitter", "fred", "yahoo"}
