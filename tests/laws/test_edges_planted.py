"""The laws of `edges` find bugs: each one planted shows within its budget of calls."""

from __future__ import annotations

import pytest

from tests.laws.edges import EdgeCall, violations
from tests.laws.edges_planted import PLANTS, Plant

BUDGET = 150


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 150 calls, half of the sweep, some law is seen broken."""
    plant(monkeypatch)
    for seed in range(BUDGET):
        if violations(EdgeCall(seed).hold()):
            return
    pytest.fail(f"{plant.__name__} was not found within {BUDGET} calls")
