"""Mute strategies: when is the caller not listened to?

Pure: each is told every frame and says whether it mutes; the gate mutes when any of them does. The
state before a frame decides about this frame, the state after it about the next: so the frame that
ends a mute is not itself lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.speech import EndCallFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    UserSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)

SUPPRESSED: tuple[type[Frame], ...] = (
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    UserSpeakingFrame,
)
"""What a mute keeps from the aggregator: everything that says that the caller makes sound."""


class UserMuteStrategy(Protocol):
    """Says whether the caller is muted, from the frames it has seen."""

    def receive(self, frame: Frame) -> None:
        """Is told every frame, in both directions."""

    @property
    def muted(self) -> bool:
        """Whether the caller is muted now."""
        ...


class MuteDecision(msgspec.Struct, frozen=True):
    """`suppress` this frame; `changed` is the new state when this frame changed it."""

    suppress: bool
    changed: bool | None = None


class MuteGate:
    """Mutes while any of its strategies does, and for good when the call is being ended."""

    def __init__(self, strategies: Sequence[UserMuteStrategy] = ()) -> None:
        self._strategies = tuple(strategies)
        self.muted: bool = any(strategy.muted for strategy in self._strategies)
        self._ending = False

    def receive(self, frame: Frame) -> MuteDecision:
        """Decides about a frame."""
        self._ending = self._ending or isinstance(frame, EndCallFrame)
        if not self._strategies and not self._ending:
            return _PASS
        before = self.muted
        for strategy in self._strategies:
            strategy.receive(frame)
        self.muted = self._ending or any(strategy.muted for strategy in self._strategies)
        return MuteDecision(
            suppress=before and isinstance(frame, SUPPRESSED),
            changed=self.muted if self.muted != before else None,
        )


_PASS = MuteDecision(suppress=False)


class AlwaysUserMuteStrategy:
    """While the agent speaks."""

    def __init__(self) -> None:
        self.muted: bool = False

    def receive(self, frame: Frame) -> None:
        match frame:
            case BotStartedSpeakingFrame():
                self.muted = True
            case BotStoppedSpeakingFrame():
                self.muted = False


class FirstSpeechUserMuteStrategy:
    """While the agent speaks for the first time."""

    def __init__(self) -> None:
        self.muted: bool = False
        self._over = False

    def receive(self, frame: Frame) -> None:
        match frame:
            case BotStartedSpeakingFrame():
                self.muted = not self._over
            case BotStoppedSpeakingFrame():
                self.muted, self._over = False, True


class MuteUntilFirstBotCompleteUserMuteStrategy:
    """From the beginning until the agent has spoken for the first time."""

    def __init__(self) -> None:
        self.muted: bool = True

    def receive(self, frame: Frame) -> None:
        match frame:
            case BotStoppedSpeakingFrame():
                self.muted = False


class FunctionCallUserMuteStrategy:
    """While a tool call is open."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    @property
    def muted(self) -> bool:
        """Whether a call is open."""
        return bool(self._open)

    def receive(self, frame: Frame) -> None:
        track_calls(self._open, frame)


def track_calls(open_calls: set[str], frame: Frame) -> None:
    """Keeps the ids of the open tool calls; an intermediate result does not end a call."""
    match frame:
        case FunctionCallsStartedFrame(function_calls=calls):
            open_calls.update(call.tool_call_id for call in calls)
        case FunctionCallResultFrame(tool_call_id=call_id, properties=properties):
            if properties is None or properties.is_final:
                open_calls.discard(call_id)
        case FunctionCallCancelFrame(tool_call_id=call_id):
            open_calls.discard(call_id)
