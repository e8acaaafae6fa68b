"""A sound over the agent: an interruption or nothing?"""

from __future__ import annotations

import pytest

from antiphon.errors import ConfigurationError
from antiphon.turns.facts import BotStarted
from antiphon.turns.start_strategies import (
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from tests.turns.script import Line, Outcome, heard, interim, machine, play, talk

ASKED: list[Line | list[Line]] = [talk(1, 2), heard(2.3, "hello", finalized=True)]
DOUBT: dict[str, tuple[list[Line | list[Line]], list[Outcome]]] = {
    "before the first sound": (
        [talk(4, 4.3)],
        [(4.2, "hold"), (4.2, "start in doubt"), (5.5, "release"), (5.5, "stop '' not understood")],
    ),
    "begun before it, noticed after it": (
        [(4.1, BotStarted()), talk(4, 4.3)],
        [(4.2, "hold"), (4.2, "start in doubt"), (5.5, "release"), (5.5, "stop '' not understood")],
    ),
    "the transcriber says that there were no words": (
        [(3.5, BotStarted()), talk(4, 4.3), heard(4.7, "", finalized=True)],
        [(4.2, "hold"), (4.2, "start in doubt"), (4.9, "release"), (4.9, "stop '' not understood")],
    ),
    "words confirm it": (
        [(3.5, BotStarted()), talk(4, 5), interim(4.5, "wait"), heard(5.3, "wait", finalized=True)],
        [
            (4.2, "hold"),
            (4.2, "start in doubt"),
            (4.5, "interrupt"),
            (5.6, "infer 'wait'"),
            (5.6, "stop 'wait'"),
        ],
    ),
    "so does sound that does not stop": (
        [(3.5, BotStarted()), talk(4, 8), heard(8.3, "wait", finalized=True)],
        [
            (4.2, "hold"),
            (4.2, "start in doubt"),
            (7.2, "interrupt"),
            (8.6, "infer 'wait'"),
            (8.6, "stop 'wait'"),
        ],
    ),
    "if that was nothing the model is asked again": (
        [(3.5, BotStarted()), talk(4, 8)],
        [
            (4.2, "hold"),
            (4.2, "start in doubt"),
            (7.2, "interrupt"),
            (9.7, "infer ''"),
            (9.7, "stop ''"),
        ],
    ),
}


@pytest.mark.parametrize("case", DOUBT)
def test_a_sound_over_the_agent_holds_it_until_it_is_clear_what_it_was(case: str) -> None:
    """Words or long sound interrupt; without words the agent goes on where it was held."""
    lines, expected = DOUBT[case]
    starts = [VADUserTurnStartStrategy(recover=True), TranscriptionUserTurnStartStrategy()]
    assert play(machine(starts), *ASKED, *lines)[3:] == expected


def test_nonsense_is_refused() -> None:
    """Holding for no time is said with `recover=False`."""
    with pytest.raises(ConfigurationError, match="recover=False"):
        VADUserTurnStartStrategy(hold_secs=0)
