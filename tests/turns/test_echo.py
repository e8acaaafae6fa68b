"""The agent's own voice, come back through the microphone."""

from __future__ import annotations

import pytest

from antiphon.turns.echo import EchoGuardUserTurnStartStrategy
from antiphon.turns.facts import BotSaid, BotStarted, BotStopped, SpeechStarted
from antiphon.turns.start_strategies import (
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from tests.turns.script import Line, heard, interim, machine, play, talk

SAID: list[Line] = [
    (0.0, BotStarted()),
    (0.0, BotSaid("The weather in Paris is cloudy today, with eighteen degrees.")),
    (10.0, BotStopped()),
]

SHORT: list[Line] = [
    (0.0, BotSaid("Alright")),
    (0.0, BotStarted()),
    (0.3, BotSaid("then.")),
    (0.7, BotStopped()),
]

CASES: dict[str, tuple[list[Line | list[Line]], list[str]]] = {
    "what the agent is saying does not interrupt it": (
        [SAID, talk(1, 3), heard(3.4, "Weather in Paris is cloudy today")],
        [],
    ),
    "nor with a word misheard": ([SAID, heard(3.4, "cloudy today with eighteen decrees")], []),
    "nor as an interim transcript": ([SAID, interim(3.4, "the weather in Paris")], []),
    "nor while too little of it was heard to tell": (
        [SAID, interim(3.0, "weather"), interim(3.2, "weather in"), heard(3.6, "weather in Paris")],
        [],
    ),
    "nor just after it has finished": (
        [SAID, heard(10.8, "cloudy today with eighteen degrees")],
        [],
    ),
    "the caller's own words do": (
        [SAID, talk(1, 3), heard(3.4, "wait what about London")],
        ["stop 'wait what about London'"],
    ),
    "also if some are the agent's": (
        [SAID, heard(3.4, "is it cloudy in London today as well")],
        ["stop 'is it cloudy in London today as well'"],
    ),
    "also if the agent said all of them, far apart": (
        [SAID, heard(3.4, "the cloudy degrees")],
        ["stop 'the cloudy degrees'"],
    ),
    "a short answer is never an echo": ([SAID, heard(3.4, "Paris")], ["stop 'Paris'"]),
    "all of a short utterance is an echo if its sound was over the agent's": (
        [SHORT, talk(0.1, 0.6), heard(1.0, "Alright then.", finalized=True)],
        [],
    ),
    "also if the sound was noticed when the agent had finished": (
        [SHORT, (0.75, SpeechStarted(at=0.3)), heard(1.2, "Alright then.", finalized=True)],
        [],
    ),
    "but not if it came after the agent": (
        [SHORT, talk(0.9, 1.4), heard(1.7, "Alright then.", finalized=True)],
        ["stop 'Alright then.'"],
    ),
    "nor a part of it": (
        [SHORT, talk(0.1, 0.6), heard(1.0, "Alright", finalized=True)],
        ["stop 'Alright'"],
    ),
    "nor what was the utterance before": (
        [
            SHORT,
            (3.0, BotSaid("Anything else?")),
            (3.0, BotStarted()),
            talk(3.1, 3.6),
            heard(4.0, "Alright then.", finalized=True),
        ],
        ["stop 'Alright then.'"],
    ),
    "long after the agent it is the caller": (
        [SAID, heard(15, "weather in Paris is cloudy")],
        ["stop 'weather in Paris is cloudy'"],
    ),
}


def strategies() -> list[
    EchoGuardUserTurnStartStrategy | VADUserTurnStartStrategy | TranscriptionUserTurnStartStrategy
]:
    """The guard in front of the usual ones."""
    return [
        EchoGuardUserTurnStartStrategy(),
        VADUserTurnStartStrategy(),
        TranscriptionUserTurnStartStrategy(),
    ]


@pytest.mark.parametrize("case", CASES)
def test_echo(case: str) -> None:
    """An echo is dropped, words of the caller are not."""
    lines, expected = CASES[case]
    out = play(machine(strategies()), *lines)
    assert [what for _, what in out if what.startswith("stop")] == expected


def test_sound_alone_does_not_interrupt_behind_the_guard() -> None:
    """While the agent speaks only words can; while it is silent sound does, as always."""
    out = play(machine(strategies()), SAID, talk(1, 3), talk(12, 13))
    assert [at for at, what in out if what == "start"] == [12.2]


def test_an_echo_is_not_part_of_the_next_turn() -> None:
    """What was dropped does not come back."""
    echo = heard(3.4, "Weather in Paris is cloudy today")
    out = play(machine(strategies()), SAID, echo, talk(12, 13), heard(13.3, "thanks a lot then"))
    assert out[-1][1] == "stop 'thanks a lot then'"
