"""Stop strategies in two steps: detectors ask for an inference, somebody else says when it is over.

`deferred(strategy)` takes from a detector its say in the end of the turn; one of the gates here
has it instead, when `UserTurnInferenceCompletedFrame` comes, whoever sent it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.llm import LLMUpdateSettingsFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.turns.completion import UserTurnCompletionConfig
from antiphon.turns.facts import (
    CompletionDenied,
    CompletionJudged,
    Fact,
    FrameSeen,
    InferenceTriggered,
    SpeechStarted,
    TurnStopped,
)
from antiphon.turns.opinions import NOTHING, EndTurn, Opinion, SendFrame
from antiphon.turns.strategy import UserTurnStopStrategy

_ANSWER_SECS = 10.0
"""How long a model may take to its verdict before the watchdog counts."""


class DeferredUserTurnStopStrategy(UserTurnStopStrategy):
    """Everything of `inner` but the end of the turn."""

    def __init__(self, inner: UserTurnStopStrategy) -> None:
        super().__init__(enable_user_speaking_frames=inner.enable_user_speaking_frames)
        self.inner = inner

    @property
    def name(self) -> str:
        return f"deferred({self.inner.name})"

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        return self._without_end(self.inner.receive(event, now))

    def tick(self, now: float) -> Sequence[Opinion]:
        return self._without_end(self.inner.tick(now))

    def _without_end(self, opinions: Sequence[Opinion]) -> Sequence[Opinion]:
        self.deadline: float | None = self.inner.deadline
        return tuple(opinion for opinion in opinions if not isinstance(opinion, EndTurn))


def deferred(strategy: UserTurnStopStrategy) -> DeferredUserTurnStopStrategy:
    """The strategy without its say in the end of the turn."""
    return DeferredUserTurnStopStrategy(strategy)


class ExternalUserTurnCompletionStopStrategy(UserTurnStopStrategy):
    """Ends the turn when somebody judged it complete; never asks for an inference itself.

    The verdict counts only for what the model was asked about: after more speech another one is
    needed.
    """

    def __init__(self, *, hold_secs: float = _ANSWER_SECS) -> None:
        super().__init__()
        self._hold_secs = hold_secs
        self.holds_open = True

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case InferenceTriggered():
                self.deadline = now + self._hold_secs
            case SpeechStarted() | TurnStopped():
                self.deadline = None
            case CompletionJudged():
                self.deadline = None
                return (EndTurn("judged complete"),)
            case CompletionDenied(marker=marker):
                self.deadline = now + self.hold_after(marker)
        return NOTHING

    def hold_after(self, marker: str) -> float:
        """How long the turn stays open after an incomplete verdict, in seconds."""
        return self._hold_secs


class LLMTurnCompletionUserTurnStopStrategy(ExternalUserTurnCompletionStopStrategy):
    """The model's own verdict, by its markers; turns the protocol on in every LLM service."""

    frame_types: ClassVar[tuple[type[Frame], ...]] = (StartFrame,)

    def __init__(self, config: UserTurnCompletionConfig | None = None) -> None:
        super().__init__()
        self.config: UserTurnCompletionConfig = config or UserTurnCompletionConfig()

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        if isinstance(event, FrameSeen):
            settings = {
                "filter_incomplete_user_turns": True,
                "user_turn_completion_config": self.config,
            }
            update = LLMUpdateSettingsFrame(settings=settings, reach_inactive_services=True)
            return (SendFrame(update, FrameDirection.DOWNSTREAM),)
        return super().receive(event, now)

    def hold_after(self, marker: str) -> float:
        long = marker == self.config.incomplete_long_marker
        wait = self.config.incomplete_long_timeout if long else self.config.incomplete_short_timeout
        return wait + self._hold_secs
