"""The architecture: what may import what, who reads the environment, and how long a file may be."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: The floors, from the ground up: a module imports from its own floor and from those below.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "models", "indicators", "trend", "alerts", "config"}),
    frozenset({"topics", "kafka_security", "broker", "delivery", "monitoring"}),
    frozenset({"tables", "sinks", "transport"}),
    frozenset({"agents", "sources", "web"}),
    frozenset({"app", "startup", "commands", "operations"}),
    frozenset(
        {
            "kafka_integration",
            "kafka_producer",
            "kafka_consumer",
            "consuming",
            "pipeline",
            "integration_check",
            "run_streaming_pipeline",
            "test_kafka_integration",
        }
    ),
)
#: The public Python API has no floor: it is a facade, and the program may use it, too.
FACADES = frozenset({"kafka_producer"})

#: Programs that may start servers of their own.
MAY_USE_EMBEDDED = frozenset(
    {"run_streaming_pipeline", "test_kafka_integration", "pipeline", "integration_check"}
)
#: Beside the house: nothing in it imports them.
BESIDE = frozenset(
    {"tests", "benchmarks", "chaos", "fuzz", "examples", "scripts", "deploy", "docs", ".ci"}
)

#: Who touches the environment although settings come from config.py alone, and why.
MAY_TOUCH_ENVIRONMENT = {
    "embedded/kafka.py": "hands it to the Java program that formats Kafka's storage",
    "embedded/process.py": "hands it to the servers it starts",
    "embedded/kafka_jars.py": "finds the user's cache directory, as every program on Linux",
    "embedded/mongod_binary.py": "hands it to the loader that tells which libraries are missing",
    "pipeline/environment.py": "hands it to the workers it starts",
}

MOST_LINES = 400


@cache
def files() -> tuple[Path, ...]:
    """Every Python file, tracked or new, below the root."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.py"]
    listed = subprocess.run(  # noqa: S603 - a list of our own making
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    return tuple(Path(name) for name in sorted(listed) if name and (ROOT / name).exists())


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def part(path: Path) -> str:
    """The part of the house that a file belongs to: its package, or its name."""
    return path.parts[0].removesuffix(".py")


def production() -> list[Path]:
    """The files of the program itself."""
    return [path for path in files() if part(path) not in BESIDE]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """The parts of the house, and packages, that a file imports, with the line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = part(path) if node.level else (node.module or "")
            yield node.lineno, name.partition(".")[0]


def floor(name: str) -> int | None:
    """The floor of a part; None for what has none."""
    return next((number for number, names in enumerate(FLOORS) if name in names), None)


def test_the_files_are_found() -> None:
    found = {part(path) for path in production()}
    assert {"app", "config", "models", "sinks", "transport"} <= found
    assert "tests" in {part(path) for path in files()}


def test_every_part_of_the_house_has_its_floor() -> None:
    without = {part(path) for path in production()} - {"embedded"}
    assert {name for name in without if floor(name) is None} == set()


def test_imports_go_down() -> None:
    upward = [
        f"{path}:{line} imports {name}"
        for path in production()
        for line, name in imported(path)
        if (there := floor(name)) is not None
        and name not in FACADES
        and (here := floor(part(path))) is not None
        and there > here
    ]
    assert upward == []


@pytest.mark.parametrize("package", ["indicators", "trend"])
def test_the_mathematics_is_pure(package: str) -> None:
    own = {package}
    foreign = {
        f"{path}:{line} imports {name}"
        for path in production()
        if part(path) == package
        for line, name in imported(path)
        if name in {"faust", "mode", "aiokafka", "asyncio", "pymongo"}
        or (floor(name) is not None and name not in own)
    }
    assert foreign == set()


def test_alert_rules_know_nothing_of_streams() -> None:
    foreign = {
        f"{path}:{line} imports {name}"
        for path in production()
        if part(path) == "alerts"
        for line, name in imported(path)
        if name in {"faust", "mode", "aiokafka", "asyncio", "pymongo", "httpx"}
    }
    assert foreign == set()


def test_nobody_but_the_scripts_uses_embedded_servers() -> None:
    users = {
        f"{path}:{line}"
        for path in production()
        if part(path) not in MAY_USE_EMBEDDED | {"embedded"}
        for line, name in imported(path)
        if name == "embedded"
    }
    assert users == set()


def test_embedded_servers_know_nothing_of_the_program() -> None:
    known = {
        f"{path}:{line} imports {name}"
        for path in production()
        if part(path) == "embedded"
        for line, name in imported(path)
        if floor(name) is not None
    }
    assert known == set()


def test_the_program_does_not_import_what_is_beside_it() -> None:
    users = {
        f"{path}:{line} imports {name}"
        for path in production()
        for line, name in imported(path)
        if name in BESIDE
    }
    assert users == set()


def touches_environment(path: Path) -> bool:
    """Whether a file reads the environment by any of the ways that Python has."""
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "load_dotenv", "dotenv_values"}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in names:
            return True
        if isinstance(node, ast.ImportFrom) and names & {alias.name for alias in node.names}:
            return True
    return False


def test_nobody_but_config_reads_the_environment() -> None:
    touching = {str(path) for path in production() if touches_environment(path)}
    assert touching - {"config.py"} == MAY_TOUCH_ENVIRONMENT.keys()


def test_nobody_calls_what_ends_the_process() -> None:
    # On a broker whose group coordinator is not ready, it is a segmentation fault (librdkafka
    # issue 5040), which shows by chance only.
    callers = [
        f"{path}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "list_consumer_group_offsets"
    ]
    assert callers == []


@pytest.mark.parametrize("path", files(), ids=str)
def test_a_file_is_short_enough_to_read(path: Path) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").count("\n")
    assert lines < MOST_LINES


@pytest.mark.parametrize("path", production(), ids=str)
def test_a_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path))
