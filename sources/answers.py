"""How large an answer may be, whatever the provider sends, for the HTTP clients of all sources.

Counted is what an answer is once unpacked: a few kilobytes may hold gigabytes. Whoever sends more
is cut off in the middle, so that no more than this much of an answer is ever in memory.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from errors import SourceUnavailable

#: The largest answer in use is a page of FRED's, of some 5 MB.
MOST_BYTES = 8_000_000

#: Records of one poll, after which no more is asked for before they are sent; some 90 MB.
MOST_RECORDS = 100_000

#: Read at a time.
_CHUNK_BYTES = 65_536

#: What aborts a transfer of libcurl's; as long as a chunk is what goes on with it.
_ABORT = 0xFFFFFFFF


class AnswerTooLarge(SourceUnavailable):
    """A provider sent more than any answer has.

    Args:
        provider: whose answer it was.
        setting: its address, where somebody has set another one.
    """

    def __init__(self, provider: str, setting: str) -> None:
        super().__init__(
            f"{provider}: an answer of more than {MOST_BYTES:,} bytes, which is not read: see what "
            f"answers at its address ({setting}), or stands on the way"
        )


class BoundedAdapter(HTTPAdapter):
    """The way of a ``requests.Session`` to HTTP, for answers with an end.

    Raises, where an answer is read (by ``Session.request`` already, unless it is told to stream):
        AnswerTooLarge: it is longer than :data:`MOST_BYTES`.
        requests.Timeout: it has not come to its end within the time allowed.

    Args:
        provider, setting: as of :class:`AnswerTooLarge`.
        timeout_s: of one whole answer, in seconds; ``requests`` counts from byte to byte.
    """

    def __init__(self, provider: str, setting: str, timeout_s: float) -> None:
        super().__init__()
        self._named = provider, setting
        self._timeout_s = timeout_s

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request; its answer is read later."""
        deadline = time.monotonic() + self._timeout_s
        response = super().send(*args, **kwargs)
        response.raw = _Bounded(response.raw, deadline, self._named)
        return response


class _Bounded:
    """An answer of urllib3's that ends.

    Args:
        raw: the answer.
        deadline: until when it may be read, by the monotonic clock.
        named: provider and setting, for the error.
    """

    def __init__(self, raw: Any, deadline: float, named: tuple[str, str]) -> None:
        self._raw = raw
        self._deadline = deadline
        self._named = named

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def read(self, *_: Any, **__: Any) -> bytes:
        """Return nothing more: this is how ``requests`` skips what it could not unpack."""
        self._raw.close()
        return b""

    def stream(self, _amount: int, decode_content: bool = True) -> Iterator[bytes]:
        """Yield the answer, as ``requests`` reads it."""
        size = 0
        # Not in whole chunks: one that comes byte by byte would not be full within the time.
        while chunk := self._raw.read1(_CHUNK_BYTES, decode_content=decode_content):
            size += len(chunk)
            if size > MOST_BYTES:
                # Otherwise the connection waits in the pool, with the rest behind it.
                self._raw.close()
                raise AnswerTooLarge(*self._named)
            if time.monotonic() > self._deadline:
                self._raw.close()
                raise requests.ReadTimeout("no complete answer in time")
            yield chunk


class CurlBody:
    """Takes the body of an answer from curl_cffi, as its ``content_callback``.

    Attributes:
        content: what has come so far.
        too_large: whether it was cut off; curl_cffi then fails, too.
    """

    def __init__(self) -> None:
        self.content = bytearray()
        self.too_large = False

    def __call__(self, chunk: bytes) -> int:
        """Take a piece, unpacked; return whether to go on, as libcurl wants it."""
        self.too_large = len(self.content) + len(chunk) > MOST_BYTES
        if self.too_large:
            self.content.clear()
            return _ABORT
        self.content += chunk
        return len(chunk)


async def unpacked(chunks: AsyncIterable[bytes], encoding: str) -> AsyncIterator[bytes]:
    """Yield what ``chunks`` hold, in pieces that are small, however much that is together.

    httpx unpacks a whole chunk at once, and what was packed several times as well.

    Args:
        chunks: the answer as it comes.
        encoding: its Content-Encoding.

    Raises:
        ValueError: it is packed in a way that nobody asked for, or not as it says.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        async for chunk in chunks:
            yield chunk
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise ValueError(f"packed as {encoding[:40]!r}, and gzip was asked for")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    async for chunk in chunks:
        left = chunk
        while left and not unpacker.eof:
            try:
                piece = unpacker.decompress(left, _CHUNK_BYTES)
            except zlib.error as error:
                raise ValueError(f"no gzip, as it says to be ({error})") from None
            left = unpacker.unconsumed_tail
            if piece:
                yield piece
    if not unpacker.eof:
        raise ValueError("gzip that ends in the middle")
