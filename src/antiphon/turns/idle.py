"""User idle: the floor is the caller's, nobody owes anything, and still nothing is said.

It is the caller's floor while neither side speaks, no turn is open, no tool call and no answer is
under way, and the caller can be heard. From the moment that becomes true the time runs; whatever
makes it false stops the time. It fires once; then something must happen before it runs again.

| fact                                      | from                                             |
|-------------------------------------------|--------------------------------------------------|
| the conversation has started              | `StartFrame`, or anything below                  |
| the caller's sound                        | voice activity                                   |
| a turn is open                            | `turn`, or the frames of whoever decides it      |
| the agent speaks                          | `BotStartedSpeakingFrame` and its counterpart    |
| an answer is owed, `ANSWER_SECS` at most  | `asked`; until `answered`, speech or an interruption |
| a tool call is open                       | the frames of function calls                     |
| the caller is muted                       | `muted`                                          |
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame, StartFrame
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserIdleTimeoutUpdateFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.processor import FrameProcessor
from antiphon.turns.mute import track_calls

ANSWER_SECS = 20.0
"""An answer that has not begun by then, and of which nothing was told, does not come."""


class UserIdleMachine:
    """The pure part. Times in seconds on the loop's clock; a timeout of 0 or less is off."""

    def __init__(self, timeout: float = 0) -> None:
        self.timeout: float = timeout
        self._begun = self._sound = self._turn = self._bot = self._muted = False
        self._owed_until = -math.inf
        self._calls: set[str] = set()
        self._free_since: float | None = None

    @property
    def deadline(self) -> float | None:
        """When the caller will be idle if nothing happens."""
        if self._free_since is None or self.timeout <= 0:
            return None
        return max(self._free_since, self._owed_until) + self.timeout

    def receive(self, frame: Frame, now: float) -> None:
        """Takes note of a frame."""
        track_calls(self._calls, frame)
        match frame:
            case StartFrame():
                self._begun = True
            case BotStartedSpeakingFrame():
                self._bot = True
                self._answered(now)
            case BotStoppedSpeakingFrame():
                self._begun, self._bot = True, False
            case VADUserStartedSpeakingFrame():
                self._begun = self._sound = True
            case VADUserStoppedSpeakingFrame():
                self._sound = False
            case UserStartedSpeakingFrame():
                self._begun = self._turn = True
            case UserStoppedSpeakingFrame():
                self._turn = False
            case InterruptionFrame():
                self._answered(now)
            case UserIdleTimeoutUpdateFrame(timeout=timeout):
                self.timeout = timeout
                if self._free_since is not None:
                    self._free_since = now
        self._settle(now)

    def turn(self, now: float, *, is_open: bool) -> None:
        """A turn of the caller's began or ended."""
        self._begun, self._turn = True, is_open
        self._settle(now)

    def muted(self, now: float, *, on: bool) -> None:
        """From now on the caller cannot be heard, or can again."""
        self._muted = on
        self._sound = self._sound and not on
        self._settle(now)

    def asked(self, now: float) -> None:
        """The model was asked: an answer is owed."""
        self._begun, self._owed_until = True, now + ANSWER_SECS
        if self._free_since is not None:
            self._free_since = now

    def answered(self, now: float) -> None:
        """The answer is over; nothing of it may have been spoken."""
        self._answered(now)
        self._settle(now)

    def tick(self, now: float) -> bool:
        """Whether the caller is idle as of now; once."""
        if self.deadline is None or now < self.deadline:
            return False
        self._free_since, self._begun = None, False
        return True

    def _answered(self, now: float) -> None:
        if self._owed_until > now:
            self._owed_until = -math.inf
            self._begun = True
            if self._free_since is not None:
                self._free_since = now

    def _settle(self, now: float) -> None:
        busy = self._sound or self._turn or self._bot or self._muted or bool(self._calls)
        self._begun = self._begun or busy
        if busy or not self._begun:
            self._free_since = None
        elif self._free_since is None:
            self._free_since = now


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
        if self._processor is not None:
            self._machine.receive(frame, self._processor.clock.now())
            self._arm()

    def turn(self, *, is_open: bool) -> None:
        """A turn of the caller's began or ended."""
        if self._processor is not None:
            self._machine.turn(self._processor.clock.now(), is_open=is_open)
            self._arm()

    def muted(self, *, on: bool) -> None:
        """The caller cannot be heard, or can again."""
        if self._processor is not None:
            self._machine.muted(self._processor.clock.now(), on=on)
            self._arm()

    def answer(self, *, owed: bool) -> None:
        """The model was asked, or its answer is over."""
        if self._processor is not None:
            now = self._processor.clock.now()
            if owed:
                self._machine.asked(now)
            else:
                self._machine.answered(now)
            self._arm()

    def stop(self) -> None:
        """The session ends: nobody is waited for any more."""
        if self._timer is not None:
            self._timer.arm(None)
        self._processor = None

    def _arm(self) -> None:
        assert self._timer is not None
        self._timer.arm(self._machine.deadline)

    async def _due(self) -> None:
        if self._processor is None or self._on_idle is None:
            return
        if self._machine.tick(self._processor.clock.now()):
            await self._on_idle()
        self._arm()
