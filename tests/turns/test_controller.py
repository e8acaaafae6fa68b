"""Turn-taking in whole pipelines: audio in, turns out, in virtual time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import pytest

from antiphon.audio.vad import VADParams
from antiphon.errors import ConfigurationError, ServerError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame, MetricsFrame, TurnMetricsData
from antiphon.frames.llm import LLMRunFrame
from antiphon.frames.text import TranscriptionFrame
from antiphon.frames.turns import (
    BotSayingFrame,
    BotSpeechPauseFrame,
    BotSpeechResumeFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.services.stt import STTService
from antiphon.simulation.fakes.provider import Faults, Hang
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.vad import FakeTurnModel, FakeVADModel
from antiphon.simulation.fakes.voice import silence, speak
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.turns import defaults
from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy
from antiphon.turns.completion_strategies import (
    ExternalUserTurnCompletionStopStrategy,
    deferred,
)
from antiphon.turns.controller import UserTurnSegment, UserTurnStartedParams, UserTurnStoppedParams
from antiphon.turns.echo import EchoGuardUserTurnStartStrategy
from antiphon.turns.machine_actions import Decision
from antiphon.turns.processor import UserTurnProcessor
from antiphon.turns.start_strategies import (
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
    WakePhraseUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import (
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import TurnStrategy
from antiphon.turns.vad_driver import VADProcessor

RATE = 16_000
CHUNK = 640


class FakeVADAnalyzer(FakeVADModel):
    """A voice activity model with parameters."""

    params = VADParams(min_volume=0.0)


class Turns:
    """A pipeline that hears and takes turns, and what came of it."""

    def __init__(
        self,
        strategies: UserTurnStrategies | None = None,
        *,
        stt: FakeSTTProvider | None = None,
        vad: bool = True,
        stop_timeout: float = 5.0,
    ) -> None:
        self.turns = UserTurnProcessor(
            user_turn_strategies=strategies
            or UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()]),
            user_turn_stop_timeout=stop_timeout,
        )
        self.stt = STTService(stt or FakeSTTProvider(interim=True))
        self.events: list[tuple[float, str]] = []
        self.stopped: list[UserTurnStoppedParams] = []
        self.decisions: list[Decision] = []
        parts: list[FrameProcessor] = [self.stt]
        if vad:
            parts.append(VADProcessor(FakeVADAnalyzer()))
        self.pipeline = Pipeline([*parts, self.turns])
        self._listen()

    def _listen(self) -> None:
        turns = self.turns

        @turns.event_handler("on_user_turn_started")
        def started(
            turns: UserTurnProcessor, strategy: TurnStrategy, params: UserTurnStartedParams
        ) -> None:
            self._note("start")
            assert params.reason
            assert strategy is not None

        @turns.event_handler("on_user_turn_inference_triggered")
        def inferred(
            turns: UserTurnProcessor, strategy: TurnStrategy | None, segment: UserTurnSegment
        ) -> None:
            self._note(f"infer {segment.text!r}")

        @turns.event_handler("on_user_turn_stopped")
        def stopped(
            turns: UserTurnProcessor, strategy: TurnStrategy | None, params: UserTurnStoppedParams
        ) -> None:
            self._note(f"stop {params.content!r}")
            self.stopped.append(params)

        @turns.event_handler("on_user_turn_stop_timeout")
        def timed_out(turns: UserTurnProcessor) -> None:
            self._note("timeout")

        @turns.event_handler("on_user_turn_decision")
        def decided(turns: UserTurnProcessor, decision: Decision) -> None:
            self.decisions.append(decision)

    def _note(self, what: str) -> None:
        self.events.append((round(self.turns.clock.get_time() / 1e9, 1), what))

    def hear(self, *frames: Frame | Sequence[Frame], seed: int | None = None) -> list[Frame]:
        """Plays frames in; returns what came out on both sides."""
        flat: list[Frame] = []
        for frame in frames:
            flat += [frame] if isinstance(frame, Frame) else frame
        down, up = run(run_test(self.pipeline, frames_to_send=flat), seed=seed)
        return [*down, *up]

    @property
    def what(self) -> list[str]:
        """The events without their times."""
        return [what for _, what in self.events]


def sound(pcm: bytes) -> list[Frame]:
    """Audio as a transport delivers it: 20 ms at a time."""
    frames: list[Frame] = []
    for start in range(0, len(pcm), CHUNK):
        frames += [InputAudioRawFrame(pcm[start : start + CHUNK], RATE), SleepFrame(sleep=0.02)]
    return frames


def say(text: str) -> list[Frame]:
    """Somebody says this: 0.3 s a word."""
    return sound(speak(text, sample_rate=RATE))


def quiet(secs: float) -> list[Frame]:
    """Nobody says anything."""
    return sound(silence(secs, sample_rate=RATE))


def of(frames: Sequence[Frame], kind: type[Frame]) -> list[Frame]:
    """The frames of one type."""
    return [frame for frame in frames if isinstance(frame, kind)]


def test_a_turn_from_audio() -> None:
    """The caller speaks; the turn is announced both ways, interrupts, and ends with the words."""
    turns = Turns()
    out = turns.hear(quiet(1), say("what time is it"), quiet(2))
    assert turns.what == ["start", "infer 'what time is it'", "stop 'what time is it'"]
    started, inferred, _ = (at for at, _ in turns.events)
    assert 1.1 <= started <= 1.3
    assert 2.7 <= inferred <= 2.9, "1 s + 4 words + 0.6 s"
    assert len(of(out, UserStartedSpeakingFrame)) == 2
    assert len(of(out, UserStoppedSpeakingFrame)) == 2
    assert of(out, InterruptionFrame)
    assert of(out, UserSpeakingFrame)
    assert turns.stopped[0].started_at < turns.stopped[0].timestamp
    assert [d.kind.name for d in turns.decisions] == ["START", "INFER", "STOP"]


def test_a_pause_in_mid_sentence_is_part_of_the_turn() -> None:
    """A breath does not end a turn."""
    turns = Turns()
    turns.hear(say("I would like"), quiet(0.4), say("a pizza"), quiet(2))
    assert turns.what[-1] == "stop 'I would like a pizza'"
    assert turns.what.count("start") == 1


def test_resumed_speech_is_another_turn_that_interrupts() -> None:
    """After the end of a turn more speech begins the next."""
    turns = Turns()
    turns.hear(say("one"), quiet(1.5), say("two"), quiet(2))
    assert [w for w in turns.what if w.startswith("stop")] == ["stop 'one'", "stop 'two'"]


def test_late_transcripts_end_the_turn_when_they_come() -> None:
    """A slow transcriber delays the turn, not more."""
    turns = Turns(stt=FakeSTTProvider(latency=3.0))
    turns.hear(say("hello"), quiet(5))
    assert turns.what[-1] == "stop 'hello'"
    assert 3.4 <= turns.events[-1][0] <= 3.7


def test_a_caller_who_is_never_transcribed() -> None:
    """The watchdog ends the turn and says that nothing was understood."""
    turns = Turns(stt=FakeSTTProvider(answer_silence=False, script=["", ""]))  # asked twice
    turns.hear(say("mumble"), quiet(8))
    assert turns.what == ["start", "timeout", "stop ''"]
    assert turns.stopped[0].nothing_understood


def test_a_cough_is_over_as_soon_as_the_transcriber_has_heard_no_words() -> None:
    """An empty final transcript ends the turn early."""
    turns = Turns(stt=FakeSTTProvider(script=[""]))
    turns.hear(say("cough"), quiet(3))
    assert turns.what == ["start", "stop ''"]
    assert turns.events[-1][0] < 1.2


def test_a_caller_who_never_stops() -> None:
    """A minute of sound without a pause is answered all the same."""
    turns = Turns(stt=FakeSTTProvider(interim=True))
    turns.hear(say("and " * 250), quiet(1))
    assert turns.what[:2] == ["start", "timeout"]
    assert turns.what[3].startswith("stop 'and and")
    assert 64.0 <= turns.events[3][0] <= 66.0


def test_audio_that_stops_arriving_ends_the_speech() -> None:
    """A dead microphone does not hold the floor."""
    turns = Turns()
    out = turns.hear(say("hello"), SleepFrame(sleep=4.0))
    assert turns.what[-1] == "stop 'hello'"
    assert of(out, VADUserStoppedSpeakingFrame)


def test_without_voice_activity_transcripts_are_enough() -> None:
    """A pipeline without a VAD takes turns by transcripts."""
    turns = Turns(vad=False, stt=FakeSTTProvider(interim=True))
    turns.hear(say("hello there"), quiet(8))
    expected = ["start", "timeout", "infer 'hello there'", "stop 'hello there'"]
    assert turns.what[:4] == expected


def test_a_backchannel_holds_the_agent_and_lets_it_go_on() -> None:
    """Pause and resume are broadcast; no turn, no interruption."""
    turns = Turns(UserTurnStrategies(start=[BackchannelUserTurnStartStrategy()]))
    out = turns.hear(BotStartedSpeakingFrame(), quiet(1), say("mhm"), quiet(3))
    assert turns.what == []
    assert len(of(out, BotSpeechPauseFrame)) == 2
    assert len(of(out, BotSpeechResumeFrame)) == 2
    assert not of(out, InterruptionFrame)


def test_an_echo_of_the_agent_does_not_interrupt_it() -> None:
    """What the voice says it is about to say, heard again through the microphone, is not a turn."""
    guard = EchoGuardUserTurnStartStrategy()
    start = [guard, VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()]
    stop = [SpeechTimeoutUserTurnStopStrategy()]
    speaks = [BotStartedSpeakingFrame(), BotSayingFrame(text="The weather is cloudy today.")]
    turns = Turns(UserTurnStrategies(start=start, stop=stop))
    out = turns.hear(speaks, quiet(0.5), say("weather is cloudy today"), quiet(2))
    assert turns.what == []
    assert not of(out, InterruptionFrame)
    turns = Turns(UserTurnStrategies(start=start, stop=stop))
    turns.hear(speaks, quiet(0.5), say("please stop it now"), quiet(2))
    assert turns.what[-1] == "stop 'please stop it now'"


def test_each_time_the_caller_goes_on_the_answer_is_void() -> None:
    """The turn's own interruptions are not taken for somebody else's."""
    stop = [deferred(SpeechTimeoutUserTurnStopStrategy()), ExternalUserTurnCompletionStopStrategy()]
    turns = Turns(UserTurnStrategies(stop=stop), vad=False)
    began, ended = VADUserStartedSpeakingFrame(), VADUserStoppedSpeakingFrame()
    said = [began, SleepFrame(sleep=1.0), ended, TranscriptionFrame("I want", finalized=True)]
    more = [TranscriptionFrame("a pizza", finalized=True), SleepFrame(sleep=0.2), began]
    out = turns.hear(said, SleepFrame(sleep=1.0), more, SleepFrame(sleep=0.5))
    assert turns.what[:3] == ["start", "infer 'I want'", "infer 'a pizza'"]
    ids = {frame.id for frame in of(out, InterruptionFrame)}
    assert len(ids) == 3, "at the start, for the second inference, and when the caller goes on"


class Swapper(FrameProcessor):
    """Swaps the strategies of a processor when a run frame comes by."""

    def __init__(self, turns: UserTurnProcessor, strategies: UserTurnStrategies) -> None:
        super().__init__()
        self.turns, self.strategies = turns, strategies

    @handles(LLMRunFrame)
    async def swap(self, frame: LLMRunFrame, direction: FrameDirection) -> None:
        await self.turns.turns.update_strategies(self.strategies)


def test_strategies_are_swapped_in_a_running_session() -> None:
    """In the middle of a turn: it is not lost, and the new ones end it."""
    turns = Turns(UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()]))
    slower = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=2.0)])
    turns.pipeline = Pipeline([turns.pipeline, Swapper(turns.turns, slower)])
    turns.hear(say("hello there"), quiet(0.3), LLMRunFrame(), quiet(3))
    assert turns.what == ["start", "infer 'hello there'", "stop 'hello there'"]
    assert 2.5 <= turns.events[-1][0] <= 2.7


def test_double_talk_interrupts_with_the_usual_strategies() -> None:
    """By default sound over the agent is a turn."""
    turns = Turns()
    speaks = BotStartedSpeakingFrame()
    out = turns.hear(speaks, quiet(1), say("stop please"), BotStoppedSpeakingFrame(), quiet(2))
    assert turns.what[-1] == "stop 'stop please'"
    assert of(out, InterruptionFrame)


def test_wake_phrase_events() -> None:
    """The strategy's own events reach its handlers."""
    wake = WakePhraseUserTurnStartStrategy(["computer"], timeout=2.0)
    seen: list[str] = []
    wake.add_event_handler("on_wake_phrase_detected", lambda _, phrase: seen.append(phrase))
    wake.add_event_handler("on_wake_phrase_timeout", lambda _: seen.append("asleep"))
    start = [wake, VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()]
    turns = Turns(UserTurnStrategies(start=start, stop=[SpeechTimeoutUserTurnStopStrategy()]))
    turns.hear(say("hello"), quiet(2), say("computer hello"), quiet(6))
    assert seen == ["computer", "asleep"]
    assert turns.what == ["start", "infer 'computer hello'", "stop 'computer hello'"]


def test_a_turn_model_is_asked_about_the_sound_of_the_turn() -> None:
    """It hears the turn from before its beginning; its opinion is a metric and ends the turn."""
    lengths: list[float] = []

    def judge(audio: bytes) -> float:
        lengths.append(len(audio) / 2 / RATE)
        return 0.9

    stop = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=FakeTurnModel(judge))
    turns = Turns(UserTurnStrategies(stop=[stop]))
    out = turns.hear(quiet(5), say("what time is it"), quiet(2))
    assert turns.what[-1] == "stop 'what time is it'"
    assert turns.events[-1][0] < 6.8, "the speech timeout would have taken until 6.8"
    assert 1.9 < lengths[0] < 2.5
    metrics = [d for f in of(out, MetricsFrame) if isinstance(f, MetricsFrame) for d in f.data]
    assert [d.is_complete for d in metrics if isinstance(d, TurnMetricsData)] == [True]


class BrokenTurnModel(FakeTurnModel):
    """Fails."""

    async def complete_probability(self, audio: bytes) -> float:
        """Always."""
        raise ServerError("out of order")


def test_a_turn_model_that_fails_leaves_the_decision_to_silence() -> None:
    """One error; the turn ends by its silence timeout."""
    stop = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=BrokenTurnModel(), stop_secs=1.5)
    turns = Turns(UserTurnStrategies(stop=[stop]))
    out = turns.hear(say("hello"), quiet(4))
    assert turns.what[-1] == "stop 'hello'"
    assert 1.7 <= turns.events[-1][0] <= 1.9
    assert len(of(out, ErrorFrame)) == 1


def test_a_turn_model_that_hangs_is_not_waited_for() -> None:
    """Its answer is bounded, and nobody waits for it."""
    model = FakeTurnModel(latency=60.0)
    stop = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=model, stop_secs=1.5)
    turns = Turns(UserTurnStrategies(stop=[stop]))
    out = turns.hear(say("hello"), quiet(5))
    assert turns.what[-1] == "stop 'hello'"
    assert len(of(out, ErrorFrame)) == 1


def test_a_verdict_about_an_earlier_stretch_is_void() -> None:
    """A slow model's yes to the first half of a sentence comes after the second."""
    stop = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=FakeTurnModel([0.95, 0.05], latency=1.0))
    turns = Turns(UserTurnStrategies(stop=[stop]))
    turns.hear(say("I would"), quiet(0.3), say("like"), quiet(5))
    assert turns.what[-1] == "stop 'I would like'"
    assert 4.1 <= turns.events[-1][0] <= 4.4, "1.2 s and 3 s of silence"


def test_by_default_the_embedded_model_decides_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise silence does; which of them is said at the start."""
    monkeypatch.setattr(
        defaults, "EMBEDDED_MODEL", ("antiphon.simulation.fakes.vad", "FakeTurnModel")
    )
    with caplog.at_level(logging.INFO, "antiphon"):
        strategies = UserTurnStrategies()
        turns = Turns(strategies)
        turns.hear(say("hello"), quiet(3))
    assert isinstance(strategies.stop[0], TurnAnalyzerUserTurnStopStrategy)
    assert "the embedded turn model judges" in caplog.text
    monkeypatch.setattr(defaults, "EMBEDDED_MODEL", ("antiphon.not_there", "Model"))
    with caplog.at_level(logging.INFO, "antiphon"):
        strategies = UserTurnStrategies()
        turns = Turns(strategies)
        turns.hear(say("hello"), quiet(3))
    assert isinstance(strategies.stop[0], SpeechTimeoutUserTurnStopStrategy)
    assert "turns end after 0.6 s of silence" in caplog.text
    assert turns.what[-1] == "stop 'hello'"


def test_in_virtual_time_the_default_needs_no_model() -> None:
    """A program's tests run as they are: where threads are refused, silence ends turns."""
    strategies = UserTurnStrategies()
    turns = Turns(strategies)
    out = turns.hear(say("hello"), quiet(3))
    assert isinstance(strategies.stop[0], SpeechTimeoutUserTurnStopStrategy)
    assert turns.what[-1] == "stop 'hello'"
    assert not of(out, ErrorFrame)


def test_a_turn_model_that_was_asked_for_and_is_missing_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that names the strategy gets it or is told why not."""
    monkeypatch.setattr(defaults, "EMBEDDED_MODEL", ("antiphon.not_there", "Model"))
    turns = Turns(UserTurnStrategies(stop=[TurnAnalyzerUserTurnStopStrategy()]))
    (error,) = of(turns.hear(quiet(0.1)), ErrorFrame)
    assert isinstance(error, ErrorFrame)
    assert isinstance(error.exception, ConfigurationError)


def test_a_stalled_transcriber_does_not_lose_the_turn() -> None:
    """A provider that hangs is replaced; the words come late, the turn ends with them or
    without.
    """
    faults: Faults = {0: Hang(after=2)}
    turns = Turns(stt=FakeSTTProvider(interim=True, faults=faults), stop_timeout=8.0)
    turns.hear(say("one two three"), quiet(10))
    assert turns.what[-1] == "stop 'one two three'"


def test_the_session_ends_within_a_turn() -> None:
    """The open turn is closed with what was heard."""
    turns = Turns()
    turns.hear(say("good bye"))
    assert [w for w in turns.what if w.startswith("stop")] == ["stop 'good bye'"]


def test_voice_activity_frames_carry_the_true_times() -> None:
    """Their timestamp minus their seconds is when speech began and ended."""
    out = Turns().hear(quiet(1), say("one two"), quiet(1))
    (started,) = {f.id: f for f in of(out, VADUserStartedSpeakingFrame)}.values()
    (stopped,) = {f.id: f for f in of(out, VADUserStoppedSpeakingFrame)}.values()
    assert isinstance(started, VADUserStartedSpeakingFrame)
    assert isinstance(stopped, VADUserStoppedSpeakingFrame)
    assert stopped.timestamp is not None
    assert started.timestamp is not None
    spoken = (stopped.timestamp - stopped.stop_secs) - (started.timestamp - started.start_secs)
    assert abs(spoken - 0.6) < 0.07


SCENES: dict[str, Callable[[], tuple[Turns, list[Frame | Sequence[Frame]]]]] = {
    "a pause": lambda: (Turns(), [say("I would like"), quiet(0.4), say("a pizza"), quiet(2)]),
    "two turns": lambda: (Turns(), [say("I would like"), quiet(1.5), say("a pizza"), quiet(2)]),
    "a slow transcriber": lambda: (
        Turns(stt=FakeSTTProvider(latency=2.0)),
        [say("I would like a pizza"), quiet(5)],
    ),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_in_any_order_of_steps(scene: str) -> None:
    """Shuffled task steps and a busy machine change times a little, words and turns not at all."""
    for seed in range(12):
        turns, frames = SCENES[scene]()
        turns.hear(*frames, seed=seed)
        words = [w.removeprefix("stop ") for w in turns.what if w.startswith("stop")]
        assert " ".join(w.strip("'") for w in words) == "I would like a pizza"
        assert turns.what.count("start") == len(words)
