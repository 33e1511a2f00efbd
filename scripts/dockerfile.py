"""What the Dockerfile and .dockerignore say, read from them."""

from __future__ import annotations

import io
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its ``name`` (``RUN``), its ``value`` on one line, its ``line`` from 1."""

    name: str
    value: str
    line: int


def stages(path: Path = ROOT / "Dockerfile") -> list[list[Instruction]]:
    """Return the instructions of each stage, which begins with its FROM; before the first, ARGs."""
    parser = DockerfileParser(fileobj=io.BytesIO(path.read_bytes()))
    found: list[list[Instruction]] = [[]]
    for entry in parser.structure:
        if entry["instruction"] == "COMMENT":
            continue
        if entry["instruction"] == "FROM":
            found.append([])
        value = re.sub(r"\s+", " ", entry["value"])
        found[-1].append(Instruction(entry["instruction"], value, entry["startline"] + 1))
    return found


def one(stage: list[Instruction], name: str) -> Instruction:
    """Return the only instruction of that name.

    Raises:
        ValueError: there is none, or more than one.
    """
    found = [instruction for instruction in stage if instruction.name == name]
    if len(found) != 1:
        raise ValueError(f"the Dockerfile has {len(found)} {name} in a stage that needs one")
    return found[0]


def exec_form(value: str) -> list[str]:
    """Return the arguments of a CMD, also of the one at the end of a HEALTHCHECK.

    Raises:
        ValueError: it is in the shell's form, whose shell would keep signals to itself.
    """
    _, bracket, rest = value.partition("[")
    if not bracket:
        raise ValueError(f"{value!r} is not a JSON list of arguments")
    arguments: list[str] = json.loads(bracket + rest)
    return arguments


def environment(stage: list[Instruction], before: dict[str, str]) -> dict[str, str]:
    """Return ``before`` with what the stage's ENV instructions change."""
    result = dict(before)
    for instruction in stage:
        if instruction.name == "ENV":
            for assignment in shlex.split(instruction.value):
                name, _, value = assignment.partition("=")
                result[name] = re.sub(r"\$\{?(\w+)\}?", lambda m: result.get(m[1], ""), value)
    return result


def context(root: Path = ROOT) -> set[str]:
    """Return the files, relative to ``root``, that .dockerignore leaves for ``COPY .``."""
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in ignored if line and not line.startswith("#")]
    sent = exclude_paths(str(root), patterns)
    # Both are sent so that the engine can read them; it does not copy them.
    return {path for path in sent if (root / path).is_file()} - {"Dockerfile", ".dockerignore"}
