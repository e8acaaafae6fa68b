"""When the caller has been silent too long."""

from __future__ import annotations

from antiphon.frames.base import Frame
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
)
from antiphon.turns.idle import UserIdleMachine

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
    """An agent that stops while the caller has the floor does not start the time."""
    frames = [(1.0, UserStartedSpeakingFrame()), (2.0, SILENT), (3.0, UserStoppedSpeakingFrame())]
    assert idle_at(5, *frames) == []


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
