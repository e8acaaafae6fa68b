"""What is a "mhm" and what an interruption: tables of facts, times and what comes of them."""

from __future__ import annotations

import pytest

from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy
from antiphon.turns.facts import BotStarted, BotStopped, TranscriptReceived
from tests.turns.script import Line, heard, interim, machine, play, talk

BOT: list[Line] = [(0, BotStarted()), (60, BotStopped())]

CASES: dict[str, tuple[list[Line | list[Line]], list[tuple[float, str]]]] = {
    "while the agent is silent any sound starts a turn": (
        [talk(1, 1.3), heard(1.6, "mhm", finalized=True)],
        [(1.2, "start"), (1.9, "infer 'mhm'"), (1.9, "stop 'mhm'")],
    ),
    "a short sound holds the agent and lets it go on": (
        [BOT, talk(1, 1.4)],
        [(1.2, "hold"), (1.6, "release")],
    ),
    "a mhm is forgotten": (
        [BOT, talk(1, 1.4), heard(1.8, "Mhm.", finalized=True)],
        [(1.2, "hold"), (1.6, "release")],
    ),
    "also when its words come after the agent has finished": (
        [(0, BotStarted()), talk(1, 1.4), (2, BotStopped()), heard(2.5, "Mhm.", finalized=True)],
        [(1.2, "hold"), (1.6, "release")],
    ),
    "several of them, too": (
        [BOT, talk(1, 1.8), heard(2.2, "Oh okay, right.", finalized=True)],
        [(1.2, "hold"), (2.0, "release")],
    ),
    "a cough without words changes nothing": (
        [BOT, talk(1, 1.2), heard(1.8, "", finalized=True)],
        [(1.2, "hold"), (1.4, "release")],
    ),
    "speech that goes on is an interruption": (
        [BOT, talk(1, 3), heard(3.4, "stop it please", finalized=True)],
        [(1.2, "hold"), (2.1, "start"), (3.6, "infer 'stop it please'"), (3.6, "stop")],
    ),
    "other words are an interruption as soon as they are heard": (
        [BOT, talk(1, 1.6), interim(1.5, "wait"), heard(2.0, "wait", finalized=True)],
        [(1.2, "hold"), (1.5, "start"), (2.2, "infer 'wait'"), (2.2, "stop")],
    ),
    "also when they come after the agent went on": (
        [BOT, talk(1, 1.5), heard(2.0, "no stop", finalized=True)],
        [(1.2, "hold"), (1.7, "release"), (2.0, "start"), (2.1, "infer 'no stop'"), (2.1, "stop")],
    ),
    "a yes just before the agent finishes is an answer": (
        [(0, BotStarted()), talk(1, 1.4), heard(1.8, "yes", finalized=True), (2.3, BotStopped())],
        [(1.2, "hold"), (1.6, "release"), (2.3, "start"), (2.3, "infer 'yes'"), (2.3, "stop")],
    ),
    "a caller who is still speaking when the agent finishes has the floor": (
        [(0, BotStarted()), (1.5, BotStopped()), talk(1, 2.5), heard(2.9, "and", finalized=True)],
        [(1.2, "hold"), (1.5, "start"), (3.1, "infer 'and'"), (3.1, "stop")],
    ),
    "too many backchannel words are a sentence": (
        [BOT, talk(1, 1.8), heard(2.2, "yes yes yes yes okay", finalized=True)],
        [(1.2, "hold"), (2.0, "release"), (2.2, "start"), (2.4, "infer"), (2.4, "stop")],
    ),
}


def _short(outcomes: list[tuple[float, str]], expected: list[tuple[float, str]]) -> list[object]:
    return [
        (at, what if "'" in wanted else what.split()[0])
        for (at, what), (_, wanted) in zip(outcomes, expected, strict=True)
    ]


@pytest.mark.parametrize("case", CASES)
def test_backchannel(case: str) -> None:
    """Length and words decide whether sound over the agent is an interruption."""
    lines, expected = CASES[case]
    out = play(machine([BackchannelUserTurnStartStrategy()]), *lines)
    assert len(out) == len(expected), out
    assert _short(out, expected) == expected


def test_the_words_are_those_of_the_callers_language() -> None:
    """The transcriber's language picks the list."""
    turns = machine([BackchannelUserTurnStartStrategy()])
    german = (1.8, TranscriptReceived(text="ja genau", finalized=True, language="de-DE"))
    english = (3.8, TranscriptReceived(text="ja genau", finalized=True, language="en"))
    out = play(turns, BOT, talk(1, 1.4), german, talk(3, 3.4), english)
    assert [at for at, what in out if what == "start"] == [3.8]


def test_a_backchannel_is_not_part_of_the_next_turn() -> None:
    """What was forgotten stays forgotten."""
    turns = machine([BackchannelUserTurnStartStrategy()])
    bot: list[Line] = [(0, BotStarted()), (10, BotStopped())]
    out = play(
        turns, bot, talk(1, 1.4), heard(1.8, "mhm"), talk(12, 13), heard(13.3, "so", finalized=True)
    )
    assert out[-1][1] == "stop 'so'"


def test_without_hold_the_agent_is_not_faded() -> None:
    """Holding is a choice."""
    turns = machine([BackchannelUserTurnStartStrategy(hold=False)])
    assert play(turns, BOT, talk(1, 1.4)) == []
