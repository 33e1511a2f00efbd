"""The script that makes the passwords of Docker Compose."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.compose import PASSWORDS
from tests.test_compose import ROOT, settings_in


def make(folder: Path) -> dict[str, str]:
    """Run the script on the .env of `folder`; the assignments there are then."""
    (folder / "scripts").mkdir(exist_ok=True)
    script = shutil.copy(ROOT / "scripts" / "docker-env.sh", folder / "scripts")
    subprocess.run(["sh", str(script)], check=True, capture_output=True)  # noqa: S603, S607
    return settings_in((folder / ".env").read_text(encoding="utf-8"))


def test_every_password_is_made_once_and_is_another_one(tmp_path: Path) -> None:
    made = make(tmp_path)
    assert made.keys() == PASSWORDS.keys()
    assert len(set(made.values())) == len(made)
    # In an address nothing of it needs to be escaped.
    assert all(value.isalnum() and len(value) == 48 for value in made.values())
    assert make(tmp_path) == made
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_what_stands_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TICKERS=AAPL\nMONGODB_PASSWORD=mine\nWEB_TOKEN=")
    made = make(tmp_path)
    assert made["TICKERS"] == "AAPL"
    assert made["MONGODB_PASSWORD"] == "mine"  # noqa: S105 - of nobody
    assert len(made["WEB_TOKEN"]) == 48
