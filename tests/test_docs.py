"""The documents say what the program is: names, options, defaults and paths, compared with both."""

from __future__ import annotations

import functools
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from faust import Record

from config import Settings
from indicators import DEFAULT_SPEC, IndicatorSet, Ohlcv, parse
from models import (
    ALERT,
    BAR,
    BAR_SERIES,
    ECONOMIC_OBSERVATION,
    INDICATOR_SNAPSHOT,
    NEWS_ITEM,
    SERIES_UPDATE,
    SOCIAL_POST,
    TREND,
    Codec,
)
from models.dead_letter import DeadLetter
from sinks import documents
from topics import ALL_TOPICS, DAY_MS, TopicSpec

ROOT = Path(__file__).parent.parent
NAMES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
NAMES += sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))

SCRIPTS = ("run_streaming_pipeline.py", "test_kafka_integration.py")

#: What the recipes of CONTRIBUTING.md make, and what only exists on somebody's machine.
IMAGINED = {
    "kafka-reassign-partitions.sh",
    "indicators/trix.py",
    "sources/acme.py",
    ".env",
    ".venv",
    ".data/",
    ".data/logs/",
}


@functools.cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text(name), flags=re.DOTALL | re.MULTILINE)


def blocks(name: str, language: str) -> list[str]:
    """The code blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.DOTALL | re.MULTILINE)


def code(name: str) -> list[str]:
    """Everything that is set as code: blocks, and words in backticks."""
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text(name), re.DOTALL | re.MULTILINE)
    return fenced + re.findall(r"`([^`\n]+)`", prose(name))


def section(name: str, heading: str) -> str:
    """What stands below the heading that begins so, up to the next one of its level or above."""
    start = re.search(rf"^(#+) {re.escape(heading)}.*$", text(name), re.MULTILINE)
    assert start is not None, f"{name} has no heading {heading!r}"
    rest = text(name)[start.end() :]
    return re.split(rf"^#{{1,{len(start[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(part: str) -> list[list[str]]:
    """The rows of all tables in ``part``, without their heads."""
    lines = [line for line in part.splitlines() if line.startswith("|")]
    heads = {i for i, line in enumerate(lines) if set(line) <= set("|-: ")}
    kept = [line for i, line in enumerate(lines) if i not in heads and i + 1 not in heads]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in kept]


def names(cell: str) -> list[str]:
    """The words that stand in backticks in a table's cell."""
    return re.findall(r"`([^`]+)`", cell)


# -- settings (that .env.example and docs/settings.md have them all: tests/test_config.py)


def test_env_example_changes_nothing_as_it_is() -> None:
    lines = text(".env.example").splitlines()
    assert all(line == "" or line.startswith("# ") for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_are_named_exist(name: str) -> None:
    """What looks like a variable set to something is one of ours."""
    for piece in code(name):
        for variable in re.findall(r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)=", piece):
            assert variable.lower() in Settings.model_fields


# -- commands


@pytest.mark.parametrize("name", NAMES)
def test_make_targets_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    for piece in code(name):
        assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", piece)) <= targets


def test_every_make_target_is_in_the_readme_or_in_contributing() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))
    described = "\n".join(code("README.md") + code("CONTRIBUTING.md"))
    assert targets <= set(re.findall(r"make ([a-z-]+)", described))


@functools.cache
def options(script: str) -> frozenset[str]:
    """The options that a script's ``--help`` tells of."""
    shown = subprocess.run(  # noqa: S603 - our own scripts
        [sys.executable, str(ROOT / script), "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    return frozenset(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE))


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_readme_lists_every_option_of_a_script(script: str) -> None:
    listed = {
        option.split()[0]
        for row in rows(section("README.md", f"`{script}`"))
        for option in names(row[0])
        if option.startswith("-")
    }
    assert listed == options(script) - {"--help"}


@pytest.mark.parametrize("name", NAMES)
def test_options_that_are_used_exist(name: str) -> None:
    for piece in code(name):
        for script in SCRIPTS:
            for line in re.findall(rf"{script}(.*)", piece):
                assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= options(script)
        for line in re.findall(r"make run ARGS=\"(.*?)\"", piece):
            assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= options(SCRIPTS[0])


# -- paths


def _anchors(name: str) -> set[str]:
    """The anchors of a document's headings, as they are made on the web."""
    found = re.findall(r"^#+ (.*)$", prose(name), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(name)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(str(file.resolve().relative_to(ROOT))), target


def _paths(name: str) -> Iterator[str]:
    for word in re.findall(r"`([^`\s]+)`", prose(name)):
        if re.fullmatch(r"[\w./-]*(\.(py|md|yml|toml|txt|sh)|\w/)", word) and word[0] != "/":
            yield word
    for word in re.findall(r"python (\S+\.py)", "\n".join(code(name))):
        yield word
    for word in re.findall(r"python -m ([\w.]+)", "\n".join(code(name))):
        own = (ROOT / word.split(".")[0]).is_dir()
        yield f"{word.replace('.', '/')}{'.py' if '.' in word else '/'}" if own else "."


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_named_exist(name: str) -> None:
    missing = {path for path in _paths(name) if not (ROOT / path).exists()}
    assert missing <= IMAGINED


@pytest.mark.parametrize("name", NAMES)
def test_python_in_documents_compiles(name: str) -> None:
    for number, block in enumerate(blocks(name, "python")):
        compile(block, f"{name}, block {number}", "exec")


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_compile(path: Path) -> None:
    compile(path.read_text(encoding="utf-8"), str(path), "exec")


# -- what ARCHITECTURE.md and docs/ list


def _kept(topic: TopicSpec) -> str:
    if topic.config["cleanup.policy"] == "compact":
        return "compacted"
    days = int(topic.config["retention.ms"]) // DAY_MS
    return f"{days} day{'s' if days > 1 else ''}"


def test_topics_are_those_of_the_program() -> None:
    listed = [
        (names(topic)[0], record, kept)
        for topic, record, _, kept in rows(section("ARCHITECTURE.md", "Topics"))
    ]
    assert listed == [
        (spec.name, "DeadLetter" if spec.codec is None else spec.codec.name, _kept(spec))
        for spec in ALL_TOPICS
    ]


def _collections() -> set[str]:
    """The collections that `sinks.documents` names."""
    constants = (value for name, value in vars(documents).items() if name.isupper())
    # A collection's name has no hyphen, unlike a source's, which the module imports.
    return {value for value in constants if isinstance(value, str) and "-" not in value}


def test_collections_are_those_of_the_program() -> None:
    listed = [names(row[0])[0] for row in rows(section("ARCHITECTURE.md", "Collections"))]
    assert len(listed) == len(set(listed))
    assert set(listed) == _collections()


def test_collections_have_their_fields_described() -> None:
    described = {one for row in rows(section("docs/data.md", "Documents")) for one in names(row[0])}
    assert described == _collections()


def _first_bars() -> dict[str, int]:
    """The number of the first bar, from 1, at which each output has a value."""
    indicators = IndicatorSet(parse(DEFAULT_SPEC))
    first: dict[str, int] = {}
    for bar in range(1, 60):
        price = 100 + 10 * math.sin(bar)
        indicators.update(Ohlcv(price, price + 2, price - 2, price + math.cos(bar), 10.0 + bar))
        for name, value in indicators.values().items():
            if value is not None:
                first.setdefault(name, bar)
    return first


def test_indicators_are_those_of_the_registry() -> None:
    table = rows(section("docs/indicators.md", "The fourteen"))
    assert ", ".join(names(row[0])[0] for row in table) == DEFAULT_SPEC
    listed: dict[str, int] = {}
    for _, outputs, first, _ in table:
        bars = [int(number) for number in first.split(",")]
        listed.update(zip(names(outputs), bars * (1 if len(bars) > 1 else 3), strict=False))
    assert tuple(listed) == parse(DEFAULT_SPEC).outputs
    assert listed == _first_bars()


@pytest.mark.parametrize(
    ("heading", "codec"),
    [
        ("Bar", BAR),
        ("BarSeries", BAR_SERIES),
        ("IndicatorSnapshot", INDICATOR_SNAPSHOT),
        ("NewsItem", NEWS_ITEM),
        ("SocialPost", SOCIAL_POST),
        ("EconomicObservation", ECONOMIC_OBSERVATION),
        ("Trend", TREND),
        ("Alert", ALERT),
        ("SeriesUpdate", SERIES_UPDATE),
    ],
)
def test_records_have_the_fields_that_the_page_lists(heading: str, codec: Codec[Record]) -> None:
    table = rows(section("docs/data.md", f"{heading}:"))
    assert {field for row in table for field in names(row[0])} == set(codec.fields)
    optional = {field for row in table if row[2] != "" for field in names(row[0])}
    assert optional == set(codec.record._options.defaults)


def test_dead_letters_have_the_fields_that_the_page_lists() -> None:
    table = rows(section("docs/data.md", "Dead letters"))
    assert {field for row in table for field in names(row[0])} == set(DeadLetter._options.fields)


def test_the_bar_on_the_page_is_one() -> None:
    block = next(block for block in blocks("docs/data.md", "json") if "_id" not in block)
    bar = BAR.decode(b"AAPL", block.encode())
    assert list(orjson.loads(block)) == list(BAR.fields)
    assert bar.ticker == "AAPL"
