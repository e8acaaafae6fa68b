"""Which transcript answers which stretch of speech: tables of facts and what comes of them."""

from __future__ import annotations

import pytest

from antiphon.turns.completion_strategies import deferred
from antiphon.turns.facts import (
    Muted,
    SpeechStarted,
    SpeechStopped,
    TranscriberLatency,
    TranscriptReceived,
    TurnModelVerdict,
)
from antiphon.turns.stop_strategies import (
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.transcript_wait import TranscriptWait
from tests.turns.script import Line, Outcome, heard, interim, machine, play, talk

ANSWERS: Line = (0.0, TranscriberLatency(0.5, answers=True))
MAY_ANSWER: Line = (0.0, TranscriberLatency(0.5))
STARTED: Outcome = (1.2, "start")


def ends(at: float, text: str) -> list[Outcome]:
    """The model is asked and the turn is over."""
    return [(at, f"infer {text!r}"), (at, f"stop {text!r}")]


CASES: dict[str, tuple[list[Line | list[Line]], list[Outcome]]] = {
    "a late answer to the first stretch does not stand for the second": (
        [ANSWERS, talk(1, 2), talk(2.3, 2.6), heard(2.9, "I", finalized=True),
         heard(3.8, "would", finalized=True)],
        [STARTED, *ends(3.8, "I would")],
    ),
    "nor where the transcriber need not answer": (
        [(0.0, TranscriberLatency(1.4)), talk(1, 2), talk(2.3, 2.6),
         heard(2.9, "I", finalized=True), heard(3.8, "would", finalized=True)],
        [STARTED, *ends(3.8, "I would")],
    ),
    "an answer to the first between the true end of the second and its announcement": (
        [ANSWERS, talk(1, 2), talk(2.3, 2.8), heard(2.9, "I", finalized=True),
         heard(3.8, "would", finalized=True)],
        [STARTED, *ends(3.8, "I would")],
    ),
    "an answer that will come is waited for beyond the usual latency": (
        [ANSWERS, talk(1, 2), heard(2.3, "I", finalized=True), talk(2.3, 3),
         heard(6.5, "would", finalized=True)],
        [STARTED, *ends(6.5, "I would")],
    ),
    "one that may come is waited for as long as it usually takes": (
        [MAY_ANSWER, talk(1, 2), heard(2.3, "I", finalized=True), talk(2.3, 3)],
        [STARTED, *ends(3.6, "I")],
    ),
    "one that usually takes longer than the silence, from the end of the last stretch": (
        [(0.0, TranscriberLatency(2.0)), talk(1, 2), heard(2.3, "I", finalized=True), talk(2.3, 3)],
        [STARTED, *ends(5.0, "I")],
    ),
    "an answer that is lost is the watchdog's business": (
        [ANSWERS, talk(1, 2), heard(2.3, "I", finalized=True), talk(2.3, 3)],
        [STARTED, (8.2, "timeout"), *ends(8.2, "I")],
    ),
    "a cough after the words is answered with no words": (
        [ANSWERS, talk(1, 2), heard(2.3, "hello", finalized=True), talk(2.3, 2.7),
         heard(3.4, "", finalized=True)],
        [STARTED, *ends(3.4, "hello")],
    ),
    "a cough that nobody answers costs the usual latency": (
        [(0.0, TranscriberLatency(1.0)), talk(1, 2), heard(2.3, "hello", finalized=True),
         talk(2.3, 2.7)],
        [STARTED, *ends(3.7, "hello")],
    ),
    "pieces that are final but not finalized answer nothing": (
        [ANSWERS, talk(1, 2), heard(2.3, "I"), heard(2.5, "would"), heard(4, "", finalized=True)],
        [STARTED, *ends(4.0, "I would")],
    ),
    "a transcriber quicker than the voice activity detection is believed": (
        [ANSWERS, talk(1, 2), heard(2.1, "hello", finalized=True)],
        [STARTED, *ends(2.6, "hello")],
    ),
    "what it finalized before the true end is not": (
        [ANSWERS, talk(1, 2), heard(1.9, "hello", finalized=True), heard(4, "you", finalized=True)],
        [STARTED, *ends(4.0, "hello you")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_stretch_has_its_own_answer(case: str) -> None:
    """A turn ends when its last stretch of speech is transcribed, not when an earlier one is."""
    lines, expected = CASES[case]
    assert play(machine(stop=SpeechTimeoutUserTurnStopStrategy()), *lines) == expected


def test_a_turn_model_that_says_complete_waits_for_the_last_stretch_as_well() -> None:
    """The transcript of an earlier stretch is not enough for a yes."""
    yes = TurnModelVerdict(complete=True, probability=0.9)
    out = play(
        machine(stop=TurnAnalyzerUserTurnStopStrategy()),
        ANSWERS,
        talk(1, 2),
        heard(2.35, "I would", finalized=True),
        talk(2.3, 3),
        (3.25, yes),
        interim(3.5, "like"),
        heard(4.8, "like a pizza", finalized=True),
    )
    assert [line for line in out if line[1] != "judge"] == [
        STARTED,
        *ends(4.8, "I would like a pizza"),
    ]


def test_the_late_answer_to_one_turn_does_not_end_the_next() -> None:
    """A turn that the watchdog ended still has an answer to come."""
    out = play(
        machine(stop=SpeechTimeoutUserTurnStopStrategy(), stop_timeout=1.0),
        ANSWERS,
        talk(1, 2),
        talk(4, 5),
        heard(5.3, "one", finalized=True),
        heard(5.9, "two", finalized=True),
    )
    assert out[-1] == (5.9, "stop 'one two'")


def test_an_answer_that_never_came_does_not_delay_turns_for_ever() -> None:
    """After a while it is taken to be lost with its stream."""
    out = play(
        machine(stop=SpeechTimeoutUserTurnStopStrategy()),
        ANSWERS,
        talk(1, 2),
        talk(20, 21),
        heard(21.3, "hello", finalized=True),
    )
    assert out[-2:] == ends(21.6, "hello")


def test_a_muted_caller_is_not_waited_for() -> None:
    """Nothing that was under way is heard any more: what is there counts, after the latency."""
    out = play(
        machine(stop=SpeechTimeoutUserTurnStopStrategy()),
        ANSWERS,
        talk(1, 2),
        heard(2.3, "I", finalized=True),
        talk(2.3, 3),
        (3.3, Muted()),
    )
    assert out == [STARTED, *ends(3.6, "I")]


def test_an_end_that_nobody_told_owes_no_answer() -> None:
    """The transcriber was not told of it: what is there counts, after the latency."""
    wait = TranscriptWait(wait_for_transcript=True)
    wait.receive(TranscriberLatency(0.5, answers=True), 0.0)
    wait.receive(SpeechStarted(at=1.0), 1.2)
    wait.receive(TranscriptReceived("and so on"), 50.0)
    wait.receive(SpeechStopped(at=61.0, transcript_due=False), 61.0)
    assert wait.ready_at() == 61.5


@pytest.mark.parametrize(("finalized", "ended_at"), [(True, 3.0), (False, 3.5)])
def test_new_strategies_know_whether_the_transcript_is_in(
    *, finalized: bool, ended_at: float
) -> None:
    """Strategies swapped in after the transcript do not wait for another one."""
    turns = machine(stop=SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=9.0))
    latency: Line = (0.0, TranscriberLatency(1.5))
    play(turns, latency, talk(1, 2), heard(2.3, "hello", finalized=finalized), until=2.5)
    fresh = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=1.0)
    turns.update_strategies(UserTurnStrategies(stop=[fresh]), 2.5)
    assert play(turns) == ends(ended_at, "hello")


def test_new_strategies_wait_for_no_transcript_that_was_used_already() -> None:
    """After an inference within the turn, the next stretch has the next answer."""
    turns = machine(stop=deferred(SpeechTimeoutUserTurnStopStrategy()))
    play(turns, ANSWERS, talk(1, 2), heard(2.3, "one", finalized=True), until=3.0)
    turns.update_strategies(UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()]), 3.0)
    out = play(turns, talk(4, 5), heard(5.3, "two", finalized=True))
    assert out[-1] == (5.6, "stop 'one two'")


@pytest.mark.parametrize("swap_at", [1.5, 2.25, 2.4])
def test_a_strategy_that_stays_is_not_told_of_another_stretch(swap_at: float) -> None:
    """The same strategy in a new container: its turn ends as it would have, and so does the next
    one.
    """
    stop = SpeechTimeoutUserTurnStopStrategy()
    turns, out = machine(stop=stop), list[Outcome]()
    lines = [ANSWERS, *talk(1, 2), heard(2.3, "one", finalized=True)]
    out += play(turns, [line for line in lines if line[0] < swap_at], until=swap_at)
    turns.update_strategies(UserTurnStrategies(stop=[stop]), swap_at)
    out += play(turns, [line for line in lines if line[0] > swap_at], until=4)
    out += play(turns, talk(5, 6), heard(6.3, "two", finalized=True))
    assert out == [STARTED, *ends(2.6, "one"), (5.2, "start"), *ends(6.6, "two")]
