"""The jars of Apache Kafka: downloaded once, checked, then kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tenacity

from embedded import locks
from embedded.errors import EmbeddedError

VERSION = "4.3.0"

_KAFKA = f"org.apache.kafka:kafka_2.13:{VERSION}"
# Lets Kafka write its log: it brings log4j, but not what connects to it.
_LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
_SUMS = Path(__file__).with_name("kafka_jars.sha256")
#: Where Debian and Ubuntu keep the certificates that the machine trusts.
_SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_MEGABYTES = 45
_PARALLEL = 6
_TIMEOUT_S = 30
_LOCK_TIMEOUT_S = 600.0

# What an unreachable host or a broken connection (OSError), a file that is not there and a
# truncated one raise in jgo.
_DOWNLOAD_ERRORS = (OSError, RuntimeError, SyntaxError, AssertionError)


def cache_dir() -> Path:
    """Return the folder for downloads, shared by all data directories of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "financial-trends"


def jars(log: Callable[[str], None], cache: Path | None = None) -> Path:
    """Return the folder with Kafka's jars, downloading them the first time.

    Needs neither Java nor Maven.

    Raises:
        EmbeddedError: they could not be downloaded, or are not the files that are expected.
    """
    cache = cache_dir() if cache is None else cache
    # Appears by a rename when everything in it is complete: its existence says so.
    target = cache / f"kafka-{VERSION}"
    if target.is_dir():
        return target
    with locks.exclusive(cache / "kafka.lock", log=log, timeout_s=_LOCK_TIMEOUT_S):
        if not target.is_dir():
            _download(cache, target, log)
    return target


def expected_sums() -> dict[str, str]:
    """Return the SHA-256 of each jar by its file name."""
    lines = (line.split() for line in _SUMS.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in lines}


def _download(cache: Path, target: Path, log: Callable[[str], None]) -> None:
    sums = expected_sums()
    log(
        f"resolving Kafka {VERSION}: {len(sums)} jars, about {_MEGABYTES} MB, "
        f"the first time only (kept in {cache})"
    )
    repository, complete = cache / "repository.part", cache / f"{target.name}.part"
    for leftover in (repository, complete):
        shutil.rmtree(leftover, ignore_errors=True)
    complete.mkdir(parents=True)
    if _SYSTEM_CERTIFICATES.is_file():
        # Behind a proxy of a company, this file knows its authority; requests' own does not.
        os.environ.setdefault("REQUESTS_CA_BUNDLE", str(_SYSTEM_CERTIFICATES))
    try:
        found = _resolve(repository)
    except ImportError as error:
        raise EmbeddedError(
            f"The package that downloads Kafka is missing ({error}).",
            remedy="pip install -r requirements-embedded.txt, or give KAFKA_BOOTSTRAP_SERVERS",
        ) from error
    except _DOWNLOAD_ERRORS as error:
        raise EmbeddedError(
            f"Kafka {VERSION} could not be downloaded: {error}",
            remedy="check the network and repeat, or give KAFKA_BOOTSTRAP_SERVERS",
        ) from error
    check({jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in found}, sums)
    for jar in found:
        jar.rename(complete / jar.name)
    complete.rename(target)
    shutil.rmtree(repository)


def check(actual: dict[str, str], expected: dict[str, str]) -> None:
    """Compare downloaded files with those that this version was tested with.

    Raises:
        EmbeddedError: a file is missing, unexpected or different.
    """
    wrong = sorted(name for name, _ in actual.items() ^ expected.items())
    if wrong:
        names = ", ".join(dict.fromkeys(wrong))
        raise EmbeddedError(
            f"Kafka's jars are not those of {_SUMS.name}: {names}",
            remedy="repeat; if it stays, do not use them: give KAFKA_BOOTSTRAP_SERVERS instead",
        )


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(_DOWNLOAD_ERRORS),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(min=1, max=8),
    reraise=True,
)
def _resolve(repository: Path) -> list[Path]:
    """Download the jars with all they depend on; whatever an earlier try left is deleted."""
    # Here, so that a start that finds the jars in the cache does not need jgo.
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    shutil.rmtree(repository, ignore_errors=True)
    context = MavenContext(
        resolver=PythonResolver(), repo_cache=repository, local_repos=[], timeout=_TIMEOUT_S
    )
    # Kafka alone is resolved: jgo lets every input manage the versions of all dependencies, and
    # log4j's list of versions has an older Kafka in it.
    resolved, transitive = context.resolver.resolve([context.create_dependency(_KAFKA)])
    needed = [
        *resolved,
        *(d for d in transitive if d.scope in ("compile", "runtime")),
        context.create_dependency(_LOGGING),
    ]

    def fetch(dependency: Any) -> Path:
        return Path(dependency.artifact.resolve())

    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(fetch, needed))
