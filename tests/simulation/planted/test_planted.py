"""The suites find known bugs within their budgets of seeds, and nothing in the correct twins."""

from __future__ import annotations

import pytest

from tests.simulation.planted.plants import PLANTS, Plant, found, measure, table
from tests.simulation.planted.real import REAL


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_bug_is_found(plant: Plant) -> None:
    """A planted bug is found within its budget, as a breach of the rule that it breaks."""
    error = found(plant, plant.budget)
    assert error is not None
    assert error.rule in plant.rules
    assert f"seeds=[{error.seed}], only={error.case!r}" in str(error)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_twin_is_clean(plant: Plant) -> None:
    """The same part without the bug passes the same suite over the same seeds."""
    assert plant.check(False, plant.budget) > 0


WANTED = (
    "stale audio after barge-in",
    "write after close",
    "lost uninterruptible frame",
    "double LLM run",
    "orphan tool result",
    "result after cancel",
    "turn that never stops",
    "hang at end",
)


def test_the_known_bugs_are_planted() -> None:
    """The bugs that voice agents are known for are among the planted ones."""
    assert set(WANTED) <= {plant.name for plant in PLANTS}


@pytest.mark.parametrize("name", REAL)
def test_nothing_is_found_in_the_real_ones(name: str) -> None:
    """The parts that users run pass the suites that find the planted bugs."""
    assert REAL[name](1) > 0


def test_the_table_of_seeds() -> None:
    """The table names every bug and how many seeds it took (shown with -s)."""
    printed = table(measure(plant, alone=0) for plant in PLANTS)
    print(f"\n{printed}")
    assert all(plant.name in printed for plant in PLANTS)
    assert "not found" not in printed
