"""The sweeps find bugs: each one planted in the kernel shows within its budget of seeds."""

from __future__ import annotations

import itertools

import pytest

from tests.laws.plan import Flavour
from tests.laws.planted import PLANTS, Plant
from tests.laws.scenario import play

BUDGET = 300


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 300 runs, a third of each flavour, some law is seen broken."""
    plant(monkeypatch)
    runs = itertools.product(range(BUDGET // 3), Flavour)
    for number, (seed, flavour) in enumerate(runs, 1):
        found, _ = play(seed, flavour)
        if found:
            print(f"{plant.__name__}: run {number} ({flavour.name} {seed}): {found[0]}")
            return
    pytest.fail(f"{plant.__name__} was not found within {BUDGET} runs")
