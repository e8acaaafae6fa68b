"""The suites find known bugs within their budgets of seeds, and nothing in the correct twins."""

from __future__ import annotations

import pytest

from tests.simulation.planted.plants import PLANTS, Plant, found, measure, table


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


def test_the_table_of_seeds() -> None:
    """The table names every bug and how many seeds it took (shown with -s)."""
    printed = table(measure(plant, alone=0) for plant in PLANTS)
    print(f"\n{printed}")
    assert all(plant.name in printed for plant in PLANTS)
    assert "not found" not in printed
