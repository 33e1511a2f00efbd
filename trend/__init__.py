"""The trend of a ticker, as a pure function of the latest state of each of its inputs.

`inputs` is what the function takes, `scores` and `macro` turn each input into a number from -1
(down) to 1 (up), `weights` says how much each counts, `evaluation` joins them, `reasons` puts the
weightiest in words. docs/trend.md has the formula with an example. The package knows nothing of
streams, Records or settings.
"""

from trend.evaluation import SIDEWAYS_BELOW, Evaluation, combine, evaluate
from trend.inputs import NO_BAR, Inputs, LastBar, Opinion, interval_ms, leading
from trend.macro import Backdrop, Change
from trend.weights import COMPONENTS, DEFAULT_WEIGHTS, parse_weights

__all__ = [
    "COMPONENTS",
    "DEFAULT_WEIGHTS",
    "NO_BAR",
    "SIDEWAYS_BELOW",
    "Backdrop",
    "Change",
    "Evaluation",
    "Inputs",
    "LastBar",
    "Opinion",
    "combine",
    "evaluate",
    "interval_ms",
    "leading",
    "parse_weights",
]
