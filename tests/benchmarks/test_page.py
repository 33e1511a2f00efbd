"""The page and the requirements say what the benchmark does."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import roster
from benchmarks.protocol import seconds_in, settings_in

ROOT = Path(__file__).parent.parent.parent


def pins(name: str) -> dict[str, str]:
    """The pinned versions of a requirements file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = (re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==(\S+)", line) for line in lines)
    return {one[1]: one[2] for one in found if one is not None}


def test_the_page_has_every_contestant() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", text.partition("### The clock")[0], re.MULTILINE)
    assert listed == [one.name for one in (*roster.CONTESTANTS, roster.LOADER)]


def test_contestants_share_driver_and_json() -> None:
    """In Quix Streams' environment as in ours."""
    ours, theirs = pins("requirements.txt"), pins("requirements-bench-quixstreams.txt")
    assert theirs["quixstreams"]
    assert {name: version for name, version in theirs.items() if name != "quixstreams"} == {
        name: ours[name] for name in ("pymongo", "orjson")
    }


def test_what_a_contestant_says_is_found_among_other_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text('warning\n[WARNING] @settings {"bulk": 1000} \n@ready\n@seconds 2.5\n')
    assert settings_in(log, {}) == {"bulk": 1000}
    assert seconds_in(log) == 2.5
    log.write_text("nothing\n")
    assert settings_in(log, {}) == {}
    assert settings_in(log, {"PUBLISH_SNAPSHOTS": "true", "HOME": "/"}) == {
        "PUBLISH_SNAPSHOTS": "true"
    }
    assert seconds_in(log) is None
