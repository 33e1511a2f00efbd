"""Every check over every indicator in the registry."""

import pytest

from indicators import INDICATORS, Indicator
from tests.indicators.checks import CHECKS, Check


@pytest.mark.parametrize("kind", INDICATORS.values(), ids=INDICATORS)
@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_check(check: Check, kind: type[Indicator]) -> None:
    """See the docstring of the check."""
    check(kind)


def test_checks_are_documented() -> None:
    """A failing check says in its docstring what was promised."""
    assert len(CHECKS) >= 14
    assert all(check.__doc__ for check in CHECKS)
