"""Alert rules: their language, their file, and what is remembered between two events.

Pure: no Faust, no I/O but reading the rules file. ``language`` parses a condition, ``closures``
makes a function of it, ``rules`` has what a rule is, ``file`` reads the TOML file, ``state``
decides whether a rule fires.
"""

from alerts.file import load
from alerts.names import BAR, NEWS, REDDIT, TREND, TWITTER
from alerts.rules import Rule, RuleBook
from alerts.state import AlertState, Event, Firing, RuleState

__all__ = [
    "BAR",
    "NEWS",
    "REDDIT",
    "TREND",
    "TWITTER",
    "AlertState",
    "Event",
    "Firing",
    "Rule",
    "RuleBook",
    "RuleState",
    "load",
]
