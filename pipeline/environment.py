"""How the settings of this process become those of the workers it starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config import Settings, read_settings

ROOT = Path(__file__).resolve().parent.parent


def derive(settings: Settings, **overrides: Any) -> Settings:
    """Return ``settings`` with some values replaced, all of them checked.

    Raises:
        ConfigurationError: a value is not allowed.
    """
    return read_settings(**(dict(settings) | overrides))


def environment(settings: Settings, **overrides: Any) -> dict[str, str]:
    """Return the environment of a worker that shall have exactly these settings.

    It is the only way that credentials take: the process list shows none.

    Raises:
        ConfigurationError: a value of ``overrides`` is not allowed.

    Example:

        >>> from config import Settings
        >>> environment(Settings(tickers=("AAPL", "IBM")), web_port=7000)["TICKERS"]
        'AAPL,IBM'
    """
    effective = derive(settings, **overrides)
    names = set(type(settings).model_fields)
    # Settings are found in any case: an old one must not shine through.
    result = {name: text for name, text in os.environ.items() if name.lower() not in names}
    for name, value in effective:
        if value is not None:
            result[name.upper()] = _text(value)
    # Whatever the log files of workers are: lines appear when they are written.
    return result | {"PYTHONUNBUFFERED": "1"}


def folders(settings: Settings) -> tuple[Path, Path]:
    """Return where workers keep their files, and where they write their logs.

    The defaults are in the project's folder, whatever the working directory; another DATA_DIR
    counts from the working directory, as anybody would expect.
    """
    if settings.data_dir != _default_data_dir():
        data = settings.data_dir.absolute()
        return data, data / "logs"
    data = ROOT / _default_data_dir()
    return data, data.parent / "logs"


def _default_data_dir() -> Path:
    default: Path = Settings.model_fields["data_dir"].default
    return default


def _text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(value)
        case Path():
            # The worker has another working directory.
            return str(value.absolute())
        case bool():
            return str(value).lower()
        case _:
            return str(value)
