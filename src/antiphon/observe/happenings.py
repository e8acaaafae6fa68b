"""What a person watching a conversation would want to know, as it happens."""

from __future__ import annotations

from typing import dataclass_transform

import msgspec

from antiphon.observe.conversation_log import (
    AgentTurn,
    ErrorRecord,
    InterruptionRecord,
    ToolCallRecord,
    TurnDecision,
    UserTurn,
)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Base; `at` in seconds on the conversation's clock. The records are those of the log, live."""

    at: float


class CallerVoice(Happening):
    """The caller's voice began (`active`) or ended; `at` is the true time."""

    active: bool


class CallerTurnEnded(Happening):
    """A turn of the caller is over."""

    turn: UserTurn


class AgentStarted(Happening):
    """An utterance of the agent became audible."""

    turn: AgentTurn


class AgentFinished(Happening):
    """An utterance is over: in full, cut off, or (`turn.start` is None) never heard at all."""

    turn: AgentTurn


class ToolStarted(Happening):
    """A tool was called."""

    call: ToolCallRecord


class ToolFinished(Happening):
    """A tool call ended."""

    call: ToolCallRecord


class AgentInterrupted(Happening):
    """The caller cut in."""

    record: InterruptionRecord


class TurnDecided(Happening):
    """Something was decided about whose turn it is."""

    decision: TurnDecision


class ErrorSeen(Happening):
    """A part of the pipeline reported an error."""

    record: ErrorRecord
