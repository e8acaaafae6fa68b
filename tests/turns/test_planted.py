"""The laws of turn-taking can be broken: every bug planted into the machine is found."""

from __future__ import annotations

import pytest

from antiphon.turns import machine
from antiphon.turns.machine import TurnMachine
from tests.turns.fuzz import play
from tests.turns.planted import BUGS, Bug, machine_with
from tests.turns.test_laws import MAKERS

BUDGET = 100
"""Seeds, for each combination of strategies; `test_laws` has ten times as many."""


def breaks_a_law(machine_type: type[TurnMachine], seeds: int) -> bool:
    """Whether any of the random conversations shows that something is wrong."""
    for seed in range(seeds):
        for make in MAKERS.values():
            try:
                play(seed, make, events=25, machine_type=machine_type)
            except (AssertionError, KeyError, RecursionError):
                return True
    return False


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str) -> None:
    """The conversations that the laws are held against find it."""
    assert breaks_a_law(machine_with(BUGS[name]), BUDGET)


def test_a_copy_without_a_bug_breaks_no_law() -> None:
    """The copying itself changes nothing."""
    clean = Bug(machine, "class TurnMachine:", "class TurnMachine:")
    assert not breaks_a_law(machine_with(clean), 20)
