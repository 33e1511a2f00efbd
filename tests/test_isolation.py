"""What a .env may have while the tests run."""

from __future__ import annotations

from pathlib import Path

from tests.isolation import objection


def test_no_file_and_passwords_of_docker_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert objection(file) is None
    file.write_text("# WEB_TOKEN=\nMONGODB_PASSWORD=of-nobody\nTICKERS=\n")
    assert objection(file) is None


def test_settings_are_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("WEB_TOKEN=0123456789abcdef\nMONGODB_PASSWORD=of-nobody\nTICKERS=AAPL\n")
    said = objection(file)
    assert said is not None
    assert f"{file} sets WEB_TOKEN, TICKERS, which" in said
    assert "0123456789abcdef" not in said
