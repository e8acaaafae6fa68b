"""The examples and benchmarks keep up with the framework."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from benchmarks import kernel, output
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


WORKLOADS = sorted({row.workload for row in kernel.ROWS})


@pytest.mark.parametrize("workload", [pytest.param(w, id=" ".join(w)) for w in WORKLOADS])
def test_the_kernels_benchmark_measures(
    workload: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each workload of `make bench` runs and gives the figures that the table wants of it."""
    monkeypatch.setenv("BENCHMARK_SCALE", "0.01")
    figures = kernel.measure(Path(sys.executable), kernel.OURS, workload)
    assert {row.figure for row in kernel.ROWS if row.workload == workload} <= set(figures)


def test_the_outputs_benchmark_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its workloads run and give the figures that its table wants, and no stale chunk."""
    monkeypatch.setenv("BENCHMARK_SCALE", "0.02")
    figures = output.take([1], 1, with_peer=False)
    assert "interruption to silence, worst" in output.table(figures, [1])
    assert figures[kernel.OURS, "stale chunks of 40 interruptions"] == 0
