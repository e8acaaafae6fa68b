"""The sweep of speaking finds bugs: each one planted shows within its budget of seeds."""

from __future__ import annotations

import pytest

from tests.laws.speaking.planted import PLANTS, Plant
from tests.laws.speaking.reference import violations
from tests.laws.speaking.session import Session

BUDGET = 600


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 600 conversations, a fifth of the sweep, some law is seen broken."""
    plant(monkeypatch)
    for seed in range(BUDGET):
        found = violations(Session(seed).run())
        if found:
            law, what = found[0]
            print(f"{plant.__name__}: seed {seed}: {law.name}: {what}")
            return
    pytest.fail(f"{plant.__name__} was not found within {BUDGET} conversations")
