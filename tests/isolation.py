"""Tests run with the defaults: a .env of the developer's would be in force in every worker."""

from __future__ import annotations

from pathlib import Path

from dotenv import dotenv_values

from config import Settings


def objection(file: Path) -> str | None:
    """Say what stands in ``file`` that would change what the tests see; None if nothing does."""
    values = dotenv_values(file, interpolate=False)
    ours = [
        name for name, value in values.items() if value and name.lower() in Settings.model_fields
    ]
    if not ours:
        return None
    return (
        f"{file} sets {', '.join(ours)}, which the workers of the tests would take as well: "
        "move it away while the tests run, or run them in another worktree"
    )
