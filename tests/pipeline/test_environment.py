"""What workers get of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, read_settings
from errors import ConfigurationError
from pipeline.environment import ROOT, derive, environment, folders


def test_a_worker_reads_the_very_settings_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(
        tickers=("AAPL", "^GSPC"),
        mongodb_uri="mongodb://me:secret@db.example/",
        kafka_sasl_password="pw",  # noqa: S106 - of nobody
        skip_news=True,
        news_ttl_days=3,
    )
    for name, text in environment(settings, replay_speed=7).items():
        monkeypatch.setenv(name, text)
    read = Settings(_env_file=None)  # type: ignore[call-arg]
    expected = dict(settings) | {"replay_speed": 7, "data_dir": settings.data_dir.absolute()}
    assert dict(read) == expected


def test_an_old_setting_of_the_environment_does_not_shine_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("posts_ttl_days", "1")
    monkeypatch.setenv("NEWS_TTL_DAYS", "1")
    given = environment(read_settings(posts_ttl_days=None, news_ttl_days=None))
    assert not {"posts_ttl_days", "POSTS_TTL_DAYS", "NEWS_TTL_DAYS"} & set(given)


def test_files_are_found_from_another_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    given = environment(read_settings(kafka_ssl_ca_file="ca.pem"))
    assert given["KAFKA_SSL_CA_FILE"] == str(Path.cwd() / "ca.pem")


def test_what_is_derived_is_checked() -> None:
    settings = read_settings()
    assert derive(settings, replay_speed=3).replay_speed == 3
    with pytest.raises(ConfigurationError, match="REPLAY_SPEED"):
        derive(settings, replay_speed=0)


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert folders(read_settings()) == (ROOT / ".data" / "worker", ROOT / ".data" / "logs")
    mine = read_settings(data_dir="mine")
    assert folders(mine) == (tmp_path / "mine", tmp_path / "mine" / "logs")
