"""When the caller is not listened to."""

from __future__ import annotations

from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.text import TranscriptionFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallFromLLM,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
    FunctionCallsStartedFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
)
from antiphon.turns.mute import (
    SUPPRESSED,
    AlwaysUserMuteStrategy,
    FirstSpeechUserMuteStrategy,
    FunctionCallUserMuteStrategy,
    MuteGate,
    MuteUntilFirstBotCompleteUserMuteStrategy,
    UserMuteStrategy,
)

STARTED, STOPPED = BotStartedSpeakingFrame(), BotStoppedSpeakingFrame()


def states(strategy: UserMuteStrategy, *frames: Frame) -> list[bool]:
    """Whether it mutes: before, and after each frame."""
    out = [strategy.muted]
    for frame in frames:
        strategy.receive(frame)
        out.append(strategy.muted)
    return out


def test_always_mutes_while_the_agent_speaks() -> None:
    """Every time."""
    states_seen = states(AlwaysUserMuteStrategy(), STARTED, STOPPED, STARTED, STOPPED)
    assert states_seen == [False, True, False, True, False]


def test_first_speech_mutes_once() -> None:
    """Only during the agent's first speech, not before it."""
    states_seen = states(FirstSpeechUserMuteStrategy(), STARTED, STOPPED, STARTED, STOPPED)
    assert states_seen == [False, True, False, False, False]


def test_until_first_bot_complete_mutes_from_the_beginning() -> None:
    """Until the agent has spoken once."""
    states_seen = states(MuteUntilFirstBotCompleteUserMuteStrategy(), STARTED, STOPPED, STARTED)
    assert states_seen == [True, True, False, False]


def call(number: str) -> FunctionCallFromLLM:
    """A call."""
    return FunctionCallFromLLM(function_name="f", tool_call_id=number, arguments={})


def result(number: str, *, final: bool = True) -> FunctionCallResultFrame:
    """Its result, or an intermediate one."""
    return FunctionCallResultFrame(
        function_name="f",
        tool_call_id=number,
        arguments={},
        result=1,
        properties=FunctionCallResultProperties(is_final=final),
    )


def test_function_calls_mute_while_any_is_open() -> None:
    """An intermediate result does not end a call; a cancelled one is over."""
    states_seen = states(
        FunctionCallUserMuteStrategy(),
        FunctionCallsStartedFrame(function_calls=(call("1"), call("2"))),
        result("1", final=False),
        result("1"),
        FunctionCallCancelFrame(function_name="f", tool_call_id="2"),
    )
    assert states_seen == [False, True, True, True, False]


def test_strategies_are_ored() -> None:
    """One that mutes is enough."""
    gate = MuteGate([AlwaysUserMuteStrategy(), FunctionCallUserMuteStrategy()])
    gate.receive(STARTED)
    gate.receive(FunctionCallsStartedFrame(function_calls=(call("1"),)))
    gate.receive(STOPPED)
    assert gate.muted
    assert gate.receive(result("1")).changed is False
    assert not gate.muted


def test_the_state_before_a_frame_decides_about_it() -> None:
    """The frame that changes the state is not suppressed by it; the changes are told."""
    gate = MuteGate([AlwaysUserMuteStrategy()])
    assert gate.receive(STARTED).changed is True
    decision = gate.receive(TranscriptionFrame("hello"))
    assert (decision.suppress, decision.changed) == (True, None)
    ended = gate.receive(STOPPED)
    assert (ended.suppress, ended.changed) == (False, False)
    assert not gate.receive(TranscriptionFrame("hello")).suppress


class Hush:
    """Mutes for good when it hears a word."""

    muted = False

    def receive(self, frame: Frame) -> None:
        """The word counts, nothing after it."""
        self.muted = self.muted or isinstance(frame, TranscriptionFrame)


def test_the_word_that_mutes_is_heard() -> None:
    """The frame that begins a mute is not suppressed by it, the next one is."""
    gate = MuteGate([Hush()])
    assert not gate.receive(TranscriptionFrame("hush")).suppress
    assert gate.receive(TranscriptionFrame("please")).suppress


def test_what_a_mute_suppresses() -> None:
    """Everything that says the caller makes sound, and nothing else."""
    gate = MuteGate([MuteUntilFirstBotCompleteUserMuteStrategy()])
    assert gate.receive(InputAudioRawFrame(b"\0\0", 16_000)).suppress
    assert gate.receive(VADUserStartedSpeakingFrame()).suppress
    assert not gate.receive(InterruptionFrame()).suppress
    assert not gate.receive(STARTED).suppress
    assert TranscriptionFrame in SUPPRESSED


def test_without_strategies_nothing_is_muted() -> None:
    """An empty gate costs nothing."""
    assert not MuteGate().receive(TranscriptionFrame("hello")).suppress
