"""How much each component counts: the setting TREND_WEIGHTS."""

from __future__ import annotations

import math
from collections.abc import Mapping

#: The components of a trend, in the order in which they are added up.
COMPONENTS = ("price", "momentum", "volume", "news", "twitter", "reddit", "macro")

DEFAULT_WEIGHTS = (
    "price 0.35, momentum 0.2, volume 0.1, news 0.15, twitter 0.05, reddit 0.05, macro 0.1"
)


def parse_weights(setting: str) -> Mapping[str, float]:
    """Return the weight of every component, all together 1, as the setting says.

    A component that is not named has the weight 0.

    Raises:
        ValueError: naming the entry, what is wrong with it and what would be right.

    >>> parse_weights("price 3, news 1")["price"]
    0.75
    """
    found: dict[str, float] = {}
    for entry in setting.split(","):
        name, weight = _parse_entry(entry.strip())
        if name in found:
            raise ValueError(f"weight {entry.strip()!r}: {name!r} is given twice; keep one")
        found[name] = weight
    total = math.fsum(found.values())
    if not total > 0:
        raise ValueError(f"weights {setting!r}: all are 0; at least one must be above it")
    return {name: found.get(name, 0.0) / total for name in COMPONENTS}


def _parse_entry(entry: str) -> tuple[str, float]:
    name, number = [*entry.lower().split(maxsplit=1), "", ""][:2]
    if name not in COMPONENTS:
        wrong = f"{name!r} is not known" if name else "there is no name"
        raise ValueError(f"weight {entry!r}: {wrong}; known are {', '.join(COMPONENTS)}")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 0.0 <= weight <= 1e6:
        raise ValueError(
            f"weight {entry!r}: {number!r} is no number from 0 to 1,000,000; write '{name} 0.2'"
        )
    return name, weight
