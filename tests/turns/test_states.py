"""The table of transitions and its picture."""

from __future__ import annotations

from pathlib import Path

from antiphon.turns.states import OPEN, SOUNDING, TRANSITIONS, TurnState, TurnStep, diagram

PAGE = Path(__file__).parent.parent.parent / "docs" / "turns.md"


def test_the_documented_diagram_is_that_of_the_table() -> None:
    """The picture cannot lie: it is what `diagram` draws."""
    text = PAGE.read_text(encoding="utf-8")
    drawn = text.split("```mermaid\n")[1].split("\n```")[0]
    assert drawn == diagram(), f"docs/turns.md should contain:\n{diagram()}"


def test_steps_mean_what_they_say() -> None:
    """Sound leads to where sound is heard, silence away from there, start into a turn, stop out."""
    for state, steps in TRANSITIONS.items():
        for step, target in steps.items():
            match step:
                case TurnStep.SOUND:
                    assert state not in SOUNDING
                    assert target in SOUNDING
                case TurnStep.SILENCE:
                    assert state in SOUNDING
                    assert target not in SOUNDING
                case TurnStep.START:
                    assert state not in OPEN
                    assert target in OPEN
                case TurnStep.STOP:
                    assert state in OPEN
                    assert target is TurnState.IDLE
                case TurnStep.INFER:
                    assert target is TurnState.ASKED
            if step in (TurnStep.SOUND, TurnStep.SILENCE):
                assert (state in OPEN) == (target in OPEN)


def test_no_turn_ends_in_sound() -> None:
    """There is no step from sound to the end of a turn or to an inference."""
    for state in SOUNDING:
        assert not {TurnStep.STOP, TurnStep.INFER} & set(TRANSITIONS[state])
