"""A bar chart of rates, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_WIDTH, _LABEL, _BAR, _GAP, _TOP, _FIGURE = 900, 240, 20, 10, 64, 80


def chart(title: str, note: str, rates: Mapping[str, float], ours: frozenset[str]) -> str:
    """Return an SVG of horizontal bars, one for each rate, on one linear scale from 0.

    Args:
        title: above the bars.
        note: below the title, in smaller letters.
        rates: label and length of each bar, from top to bottom.
        ours: the labels that are drawn in the stronger colour.

    Raises:
        ValueError: there is no rate above 0.
    """
    longest = max(rates.values(), default=0.0)
    if longest <= 0.0:
        raise ValueError("a chart needs a rate above 0")
    scale = (_WIDTH - _LABEL - _FIGURE) / longest
    height = _TOP + len(rates) * (_BAR + _GAP) + _GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="26" font-size="17" fill="#1b1f24">{escape(title)}</text>',
        f'<text x="10" y="46" font-size="11" fill="#57606a">{escape(note)}</text>',
    ]
    for row, (label, rate) in enumerate(rates.items()):
        y = _TOP + row * (_BAR + _GAP)
        length = max(1.0, rate * scale)
        colour = "#0a66c2" if label in ours else "#9aa4af"
        lines += [
            f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end" fill="#1b1f24">'
            f"{escape(label)}</text>",
            f'<rect x="{_LABEL}" y="{y}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<text x="{_LABEL + length + 6:.1f}" y="{y + 15}" fill="#1b1f24">{rate:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
