"""Tests of `antiphon.transports.line_clock`."""

from __future__ import annotations

import pytest

from antiphon.transports.line_clock import GAP_SECS, LineClock


def ends(pieces: list[tuple[float, float]]) -> list[float]:
    """Where pieces (came at, secs) end."""
    clock = LineClock()
    return [round(clock.place(secs, now) + secs, 3) for now, secs in pieces]


def test_pieces_that_bunch_up_have_the_places_at_which_they_were_said() -> None:
    """A stall of a second, and what waited comes at once: nothing is dated when it was handled."""
    on_time = [(0.02 * n, 0.02) for n in range(1, 51)]
    late = [(2.0, 0.02)] * 50
    assert ends(on_time + late)[-50:] == [round(1.0 + 0.02 * n, 3) for n in range(1, 51)]


@pytest.mark.parametrize("gap", [GAP_SECS + 0.1, 20.0])
def test_after_a_silence_of_the_line_it_begins_anew(gap: float) -> None:
    """A client that sends nothing while muted is not late for ever."""
    assert ends([(0.02, 0.02), (0.02 + gap, 0.02)])[-1] == round(0.02 + gap, 3)


def test_a_line_that_stays_behind_is_moved_up() -> None:
    """Half a second of sound was lost on the way: what follows is on time after another half."""
    pieces = [(0.02 * n, 0.02) for n in range(1, 51)]
    pieces += [(1.5 + 0.02 * n, 0.02) for n in range(1, 101)]
    assert ends(pieces)[-1] == pytest.approx(3.5, abs=0.03)


def test_no_sample_is_placed_before_it_was_said() -> None:
    """A line that is faster than the clock is held back to it."""
    assert ends([(0.1 * n, 0.11) for n in range(1, 100)])[-1] == pytest.approx(9.9)
