"""The examples keep up with the framework."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

EXAMPLES = [
    pytest.param(path, id=str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "examples").rglob("*.py"))
]


@pytest.mark.skipif(not EXAMPLES, reason="there are no examples")
@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_imports(path: Path) -> None:
    """An example is defined without an error: every name that it imports is there."""
    runpy.run_path(str(path), run_name="example")
