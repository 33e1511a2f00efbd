"""What can go wrong in a measurement."""

from __future__ import annotations


class ContestantFailed(Exception):
    """A contestant ended, stood still, or never started; says which one and how its log ends."""
