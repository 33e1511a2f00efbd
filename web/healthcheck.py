"""Whether the worker in this container is well, for Docker: ``python -m web.healthcheck ready``.

Asks the worker's own web server, so that an image needs no other program for it.
"""

from __future__ import annotations

import http.client
import sys

from config import Settings, read_settings
from errors import ConfigurationError

#: What can be asked: is the process alive, and does it work on its partitions.
QUESTIONS = ("live", "ready")
_TIMEOUT_S = 5.0


def ask(question: str, settings: Settings) -> tuple[bool, str]:
    """Return whether the worker says yes, and what it says.

    Args:
        question: one of QUESTIONS.
        settings: where its web server is.
    """
    everywhere = settings.web_host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
    host = "127.0.0.1" if everywhere else settings.web_host
    connection = http.client.HTTPConnection(host, settings.web_port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", f"/health/{question}")
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return False, f"no answer from {host}:{settings.web_port}: {error}"
    finally:
        connection.close()
    return answer.status == http.HTTPStatus.OK, f"{answer.status} {said}"


def main(arguments: list[str]) -> int:
    """Print what the worker says; 0 if it is well, 1 if not, 2 for bad usage."""
    if len(arguments) != 1 or arguments[0] not in QUESTIONS:
        print(f"usage: python -m web.healthcheck {{{','.join(QUESTIONS)}}}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        well, said = ask(arguments[0], read_settings())
    except ConfigurationError as error:
        well, said = False, str(error)
    print(said)  # noqa: T201 - `docker inspect` shows it
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
