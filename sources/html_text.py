"""HTML, as feeds carry it, to the text that a person would read."""

from __future__ import annotations

from html.parser import HTMLParser

#: Their content is for machines.
_UNREAD = frozenset({"script", "style", "template", "noscript", "iframe"})

#: They stand within a word or a sentence; every other element ends what is before it.
_INLINE_NAMES = """
    a abbr b bdi bdo cite code del dfn em font i ins kbd mark q s samp small span strike strong
    sub sup time tt u var wbr
"""

_BLOCK_NAMES = """
    address article aside audio blockquote body br button caption center col colgroup dd details
    div dl dt embed figcaption figure footer form frame h1 h2 h3 h4 h5 h6 head header hr html img
    input label legend li link main map meta nav object ol option p param picture pre section
    select source summary svg table tbody td textarea tfoot th thead title tr track ul video
"""

_INLINE = frozenset(_INLINE_NAMES.split())
#: Whatever else stands in angle brackets is text: ``a <tight> quarter``.
_ELEMENTS = _INLINE | _UNREAD | frozenset(_BLOCK_NAMES.split())


def plain_text(html: str) -> str:
    """Return ``html`` without markup, its entities decoded, on one line.

    Text without markup comes back as it is, and what is broken as far as it can be read.

    >>> plain_text("<p>Q1: A&amp;B up <b>5</b>%</p><p>P&L of a <tight> quarter, 1 < 2</p>")
    'Q1: A&B up 5% P&L of a <tight> quarter, 1 < 2'
    """
    if "<" not in html and "&" not in html:
        return " ".join(html.split())
    reader = _Reader(convert_charrefs=True)
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.parts).split())


_Attributes = list[tuple[str, str | None]]


class _Reader(HTMLParser):
    def __init__(self, *, convert_charrefs: bool) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self.parts: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: _Attributes) -> None:  # noqa: ARG002
        if tag in _UNREAD:
            self._unread += 1
        self._element(tag, self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: _Attributes) -> None:  # noqa: ARG002
        self._element(tag, self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        self._element(tag, "")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.parts.append(data)

    def _element(self, tag: str, text: str) -> None:
        if tag not in _ELEMENTS:
            self.handle_data(text)
        elif tag not in _INLINE:
            self.parts.append(" ")
