"""The sentiment of texts that come without one."""

from __future__ import annotations


def opinion(given: float | None, text: str) -> float:
    """Return the sentiment that somebody gave, else the one that the text has, in -1..1."""
    if given is not None:
        return given
    # Here, as NLTK takes over half a second to load; `warm_up` has done it in a worker.
    from indicators.sentiment import score  # noqa: PLC0415

    return score(text)


def warm_up() -> None:
    """Load what the first judgement needs. Blocking, for about a second."""
    opinion(None, "shares rise")
