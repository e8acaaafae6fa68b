"""What the turn machine itself promises, whatever the strategies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from antiphon.turns.completion_strategies import (
    ExternalUserTurnCompletionStopStrategy,
    LLMTurnCompletionUserTurnStopStrategy,
    deferred,
)
from antiphon.turns.facts import (
    BotStarted,
    BotStopped,
    CompletionDenied,
    CompletionJudged,
    Fact,
    InferenceTriggered,
    Interrupted,
    Muted,
    SpeechStarted,
    SpeechStopped,
    Unmuted,
)
from antiphon.turns.machine import TurnMachine
from antiphon.turns.machine_actions import CloseTurn, DecisionKind, OpenTurn
from antiphon.turns.opinions import NOTHING, EndTurn, Forget, HoldSpeech, Opinion, StartTurn
from antiphon.turns.start_strategies import (
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from antiphon.turns.states import TRANSITIONS, TurnState
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import UserTurnStartStrategy, UserTurnStopStrategy
from tests.turns.script import Line, Outcome, heard, interim, machine, play, talk


def gated() -> TurnMachine:
    """A machine in which somebody else judges completion."""
    return machine(
        stop=[
            deferred(SpeechTimeoutUserTurnStopStrategy()),
            ExternalUserTurnCompletionStopStrategy(),
        ]
    )


JUDGED: dict[str, tuple[list[Line | list[Line]], list[Outcome]]] = {
    "the inference comes first, the end when it is judged complete": (
        [talk(1, 2), heard(2.3, "hello", finalized=True), (4.0, CompletionJudged())],
        [(1.2, "start"), (2.6, "infer 'hello'"), (4.0, "stop 'hello'")],
    ),
    "several inferences in one turn: each voids the one before, and the end has it all": (
        [
            talk(1, 2),
            heard(2.3, "I want", finalized=True),
            talk(4, 5),
            heard(5.3, "a pizza", finalized=True),
            (7.0, CompletionJudged()),
        ],
        [
            (1.2, "start"),
            (2.6, "infer 'I want'"),
            (4.2, "interrupt"),
            (5.6, "infer 'a pizza'"),
            (7.0, "stop 'I want a pizza'"),
        ],
    ),
    "a verdict that comes while the caller goes on does not count": (
        [
            talk(1, 2),
            heard(2.3, "I want", finalized=True),
            talk(4, 5),
            (4.5, CompletionJudged()),
            heard(5.3, "a pizza", finalized=True),
            (7.0, CompletionJudged()),
        ],
        [
            (1.2, "start"),
            (2.6, "infer 'I want'"),
            (4.2, "interrupt"),
            (5.6, "infer 'a pizza'"),
            (7.0, "stop 'I want a pizza'"),
        ],
    ),
    "more words without sound are asked about, too": (
        [
            talk(1, 2),
            heard(2.3, "I want", finalized=True),
            heard(4.0, "a pizza"),
            (5.0, CompletionJudged()),
        ],
        [
            (1.2, "start"),
            (2.6, "infer 'I want'"),
            (4.0, "interrupt"),
            (4.0, "infer 'a pizza'"),
            (5.0, "stop 'I want a pizza'"),
        ],
    ),
    "a verdict on words the model was not asked about asks it first": (
        [talk(1, 2), heard(2.1, "hello"), (2.4, CompletionJudged())],
        [(1.2, "start"), (2.4, "infer 'hello'"), (2.4, "stop 'hello'")],
    ),
    "a verdict that never comes: the watchdog, after the time a model may take": (
        [talk(1, 2), heard(2.3, "hello", finalized=True)],
        [(1.2, "start"), (2.6, "infer 'hello'"), (17.6, "timeout"), (17.6, "stop 'hello'")],
    ),
    "a verdict of incomplete keeps the turn open longer": (
        [
            talk(1, 2),
            heard(2.3, "hello", finalized=True),
            (3.0, CompletionDenied("○")),
            (16.0, CompletionJudged()),
        ],
        [(1.2, "start"), (2.6, "infer 'hello'"), (16.0, "stop 'hello'")],
    ),
}


@pytest.mark.parametrize("case", JUDGED)
def test_two_steps(case: str) -> None:
    """Inference and end are two decisions; the end carries everything that was said."""
    lines, expected = JUDGED[case]
    assert play(gated(), *lines) == expected


def test_the_model_is_told_of_the_protocol_when_it_judges() -> None:
    """The gate turns the markers on in every LLM service, at the start."""
    strategy = LLMTurnCompletionUserTurnStopStrategy()
    assert [kind.__name__ for kind in strategy.frame_types] == ["StartFrame"]


def test_incomplete_long_holds_the_turn_longer_than_short() -> None:
    """The time depends on the marker."""
    strategy = LLMTurnCompletionUserTurnStopStrategy()
    assert (strategy.hold_after("○"), strategy.hold_after("◐")) == (15.0, 20.0)


def test_a_verdict_is_not_waited_for_while_the_caller_goes_on() -> None:
    """What the model is about to say is void then: the watchdog need not hold back for it."""
    strategy = ExternalUserTurnCompletionStopStrategy()
    strategy.receive(InferenceTriggered(), 1.0)
    assert strategy.deadline == 11.0
    strategy.receive(SpeechStarted(at=2.0), 2.2)
    assert strategy.deadline is None


NOISE: dict[str, tuple[list[Line | list[Line]], list[Outcome]]] = {
    "an answer that noise cut off before it was heard is asked for again": (
        [talk(1, 2), heard(2.3, "hello", finalized=True), talk(4, 4.3)],
        [
            (1.2, "start"),
            (2.6, "infer 'hello'"),
            (2.6, "stop 'hello'"),
            (4.2, "start"),
            (6.0, "infer ''"),
            (6.0, "stop ''"),
        ],
    ),
    "sooner, if the transcriber says that there were no words": (
        [
            talk(1, 2),
            heard(2.3, "hello", finalized=True),
            talk(4, 4.3),
            heard(4.7, "", finalized=True),
        ],
        [
            (1.2, "start"),
            (2.6, "infer 'hello'"),
            (2.6, "stop 'hello'"),
            (4.2, "start"),
            (4.9, "infer ''"),
            (4.9, "stop ''"),
        ],
    ),
    "but not if words came": (
        [
            talk(1, 2),
            heard(2.3, "hello", finalized=True),
            talk(4, 5),
            heard(5.3, "again", finalized=True),
        ],
        [
            (1.2, "start"),
            (2.6, "infer 'hello'"),
            (2.6, "stop 'hello'"),
            (4.2, "start"),
            (5.6, "infer 'again'"),
            (5.6, "stop 'again'"),
        ],
    ),
    "nor if the answer was heard": (
        [
            talk(1, 2),
            heard(2.3, "hello", finalized=True),
            (3.5, BotStarted()),
            talk(4, 4.3),
            (4.3, BotStopped()),
        ],
        [
            (1.2, "start"),
            (2.6, "infer 'hello'"),
            (2.6, "stop 'hello'"),
            (4.2, "start"),
            (9.5, "timeout"),
            (9.5, "stop '' not understood"),
        ],
    ),
    "nor if the program interrupted it": (
        [
            talk(1, 2),
            heard(2.3, "hello", finalized=True),
            (3.5, Interrupted()),
            talk(4, 4.3),
        ],
        [
            (1.2, "start"),
            (2.6, "infer 'hello'"),
            (2.6, "stop 'hello'"),
            (4.2, "start"),
            (9.5, "timeout"),
            (9.5, "stop '' not understood"),
        ],
    ),
}


@pytest.mark.parametrize("case", NOISE)
def test_noise_does_not_lose_an_answer(case: str) -> None:
    """Without holding, a cough between question and answer costs a moment, not the answer."""
    lines, expected = NOISE[case]
    at_once = [VADUserTurnStartStrategy(recover=False), TranscriptionUserTurnStartStrategy()]
    assert play(machine(at_once), *lines) == expected


def test_a_caller_who_never_stops_is_answered_in_the_end() -> None:
    """Sound without a pause for a minute is taken to have stopped."""
    out = play(machine(), (1.2, SpeechStarted(at=1.0)), heard(50, "and so on"))
    assert out[0] == (1.2, "start")
    assert out[1:] == [(62.2, "infer 'and so on'"), (62.2, "stop 'and so on'")]


def test_the_end_of_sound_that_was_given_up_is_no_surprise() -> None:
    """The detector's own end, when it comes at last, changes nothing."""
    turns = machine()
    play(turns, (1.2, SpeechStarted(at=1.0)), heard(50, "hello"), until=70)
    assert turns.receive(SpeechStopped(at=80.0), 80.2) == []
    assert turns.state is TurnState.IDLE


def test_muting_ends_what_the_caller_was_saying() -> None:
    """A turn that a mute catches in mid-speech ends; what comes while muted is not heard."""
    out = play(
        machine(),
        (1.2, SpeechStarted(at=1.0)),
        heard(1.5, "hello"),
        (2.0, Muted()),
        heard(2.2, "secret"),
        (8.0, Unmuted()),
        heard(9.0, "again"),
    )
    assert out[:3] == [(1.2, "start"), (3.0, "infer 'hello'"), (3.0, "stop 'hello'")]
    assert "secret" not in str(out)
    assert out[-1][1] == "stop 'again'"


SAID_MUTED: dict[str, tuple[list[Line | list[Line]], list[str]]] = {
    "words that come right after a mute were said during it": ([heard(8.4, "mhm")], []),
    "interim ones, too": ([interim(8.4, "mhm")], []),
    "not those that come later than a transcript takes": ([heard(9.2, "hello")], ["stop 'hello'"]),
    "nor those of speech that is heard": (
        [(8.3, SpeechStarted(at=8.1)), heard(8.6, "so"), (9.2, SpeechStopped(at=9.0))],
        ["stop 'so'"],
    ),
}


@pytest.mark.parametrize("case", SAID_MUTED)
def test_what_was_said_while_muted_is_not_heard_afterwards(case: str) -> None:
    """A transcriber in front of the mute goes on; its words come late."""
    lines, expected = SAID_MUTED[case]
    turns = machine()
    play(turns, talk(1, 2), heard(2.3, "hello", finalized=True), (4, Muted()), until=5)
    out = play(turns, (8, Unmuted()), *lines)
    assert [what for _, what in out if what.startswith("stop")] == expected


def test_words_of_a_turn_that_a_mute_interrupted_are_heard() -> None:
    """The turn is open and waits for them."""
    turns = machine()
    play(turns, talk(1, 2), (2.3, Muted()), until=2.4)
    out = play(turns, (2.5, Unmuted()), heard(2.8, "hello", finalized=True))
    assert out[-1][1] == "stop 'hello'"


def test_without_a_detector_nobody_can_tell_when_words_were_said() -> None:
    """Transcripts alone are believed."""
    out = play(machine(), (1, Muted()), (2, Unmuted()), heard(2.3, "hello"))
    assert out[-1][1] == "stop 'hello'"


def test_a_session_that_ends_closes_an_open_turn() -> None:
    """What was said and never asked about is its tail; the model is not asked any more."""
    turns = machine()
    play(turns, talk(1, 2), interim(2.3, "good bye"), until=2.4)
    (action,) = turns.close(2.5)
    assert isinstance(action, CloseTurn)
    assert (action.content, action.tail, action.strategy) == ("good bye", "good bye", None)
    assert turns.close(2.6) == []


def test_strategies_can_be_swapped_within_a_turn() -> None:
    """New strategies are told how things stand: no turn is lost, none begins twice."""
    turns = machine()
    out = play(turns, talk(1, 2), heard(2.2, "hello"), until=2.3)
    assert out == [(1.2, "start")]
    slower = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=2.0)
    fresh = UserTurnStrategies(start=[VADUserTurnStartStrategy()], stop=[slower])
    assert turns.update_strategies(fresh, 2.3) == []
    assert play(turns) == [(4.0, "infer 'hello'"), (4.0, "stop 'hello'")]


def test_strategies_can_be_swapped_while_the_caller_speaks() -> None:
    """The new ones go on with the speech that is under way."""
    turns = machine(TranscriptionUserTurnStartStrategy())
    assert turns.receive(SpeechStarted(at=1.0), 1.2) == []
    (action,) = turns.update_strategies(UserTurnStrategies(), 1.5)
    assert isinstance(action, OpenTurn)
    out = play(turns, (2.2, SpeechStopped(at=2.0)), heard(2.3, "hi", finalized=True))
    assert out[-1] == (2.6, "stop 'hi'")


def test_a_swap_lets_the_agent_go_on() -> None:
    """Speech that a strategy held is released when that strategy goes."""
    turns = machine([Holder()])
    play(turns, (0, BotStarted()), talk(1, 2), until=2.3)
    assert [type(a).__name__ for a in turns.update_strategies(UserTurnStrategies(), 2.4)] == [
        "ReleasePlayout"
    ]


class Holder(UserTurnStartStrategy):
    """Holds the agent and never lets go."""

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        """Holds on sound."""
        return (HoldSpeech("just so"),) if isinstance(event, SpeechStarted) else NOTHING


def test_nobody_holds_the_agent_for_ever() -> None:
    """Held speech goes on after `hold_limit`, whatever the strategy does."""
    out = play(machine([Holder()]), (0, BotStarted()), talk(1, 2))
    assert out == [(1.2, "hold"), (4.2, "release")]


def test_the_agent_is_not_held_while_silent() -> None:
    """There is nothing to hold."""
    assert play(machine([Holder()]), talk(1, 2)) == []


class Hasty(UserTurnStopStrategy):
    """Ends turns whenever it hears anything, and never moves its deadline."""

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        """Sets a deadline that it forgets."""
        self.deadline = now
        return (EndTurn("now!"),)

    def tick(self, now: float) -> Sequence[Opinion]:
        """Does not move it."""
        return (EndTurn("now!"),)


def test_no_strategy_ends_a_turn_while_the_caller_speaks() -> None:
    """Such an opinion is refused, and the refusal is on record."""
    turns = machine(VADUserTurnStartStrategy(), Hasty())
    turns.receive(SpeechStarted(at=1.0), 1.2)
    turns.tick(1.2)
    assert turns.state is TurnState.SPEAKING
    assert turns.deadline == 61.2, "a deadline that is not moved would spin"
    assert turns.log.decisions[-1].kind is DecisionKind.REFUSE
    assert play(turns, (2.2, SpeechStopped(at=2.0)))[0] == (2.2, "stop '' not understood")


class Eraser(UserTurnStartStrategy):
    """Forgets, and starts a turn afterwards."""

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        """At sound a turn, at words nothing."""
        return (StartTurn("go"), Forget("no")) if isinstance(event, SpeechStarted) else NOTHING


def test_nothing_of_an_open_turn_is_forgotten() -> None:
    """Only what was heard between turns can be thrown away."""
    turns = machine([Eraser()])
    out = play(turns, heard(0.5, "so"), talk(1, 2), heard(2.3, "hello", finalized=True))
    assert out[-1] == (2.6, "stop 'so hello'")


def test_a_late_transcript_waits_for_the_next_turn_if_nobody_starts_one() -> None:
    """With voice activity alone it is the beginning of the next turn's text."""
    turns = machine(VADUserTurnStartStrategy())
    out = play(
        turns,
        talk(1, 2),
        heard(2.3, "one", finalized=True),
        heard(4, "two"),
        talk(8, 9),
        heard(9.3, "three", finalized=True),
    )
    assert [what for _, what in out if what.startswith("stop")] == [
        "stop 'one'",
        "stop 'two three'",
    ]


def test_an_answer_that_must_not_be_interrupted_is_not_doubled() -> None:
    """Without interruptions a second inference waits: the rest of the text is the turn's tail."""
    turns = machine(
        VADUserTurnStartStrategy(enable_interruptions=False),
        [deferred(SpeechTimeoutUserTurnStopStrategy()), ExternalUserTurnCompletionStopStrategy()],
    )
    out = play(
        turns,
        talk(1, 2),
        heard(2.3, "one", finalized=True),
        (3.0, BotStarted()),
        heard(4.0, "two", finalized=True),
        (5.0, CompletionJudged()),
    )
    assert out == [
        (1.2, "start without interruption"),
        (2.6, "infer 'one'"),
        (5.0, "stop 'one two' tail 'two'"),
    ]


def test_times_of_a_turn_are_the_true_ones() -> None:
    """A turn begins and ends when the caller's voice did, not when somebody noticed."""
    turns = machine()
    for at, fact in [*talk(1, 2), heard(2.3, "hello", finalized=True)]:
        turns.receive(fact, at)
    close = next(action for action in turns.tick(2.6) if isinstance(action, CloseTurn))
    assert (close.started, close.stopped) == (1.0, 2.0)


def test_every_state_can_be_left_and_reached() -> None:
    """The table has no dead end and no orphan."""
    targets = {target for steps in TRANSITIONS.values() for target in steps.values()}
    assert targets == set(TurnState)
    assert all(TRANSITIONS[state] for state in TurnState)


def test_facts_cannot_be_changed() -> None:
    """Facts are shared by all strategies."""
    with pytest.raises((AttributeError, dataclasses.FrozenInstanceError)):
        SpeechStarted(at=1.0).at = 2.0  # type: ignore[misc]
