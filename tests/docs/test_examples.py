"""The examples and benchmarks keep up with the framework."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from benchmarks import kernel
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


def test_the_kernels_benchmark_measures(capsys: pytest.CaptureFixture[str]) -> None:
    """`make bench` prints a figure for everything it measures."""
    kernel.main(["--scale", "0.001"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 20
    assert all(float(line.split()[-1].replace(",", "")) > 0 for line in lines)
