"""When the caller has been silent too long."""

from __future__ import annotations

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.tools import (
    FunctionCallFromLLM,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
    FunctionCallsStartedFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserIdleTimeoutUpdateFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.turns.idle import ANSWER_SECS, UserIdleMachine

BOT, SILENT = BotStartedSpeakingFrame(), BotStoppedSpeakingFrame()


def idle_at(timeout: float, *frames: tuple[float, Frame]) -> list[float]:
    """The times at which the caller is idle."""
    machine, out = UserIdleMachine(timeout), []
    for at, frame in [*frames, (1000.0, BOT)]:
        while machine.deadline is not None and machine.deadline <= at:
            due = machine.deadline
            if machine.tick(due):
                out.append(due)
        machine.receive(frame, at)
    return out


def test_idle_after_the_agent_has_spoken() -> None:
    """Once, `timeout` seconds after the end of its speech."""
    assert idle_at(5, (0, BOT), (2, SILENT)) == [7]


def test_off_by_default() -> None:
    """No timeout, no idle."""
    assert idle_at(0, (0, BOT), (2, SILENT)) == []


def test_each_speech_of_the_agent_counts_anew() -> None:
    """A re-prompt that is not answered is followed by another."""
    assert idle_at(5, (0, BOT), (2, SILENT), (8, BOT), (9, SILENT)) == [7, 14]


def test_a_caller_who_speaks_is_not_idle() -> None:
    """Sound and turns cancel it."""
    assert idle_at(5, (2, SILENT), (4, VADUserStartedSpeakingFrame())) == []
    assert idle_at(5, (2, SILENT), (4, UserStartedSpeakingFrame())) == []


def test_nobody_waits_within_a_turn() -> None:
    """The time starts at the end of the turn, not when the agent stops within it."""
    frames = [(1.0, UserStartedSpeakingFrame()), (2.0, SILENT), (3.0, UserStoppedSpeakingFrame())]
    assert idle_at(5, *frames) == [8]


def test_the_timeout_changes_live() -> None:
    """Also while it runs; 0 switches it off."""
    assert idle_at(5, (2, SILENT), (3, UserIdleTimeoutUpdateFrame(timeout=20))) == [23]
    assert idle_at(5, (2, SILENT), (3, UserIdleTimeoutUpdateFrame(timeout=0))) == []


def test_open_tool_calls_suspend_it() -> None:
    """The agent is at work; the time starts anew when the last call has ended."""
    call = FunctionCallFromLLM(function_name="f", tool_call_id="1", arguments={})
    started = FunctionCallsStartedFrame(function_calls=(call,))

    def result(*, final: bool) -> FunctionCallResultFrame:
        return FunctionCallResultFrame(
            function_name="f",
            tool_call_id="1",
            arguments={},
            result=1,
            properties=FunctionCallResultProperties(is_final=final),
        )

    assert idle_at(5, (2, SILENT), (3, started)) == []
    assert idle_at(5, (2, SILENT), (3, started), (20, result(final=False))) == []
    assert idle_at(5, (2, SILENT), (3, started), (20, result(final=True))) == [25]


def test_whoever_never_says_anything_is_idle() -> None:
    """The time starts with the conversation."""
    assert idle_at(5, (1, StartFrame())) == [6]


def test_a_cough_starts_the_time_anew() -> None:
    """Also one that is no turn, and one after the caller was idle already."""
    cough = ((8.0, VADUserStartedSpeakingFrame()), (9.0, VADUserStoppedSpeakingFrame()))
    assert idle_at(10, (2, SILENT), *cough) == [19]
    assert idle_at(5, (2, SILENT), *cough) == [7, 14]


def test_an_answer_that_is_owed_is_waited_for() -> None:
    """Until it is over without a word, or cannot come any more."""
    machine = UserIdleMachine(5)
    machine.turn(1.0, is_open=True)
    machine.asked(2.0)
    machine.turn(2.0, is_open=False)
    assert machine.deadline == 2.0 + ANSWER_SECS + 5
    machine.answered(3.0)
    assert machine.deadline == 8.0


def test_a_muted_caller_is_not_idle() -> None:
    """Nobody can be expected to speak who cannot be heard."""
    machine = UserIdleMachine(5)
    machine.receive(SILENT, 1.0)
    machine.muted(2.0, on=True)
    assert machine.deadline is None
    machine.muted(9.0, on=False)
    assert machine.deadline == 14.0
