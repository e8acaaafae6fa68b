"""When a turn begins, strategy by strategy: tables of facts, times and what comes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from antiphon.errors import ConfigurationError
from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy
from antiphon.turns.facts import BotStarted, BotStopped, ProposedStart, SpeechStarted
from antiphon.turns.machine_actions import DecisionKind
from antiphon.turns.start_strategies import (
    ExternalUserTurnStartStrategy,
    MinWordsUserTurnStartStrategy,
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
    WakePhraseUserTurnStartStrategy,
)
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import UserTurnStartStrategy
from tests.turns.script import Line, heard, interim, machine, play, talk


def starts(strategy: UserTurnStartStrategy, *lines: Line | list[Line]) -> list[float]:
    """The times at which turns start."""
    return [at for at, what in play(machine([strategy]), *lines) if what.startswith("start")]


def test_vad() -> None:
    """Voice activity starts a turn; a transcript alone does not."""
    assert starts(VADUserTurnStartStrategy(), talk(1, 2)) == [1.2]
    assert starts(VADUserTurnStartStrategy(), heard(1, "hello")) == []


def test_transcription() -> None:
    """Any transcript starts a turn, an interim one if allowed."""
    lines = [interim(1, "hel"), heard(2, "hello")]
    assert starts(TranscriptionUserTurnStartStrategy(), *lines) == [1]
    assert starts(TranscriptionUserTurnStartStrategy(use_interim=False), *lines) == [2]
    assert starts(TranscriptionUserTurnStartStrategy(), talk(1, 2), interim(3, " ")) == []


def test_one_turn_at_a_time() -> None:
    """Sound and words within a turn do not start another."""
    out = play(machine(), talk(1, 2), talk(2.3, 3), interim(3.1, "he"), heard(3.2, "hello"))
    assert [what for _, what in out].count("start") == 1


def test_a_turn_that_must_not_interrupt_says_so() -> None:
    """`enable_interruptions=False` starts the turn and lets the agent speak on."""
    start = VADUserTurnStartStrategy(enable_interruptions=False)
    assert play(machine([start]), talk(1, 2))[0] == (1.2, "start without interruption")


STARTERS: dict[str, tuple[Callable[[bool], UserTurnStartStrategy], Line]] = {
    "voice activity": (
        lambda on: VADUserTurnStartStrategy(enable_interruptions=on),
        (1, SpeechStarted(at=0.8)),
    ),
    "transcription": (
        lambda on: TranscriptionUserTurnStartStrategy(enable_interruptions=on),
        heard(1, "stop"),
    ),
    "minimum words": (
        lambda on: MinWordsUserTurnStartStrategy(2, enable_interruptions=on),
        heard(1, "stop it"),
    ),
    "wake phrase": (
        lambda on: WakePhraseUserTurnStartStrategy(["computer"], enable_interruptions=on),
        heard(1, "computer"),
    ),
    "backchannel": (
        lambda on: BackchannelUserTurnStartStrategy(enable_interruptions=on),
        heard(1, "stop it"),
    ),
    "external": (
        lambda on: ExternalUserTurnStartStrategy(enable_interruptions=on),
        (1, ProposedStart()),
    ),
}


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("name", STARTERS)
def test_every_start_strategy_can_leave_the_agent_alone(name: str, *, on: bool) -> None:
    """Over the agent's speech each interrupts, or starts its turn without interrupting."""
    make, line = STARTERS[name]
    out = play(machine([make(on)]), (0, BotStarted()), line, until=1)
    assert [what for _, what in out if what.startswith("start")] == [
        "start" if on else "start without interruption"
    ]


def test_a_turn_can_be_silent_for_others() -> None:
    """`enable_user_speaking_frames=False` announces nothing."""
    start = VADUserTurnStartStrategy(enable_user_speaking_frames=False)
    assert play(machine([start]), talk(1, 2))[0] == (1.2, "start quietly")


MIN_WORDS = {
    "one word is enough while the agent is silent": ([heard(1, "stop")], [1]),
    "too few words while it speaks are forgotten": ([(0, BotStarted()), heard(1, "okay so")], []),
    "enough words while it speaks start a turn": (
        [(0, BotStarted()), heard(1, "please stop now")],
        [1],
    ),
    "interim words count": ([(0, BotStarted()), interim(1, "please stop now")], [1]),
    "after it has stopped one word is enough again": (
        [(0, BotStarted()), (1, BotStopped()), heard(2, "stop")],
        [2],
    ),
    "words of scripts without spaces are counted": ([(0, BotStarted()), heard(1, "请停下")], [1]),
}


@pytest.mark.parametrize("case", MIN_WORDS)
def test_min_words(case: str) -> None:
    """Over the agent's speech it takes a number of words."""
    lines, expected = MIN_WORDS[case]
    assert starts(MinWordsUserTurnStartStrategy(3), *lines) == expected


def test_what_was_below_the_threshold_is_not_part_of_the_next_turn() -> None:
    """Forgotten words do not come back."""
    turns = machine([MinWordsUserTurnStartStrategy(3)])
    out = play(turns, (0, BotStarted()), heard(1, "okay"), (2, BotStopped()), heard(3, "hello"))
    assert out[-1][1] == "stop 'hello'"
    assert turns.log.decisions[0].kind is DecisionKind.FORGET


def test_what_was_forgotten_is_no_transcript_of_the_next_turn() -> None:
    """Stop strategies hear of it, too: the next turn waits for words of its own."""
    turns = machine([MinWordsUserTurnStartStrategy(3), VADUserTurnStartStrategy()])
    over: list[Line] = [(0, BotStarted()), heard(1, "okay"), (2, BotStopped())]
    out = play(turns, over, talk(3, 4), heard(6, "hello"))
    assert out[-1] == (6, "stop 'hello'")


def test_a_strategy_that_comes_later_knows_that_the_agent_speaks() -> None:
    """Swapped in over the agent's speech, it counts the words."""
    turns = machine()
    play(turns, (0, BotStarted()), until=1)
    fresh = UserTurnStrategies(start=[MinWordsUserTurnStartStrategy(3)])
    turns.update_strategies(fresh, 1)
    assert play(turns, heard(2, "okay")) == []


def test_min_words_refuses_nonsense() -> None:
    """Zero words are a mistake, said at once."""
    with pytest.raises(ConfigurationError, match="min_words is 0"):
        MinWordsUserTurnStartStrategy(0)


def woken(*lines: Line | list[Line], single: bool = False, timeout: float = 10.0) -> list[str]:
    """What comes of it with a wake phrase in front of the usual strategies."""
    wake = WakePhraseUserTurnStartStrategy(
        ["hey robot", "computer"], timeout=timeout, single_activation=single
    )
    starters = [wake, VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()]
    return [what for _, what in play(machine(starters), *lines)]


WAKE: dict[str, tuple[list[Line | list[Line]], list[str]]] = {
    "asleep nothing starts a turn": ([talk(1, 2), heard(2.3, "what time is it")], []),
    "the phrase does, in any spelling": (
        [talk(1, 2), heard(2.3, "Hey, ROBOT! What time is it?")],
        ["notify('hey robot',)", "start", "infer", "stop", "notify()"],
    ),
    "a phrase may come in two transcripts": (
        [heard(1, "hey"), heard(2, "robot")],
        ["notify('hey robot',)", "start", "infer", "stop", "notify()"],
    ),
    "a word that contains it is not the phrase": ([heard(1, "supercomputers")], []),
    "an interim transcript does not wake": ([interim(1, "computer")], []),
    "awake the others decide": (
        [heard(1, "computer"), talk(4, 5), heard(5.2, "hello")],
        ["notify('computer',)", "start", "infer", "stop", "start", "infer", "stop", "notify()"],
    ),
    "after the timeout it sleeps again": (
        [heard(1, "computer"), talk(40, 41), heard(41.2, "hello")],
        ["notify('computer',)", "start", "infer", "stop", "notify()"],
    ),
    "a long turn keeps it awake": (
        [heard(1, "computer"), talk(3, 30), heard(30.3, "hello", finalized=True)],
        ["notify('computer',)", "start", "infer", "stop", "start", "infer", "stop", "notify()"],
    ),
    "the agent's speech keeps it awake": (
        [
            heard(1, "computer"),
            (5, BotStarted()),
            (30, BotStopped()),
            talk(35, 36),
            heard(36.2, "hello"),
        ],
        ["notify('computer',)", "start", "infer", "stop", "start", "infer", "stop", "notify()"],
    ),
}


def _short(outcomes: list[str]) -> list[str]:
    short = [what if what.startswith("notify") else what.split()[0] for what in outcomes]
    return [what for what in short if what not in {"hold", "interrupt"}]


@pytest.mark.parametrize("case", WAKE)
def test_wake_phrase(case: str) -> None:
    """Nothing starts a turn until the phrase is heard."""
    lines, expected = WAKE[case]
    assert _short(woken(*lines)) == expected


def test_single_activation_sleeps_after_each_turn() -> None:
    """With it each turn needs the phrase."""
    lines: list[Line | list[Line]] = [
        heard(1, "computer hello"),
        talk(5, 6),
        heard(6.2, "hello"),
        heard(9, "computer"),
    ]
    once = ["notify('computer',)", "start", "infer", "stop"]
    assert _short(woken(*lines, single=True)) == once * 2


def test_what_was_said_asleep_is_not_part_of_the_turn() -> None:
    """Only what comes with the phrase is."""
    out = woken(heard(1, "we should have lunch"), heard(2, "computer what time is it"))
    assert "stop 'computer what time is it'" in out


def test_a_wake_phrase_needs_letters() -> None:
    """A phrase that nothing can match is a mistake, said at once."""
    with pytest.raises(ConfigurationError, match="phrases"):
        WakePhraseUserTurnStartStrategy(["..."])


def test_swallowing_is_only_for_start_strategies() -> None:
    """Stop strategies see what a start strategy swallowed: a turn that is open can end."""
    wake = WakePhraseUserTurnStartStrategy(["computer"], timeout=1.0)
    out = play(
        machine([wake]), heard(1, "computer"), talk(1.1, 9), heard(9.3, "go", finalized=True)
    )
    assert "stop 'computer go'" in [what for _, what in out]


def test_every_start_has_a_reason() -> None:
    """The log names the strategy, the fact and the reason."""
    turns = machine()
    turns.receive(SpeechStarted(at=1.0), 1.2)
    decision = turns.log.decisions[-1]
    assert decision.strategy == "VADUserTurnStartStrategy"
    assert decision.reason == "voice activity"
    assert decision.fact == "SpeechStarted(at=1.000)"
    assert decision.at == 1.2
    assert turns.log.news() == [decision]
    assert turns.log.news() == []


def test_min_words_count_over_one_stretch_of_speech() -> None:
    """Finals of one stretch add up; those of another do not, and are forgotten."""
    over: list[Line] = [(0, BotStarted())]
    pieces: list[Line] = [heard(1.5, "please stop"), heard(1.8, "now")]
    assert starts(MinWordsUserTurnStartStrategy(3), over, talk(1, 2), *pieces) == [1.8]
    apart: list[Line | list[Line]] = [
        talk(1, 2),
        heard(2.3, "please stop"),
        talk(4, 5),
        heard(5.3, "now"),
    ]
    assert starts(MinWordsUserTurnStartStrategy(3), over, *apart) == []
