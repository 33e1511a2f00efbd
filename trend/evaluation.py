"""Joins the components of a ticker into its trend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trend.inputs import Inputs
from trend.reasons import reasons
from trend.scores import MISSING, scores
from trend.weights import COMPONENTS

#: A trend that is weaker goes sideways.
SIDEWAYS_BELOW = 10

#: Steps of 1 to which scores and weights are rounded. All else is computed from the rounded ones,
#: so that what is published recomputes exactly.
SCORE_STEPS, WEIGHT_STEPS = 100, 1000


class Evaluation(NamedTuple):
    """A trend. All follows from ``components`` and ``weights``, but for the words of the reasons.

    ``components`` are the scores, -1 to 1, ``weights`` what each counted, all together at most 1.
    """

    direction: str
    strength: int
    confidence: float
    components: dict[str, float]
    weights: dict[str, float]
    reasons: list[str]


def evaluate(inputs: Inputs, weights: Mapping[str, float]) -> Evaluation:
    """Return the trend that these inputs give.

    Each component's weight is the one of the setting times its share; a component that is missing,
    wholly or in part, takes its weight out of the confidence, and counts as nothing else.

    Args:
        inputs: the latest of each input.
        weights: by component, all together 1 (:func:`trend.weights.parse_weights`).
    """
    found = scores(inputs)
    components: dict[str, float] = {}
    counted: dict[str, float] = {}
    for name in COMPONENTS:
        value, share = found.get(name, MISSING)
        # Whole steps: rounding to decimals takes ten times as long.
        steps = round(weights[name] * share * WEIGHT_STEPS)
        if steps:
            components[name] = round(value * SCORE_STEPS) / SCORE_STEPS
            counted[name] = steps / WEIGHT_STEPS
    direction, strength, confidence = combine(components, counted)
    return Evaluation(
        direction, strength, confidence, components, counted, reasons(inputs, components, counted)
    )


def combine(
    components: Mapping[str, float], weights: Mapping[str, float]
) -> tuple[str, int, float]:
    """Return direction, strength (0 to 100) and confidence (0 to 1) of components.

    The score is the weighted mean of the components. Its size is the strength, its sign the
    direction, unless the strength is below :data:`SIDEWAYS_BELOW`; the weights add up to the
    confidence.

    >>> combine({"price": 0.6, "news": -0.2}, {"price": 0.3, "news": 0.1})
    ('up', 40, 0.4)
    """
    confidence = sum(weights.values())
    if not confidence:
        return "sideways", 0, 0.0
    score = sum(components[name] * weight for name, weight in weights.items()) / confidence
    # Rounded first to what decimals can tell: a sum in binary may lie on either side of a half.
    strength = round(abs(round(100.0 * score, 6)))
    direction = "sideways" if strength < SIDEWAYS_BELOW else "up" if score > 0 else "down"
    return direction, strength, round(confidence * WEIGHT_STEPS) / WEIGHT_STEPS
