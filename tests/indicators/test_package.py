"""The package as a whole: its examples, its imports, its public names."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import indicators

MODULES = [f"indicators.{one.name}" for one in pkgutil.iter_modules(indicators.__path__)]
FORBIDDEN = {"faust", "models", "config", "pandas", "numpy", "ta"}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    """Each example in a docstring prints what it says."""
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.failed == 0
    defined = [one for one in indicators.INDICATORS.values() if one.__module__ == name]
    assert result.attempted > 0 or not defined


@pytest.mark.parametrize("name", MODULES)
def test_imports(name: str) -> None:
    """The mathematics stands on its own."""
    path = importlib.import_module(name).__file__
    assert path is not None
    imported = set()
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert not imported & FORBIDDEN


def test_one_indicator_per_module() -> None:
    """And the module has the name of the indicator."""
    assert {kind.__module__ for kind in indicators.INDICATORS.values()} == {
        f"indicators.{name}" for name in indicators.INDICATORS
    }


def test_public_names() -> None:
    """Everything announced is there, and every indicator is announced."""
    assert all(hasattr(indicators, name) for name in indicators.__all__)
    assert {kind.__name__ for kind in indicators.INDICATORS.values()} <= set(indicators.__all__)
