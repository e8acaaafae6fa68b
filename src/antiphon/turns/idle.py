"""User idle: the caller has said nothing for a while after the agent finished.

States: *off* (timeout 0 or less); *quiet* (a deadline is set: neither side speaks, no call is
open); *busy* (somebody speaks or a tool call is open: no deadline). The time runs from the moment
the agent stops; it fires once and waits for the agent to speak again. A tool call suspends it:
when the last call ends and still nobody speaks, the time starts anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from antiphon.frames.base import Frame
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserIdleTimeoutUpdateFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
)
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.processor import FrameProcessor
from antiphon.turns.mute import track_calls


class UserIdleMachine:
    """The pure part. Times in seconds on the loop's clock."""

    def __init__(self, timeout: float = 0) -> None:
        self.timeout: float = timeout
        self.deadline: float | None = None
        self._waiting = False
        self._user_turn = False
        self._calls: set[str] = set()

    def receive(self, frame: Frame, now: float) -> None:
        """Takes note of a frame."""
        had_calls = bool(self._calls)
        track_calls(self._calls, frame)
        match frame:
            case BotStoppedSpeakingFrame():
                self._waiting = not self._user_turn
            case BotStartedSpeakingFrame() | VADUserStartedSpeakingFrame():
                self._waiting = False
            case UserStartedSpeakingFrame():
                self._waiting, self._user_turn = False, True
            case UserStoppedSpeakingFrame():
                self._user_turn = False
            case UserIdleTimeoutUpdateFrame(timeout=timeout):
                self.timeout = timeout
            case _ if bool(self._calls) == had_calls:
                return
        runs = self._waiting and not self._calls and self.timeout > 0
        self.deadline = now + self.timeout if runs else None

    def tick(self, now: float) -> bool:
        """Whether the caller is idle as of now; once."""
        if self.deadline is None or now < self.deadline:
            return False
        self.deadline, self._waiting = None, False
        return True


class UserIdleController:
    """Drives the machine for a processor."""

    def __init__(self, timeout: float = 0) -> None:
        self._machine = UserIdleMachine(timeout)
        self._processor: FrameProcessor | None = None
        self._timer: Timer | None = None
        self._on_idle: Callable[[], Awaitable[None]] | None = None

    def attach(self, processor: FrameProcessor, on_idle: Callable[[], Awaitable[None]]) -> None:
        """Call it when the processor handles its `StartFrame`."""
        self._processor, self._on_idle = processor, on_idle
        self._timer = processor.timer(self._due)

    async def process_frame(self, frame: Frame) -> None:
        """Call it with every frame that was not muted."""
        if self._processor is None or self._timer is None:
            return
        self._machine.receive(frame, self._processor.clock.now())
        self._timer.arm(self._machine.deadline)

    async def _due(self) -> None:
        assert self._processor is not None
        assert self._on_idle is not None
        if self._machine.tick(self._processor.clock.now()):
            await self._on_idle()
