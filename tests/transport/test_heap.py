"""Memory is given back where the C library can."""

from __future__ import annotations

import platform

import psutil
import pytest

from transport.heap import give_back


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's C library can")
def test_free_memory_between_what_stays_is_given_back() -> None:
    process = psutil.Process()
    blocks = [bytes(100_000) for _ in range(1_000)]
    stays = blocks[::10]
    full = process.memory_info().rss
    del blocks
    give_back()
    assert process.memory_info().rss < full - 50_000_000
    assert len(stays) == 100
