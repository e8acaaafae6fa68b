"""When faults strike."""

from __future__ import annotations

import random

import pytest

from antiphon.simulation.faults import Striker, When


def hits(when: When, occasions: int = 12, *, step_secs: float = 1.0) -> list[int]:
    """Which of the occasions, one a second, are hit."""
    striker = Striker(when)
    return [n for n in range(occasions) if striker.strikes(n * step_secs, 0.5)]


@pytest.mark.parametrize(
    ("when", "hit"),
    [
        (When(), list(range(12))),
        (When(after=9), [9, 10, 11]),
        (When(every=4), [0, 4, 8]),
        (When(after=3, every=4), [3, 7, 11]),
        (When(times=2), [0, 1]),
        (When(after=3, every=4, times=2), [3, 7]),
        (When(chance=0.4), []),
        (When(chance=0.6, times=1), [0]),
        (When(since=4.0, until=6.5), [4, 5, 6]),
        (When(since=8.0, after=2), [10, 11]),
        (When(after=5, every=3, lasting=True), [5, 6, 7, 8, 9, 10, 11]),
    ],
)
def test_conditions_choose_the_occasions(when: When, hit: list[int]) -> None:
    """Each condition, and their combinations, hit just the occasions they name."""
    assert hits(when) == hit


def test_a_chance_is_met_about_as_often_as_it_says() -> None:
    """A probability is one; a miss does not use up the times."""
    rng = random.Random(1)
    striker = Striker(When(chance=0.25))
    met = sum(striker.strikes(0.0, rng.random()) for _ in range(4_000))
    assert 900 < met < 1_100
    few = Striker(When(chance=0.25, times=3))
    assert sum(few.strikes(0.0, rng.random()) for _ in range(1_000)) == 3


def test_an_error_that_stays_begins_with_its_first_hit() -> None:
    """`lasting` waits for the chance once, and then hits whatever the luck."""
    striker = Striker(When(chance=0.5, lasting=True))
    lucks = [0.9, 0.9, 0.1, 0.9, 0.9]
    assert [striker.strikes(0.0, luck) for luck in lucks] == [False, False, True, True, True]
