"""When a turn ends, strategy by strategy: tables of facts, times and what comes of them."""

from __future__ import annotations

import pytest

from antiphon.turns.endpointing import DynamicEndpointingUserTurnStopStrategy
from antiphon.turns.facts import (
    AnnouncedStart,
    AnnouncedStop,
    BotStarted,
    BotStopped,
    ProposedStart,
    ProposedStop,
    TranscriberLatency,
    TranscriptReceived,
    TurnModelVerdict,
)
from antiphon.turns.start_strategies import (
    ExternalUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import (
    ExternalUserTurnStopStrategy,
    SpeechTimeoutUserTurnStopStrategy,
    TranscriptionUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from tests.turns.script import Line, Outcome, heard, interim, machine, play, talk

STARTED: Outcome = (1.2, "start")

SPEECH_TIMEOUT: dict[str, tuple[list[Line | list[Line]], list[Outcome]]] = {
    "a finalized transcript ends the turn 0.6 s after the true end of speech": (
        [talk(1, 2), heard(2.4, "hello", finalized=True)],
        [STARTED, (2.6, "infer 'hello'"), (2.6, "stop 'hello'")],
    ),
    "a transcript that is final but not finalized waits for the transcriber's latency": (
        [talk(1, 2), heard(2.4, "hello")],
        [STARTED, (3.0, "infer 'hello'"), (3.0, "stop 'hello'")],
    ),
    "a transcript finalized before the end of speech says nothing about what came after": (
        [talk(1, 2), heard(1.5, "hello", finalized=True)],
        [STARTED, (3.0, "infer 'hello'"), (3.0, "stop 'hello'")],
    ),
    "a transcriber quicker than the VAD is believed": (
        [talk(1, 2), heard(2.1, "hello", finalized=True)],
        [STARTED, (2.6, "infer 'hello'"), (2.6, "stop 'hello'")],
    ),
    "a transcript in several pieces is one segment": (
        [talk(1, 2), heard(2.3, "hello"), heard(2.7, "there")],
        [STARTED, (3.0, "infer 'hello there'"), (3.0, "stop 'hello there'")],
    ),
    "a late transcript ends the turn on arrival": (
        [talk(1, 2), heard(4.5, "hello")],
        [STARTED, (4.5, "infer 'hello'"), (4.5, "stop 'hello'")],
    ),
    "without a transcript the watchdog ends the turn: nothing understood": (
        [talk(1, 2)],
        [STARTED, (7.2, "timeout"), (7.2, "stop '' not understood")],
    ),
    "an interim transcript whose final one never comes is better than nothing": (
        [talk(1, 2), interim(1.8, "hello")],
        [STARTED, (7.2, "timeout"), (7.2, "infer 'hello'"), (7.2, "stop 'hello'")],
    ),
    "an empty finalized transcript ends the turn at once: there were no words": (
        [talk(1, 2), heard(2.4, "", finalized=True)],
        [STARTED, (2.6, "stop '' not understood")],
    ),
    "a pause shorter than the timeout does not end the turn": (
        [talk(1, 2), talk(2.3, 3), heard(3.3, "hello there", finalized=True)],
        [STARTED, (3.6, "infer 'hello there'"), (3.6, "stop 'hello there'")],
    ),
    "speech that goes on discards every wait": (
        [talk(1, 2), heard(2.3, "hello"), talk(2.4, 5), heard(5.3, "there", finalized=True)],
        [STARTED, (5.6, "infer 'hello there'"), (5.6, "stop 'hello there'")],
    ),
    "without voice activity the wait is counted from the last transcript": (
        [interim(1, "hel"), heard(1.5, "hello")],
        [(1, "start"), (2.1, "infer 'hello'"), (2.1, "stop 'hello'")],
    ),
    "blank transcripts are nothing": ([heard(1, "  "), heard(2, "")], []),
    "a transcript after the turn begins another one": (
        [talk(1, 2), heard(2.4, "hello", finalized=True), heard(3.0, "there")],
        [
            STARTED,
            (2.6, "infer 'hello'"),
            (2.6, "stop 'hello'"),
            (3.0, "start"),
            (3.6, "infer 'there'"),
            (3.6, "stop 'there'"),
        ],
    ),
}


@pytest.mark.parametrize("case", SPEECH_TIMEOUT)
def test_speech_timeout(case: str) -> None:
    """The turn is over when the caller has been silent long enough and the transcript is in."""
    lines, expected = SPEECH_TIMEOUT[case]
    assert play(machine(stop=SpeechTimeoutUserTurnStopStrategy()), *lines) == expected


def test_the_former_name_of_speech_timeout() -> None:
    """Programs that know it by its former name find it."""
    assert TranscriptionUserTurnStopStrategy is SpeechTimeoutUserTurnStopStrategy


def test_the_transcriber_tells_how_long_it_takes() -> None:
    """A quick transcriber shortens the wait for transcripts that are not finalized."""
    turns = machine(stop=SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.3))
    out = play(turns, (0.0, TranscriberLatency(0.5)), talk(1, 2), heard(2.3, "hello"))
    assert out[1] == (2.5, "infer 'hello'")


def test_a_turn_may_end_without_a_transcript_if_told_so() -> None:
    """Speech-to-speech: silence alone ends a turn, with nothing in it, once."""
    turns = machine(stop=SpeechTimeoutUserTurnStopStrategy(wait_for_transcript=False))
    assert play(turns, talk(1, 2)) == [STARTED, (2.6, "infer ''"), (2.6, "stop ''")]


def test_the_stop_timeout_is_a_parameter() -> None:
    """A shorter watchdog ends a turn without words earlier."""
    assert play(machine(stop_timeout=2.0), talk(1, 2))[-1] == (4.2, "stop '' not understood")


def verdict(at: float, probability: float) -> Line:
    """A turn model's answer."""
    return (at, TurnModelVerdict(complete=probability > 0.5, probability=probability))


TURN_ANALYZER: dict[str, tuple[list[Line | list[Line]], list[Outcome]]] = {
    "it is asked at the end of speech and believed when it says yes": (
        [talk(1, 2), verdict(2.25, 0.9), heard(2.4, "hello", finalized=True)],
        [STARTED, (2.2, "judge"), (2.4, "infer 'hello'"), (2.4, "stop 'hello'")],
    ),
    "when it says no, silence decides": (
        [talk(1, 2), verdict(2.25, 0.1), heard(2.4, "hello", finalized=True)],
        [STARTED, (2.2, "judge"), (5.0, "infer 'hello'"), (5.0, "stop 'hello'")],
    ),
    "when it says nothing, silence decides": (
        [talk(1, 2), heard(2.4, "hello", finalized=True)],
        [STARTED, (2.2, "judge"), (5.0, "infer 'hello'"), (5.0, "stop 'hello'")],
    ),
    "a yes does not end the turn before the transcript is in": (
        [talk(1, 2), verdict(2.25, 0.9), heard(2.4, "hello")],
        [STARTED, (2.2, "judge"), (3.0, "infer 'hello'"), (3.0, "stop 'hello'")],
    ),
    "each stretch of speech is judged anew": (
        [
            talk(1, 2),
            verdict(2.25, 0.1),
            talk(3, 4),
            verdict(4.25, 0.9),
            heard(4.3, "hello", finalized=True),
        ],
        [
            STARTED,
            (2.2, "judge"),
            (4.2, "judge"),
            (4.32, "infer 'hello'"),
            (4.32, "stop 'hello'"),
        ],
    ),
    "a verdict that comes while the caller goes on is void": (
        [talk(1, 2), talk(2.1, 3), verdict(2.35, 0.9), heard(2.5, "hello", finalized=True)],
        [STARTED, (2.2, "judge"), (3.2, "judge"), (6.0, "infer 'hello'"), (6.0, "stop 'hello'")],
    ),
    "without voice activity a transcript is enough": (
        [heard(1, "hello")],
        [(1, "start"), (1.2, "infer 'hello'"), (1.2, "stop 'hello'")],
    ),
    "no words end a turn early": (
        [talk(1, 2), verdict(2.25, 0.9), heard(2.4, "", finalized=True)],
        [STARTED, (2.2, "judge"), (2.4, "stop '' not understood")],
    ),
}


@pytest.mark.parametrize("case", TURN_ANALYZER)
def test_turn_analyzer(case: str) -> None:
    """The model is a hint; the transcript must be in, and silence always stands behind it."""
    lines, expected = TURN_ANALYZER[case]
    assert play(machine(stop=TurnAnalyzerUserTurnStopStrategy()), *lines) == expected


@pytest.mark.parametrize(
    ("probability", "ended_at"), [(1.0, 2.3), (0.95, 2.3), (0.75, 2.5), (0.51, 2.788), (0.49, 5.0)]
)
def test_a_model_that_is_not_sure_is_given_more_silence(
    probability: float, ended_at: float
) -> None:
    """From 0.2 s of silence when it is sure to 0.8 s when it barely says yes."""
    turns = machine(stop=TurnAnalyzerUserTurnStopStrategy())
    said = heard(2.3, "hello", finalized=True)
    out = play(turns, talk(1, 2), verdict(2.25, probability), said)
    assert out[-1] == (ended_at, "stop 'hello'")


def analyzed(stop: TurnAnalyzerUserTurnStopStrategy, *, went_on: bool) -> list[float]:
    """When turns end, after the true end of speech, while a model always says yes: first four turns
    whose caller goes on after a second or not, then one without a pause.
    """
    turns, out = machine(VADUserTurnStartStrategy(), stop), list[Outcome]()
    for at in (10.0, 20.0, 30.0, 40.0, 50.0):
        lines = [*talk(at, at + 1), verdict(at + 1.25, 0.99)]
        lines += [heard(at + 1.22, "hello", finalized=True)]
        if went_on and at < 50:
            lines += [*talk(at + 2, at + 3), verdict(at + 3.25, 0.99)]
            lines += [heard(at + 3.22, "there", finalized=True)]
        reply: list[Line] = [(at + 6, BotStarted()), (at + 7, BotStopped())]
        out += play(turns, lines, reply, until=at + 9)
    ends = [(at - 1) % 10 for at, what in out if what.startswith("stop")]
    return [round(end, 2) for end in ends]


def test_a_model_is_believed_as_far_as_it_was_right() -> None:
    """After a yes that was wrong a longer silence is needed, above the caller's pause."""
    ends = analyzed(TurnAnalyzerUserTurnStopStrategy(), went_on=True)
    assert ends == [0.25, 3.32, 3.32, 3.32, 3.32, 1.32]
    believed = analyzed(TurnAnalyzerUserTurnStopStrategy(adaptive=False), went_on=True)
    assert believed == [0.25, 2.25] * 4 + [0.25]


def test_a_caller_without_pauses_is_answered_at_once() -> None:
    """The silence of a caller who never goes on stays short."""
    assert analyzed(TurnAnalyzerUserTurnStopStrategy(), went_on=False) == [0.25] * 5


EXTERNAL: dict[str, tuple[list[Line | list[Line]], list[Outcome]]] = {
    "a proposal ends the turn when the transcript is there": (
        [(1, ProposedStart()), heard(1.8, "hello"), (2, ProposedStop())],
        [(1, "start"), (2, "infer 'hello'"), (2, "stop 'hello'")],
    ),
    "a transcript that follows ends it": (
        [(1, ProposedStart()), (2, ProposedStop()), heard(2.2, "hello")],
        [(1, "start"), (2.2, "infer 'hello'"), (2.2, "stop 'hello'")],
    ),
    "while an interim one says that more comes it waits, but not for long": (
        [(1, ProposedStart()), heard(1.5, "hello"), interim(1.9, "th"), (2, ProposedStop())],
        [(1, "start"), (2.5, "infer 'hello'"), (2.5, "stop 'hello'")],
    ),
    "nothing is decided while the VAD hears speech": (
        [(1, ProposedStart()), talk(1, 2.5), heard(1.9, "hello"), (2, ProposedStop())],
        [(1, "start"), (2.7, "infer 'hello'"), (2.7, "stop 'hello'")],
    ),
    "speech that goes on withdraws the proposal": (
        [
            (1, ProposedStart()),
            (2, ProposedStop()),
            talk(2.1, 3),
            heard(3.1, "hello"),
            (4, ProposedStop()),
        ],
        [(1, "start"), (4, "infer 'hello'"), (4, "stop 'hello'")],
    ),
    "a turn that others announce is adopted without announcing it again": (
        [(1, AnnouncedStart()), heard(1.5, "hello"), (2, AnnouncedStop())],
        [(1, "start quietly without interruption"), (2, "infer 'hello'"), (2, "stop 'hello'")],
    ),
    "a service that never proposes the end does not keep the turn open": (
        [(1, ProposedStart()), heard(1.5, "hello")],
        [(1, "start"), (66.0, "timeout"), (66.0, "infer 'hello'"), (66.0, "stop 'hello'")],
    ),
}


@pytest.mark.parametrize("case", EXTERNAL)
def test_external(case: str) -> None:
    """The service decides, within bounds."""
    lines, expected = EXTERNAL[case]
    turns = machine(ExternalUserTurnStartStrategy(), ExternalUserTurnStopStrategy())
    assert play(turns, *lines) == expected


def test_proposals_are_ignored_where_nobody_resolves_them() -> None:
    """With strategies of our own a service's opinion changes nothing."""
    assert play(machine(), (1, ProposedStart()), (2, ProposedStop())) == []
    assert not machine().resolves_proposals


def test_dynamic_endpointing_learns_the_callers_pauses() -> None:
    """Pauses close to the wait lengthen it; turns that end well shorten it; both within bounds."""
    stop = DynamicEndpointingUserTurnStopStrategy(shortest=0.4, longest=1.5)
    turns, at = machine(VADUserTurnStartStrategy(), stop), 0.0
    for _ in range(12):  # a slow caller: half a second in the middle of each sentence
        at += 10
        pauses = [*talk(at, at + 1), *talk(at + 1.5, at + 2.5)]
        reply: list[Line] = [(at + 5, BotStarted()), (at + 6, BotStopped())]
        play(turns, pauses, heard(at + 2.8, "hello", finalized=True), reply, until=at + 9)
    slow = stop.patience()
    assert 0.7 <= slow <= 0.8
    for _ in range(25):  # a quick caller
        at += 10
        reply = [(at + 3, BotStarted()), (at + 4, BotStopped())]
        play(turns, talk(at, at + 1), heard(at + 1.3, "hi", finalized=True), reply, until=at + 9)
    assert stop.patience() < slow


def test_dynamic_endpointing_learns_at_once_from_a_turn_it_cut_off() -> None:
    """A turn ended in the middle of a sentence lifts the wait above that pause."""
    stop = DynamicEndpointingUserTurnStopStrategy()
    play(
        machine(VADUserTurnStartStrategy(), stop),
        talk(1, 2),
        heard(2.3, "I would like", finalized=True),
        talk(2.9, 4),
        (4.3, TranscriptReceived(text="a pizza", finalized=True)),
    )
    assert stop.patience() >= 1.1
