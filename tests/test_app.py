"""How the app joins its parts, where the order matters."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.deployment import ROOT

#: The app reads the settings of its process, so it is looked at in one of its own.
LOOK = """
import app
checkpoints = app.app.checkpoints
stores, states = checkpoints._stores, checkpoints._states
assert stores[0] is app.trends, "evaluates before the stores that it submits to are cut"
assert stores[-1] is app.services.outbox, "is cut when all have put into it what they send"
assert states[0] is app.alerts.table, "is never behind what rules are looked at with"
assert states[-1] is app.trends.table, "is never ahead of what trends are computed from"
missing = {table.name for table in app.app.tables.values()} - {state.name for state in states}
assert not missing, f"saved by no checkpoint: {missing}"
"""


def test_a_connection_string_that_is_none_ends_with_one_line() -> None:
    """Whatever is asked of the app; and nothing of the password is in it."""
    looked = subprocess.run(
        [sys.executable, "-m", "faust", "-A", "app", "doctor"],
        cwd=ROOT,
        env=os.environ | {"MONGODB_URI": "mongodb://me:pa55@@:x/"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert looked.returncode == 1
    (line,) = looked.stderr.splitlines()
    assert line.startswith("error: setting MONGODB_URI is no connection string")
    assert "pa55" not in looked.stdout + looked.stderr


def test_checkpoints_cut_and_save_in_order() -> None:
    looked = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert looked.returncode == 0, looked.stderr
