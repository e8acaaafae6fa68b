"""Which strategies decide: the containers that a program hands to its user aggregator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.turns.completion import UserTurnCompletionConfig
from antiphon.turns.completion_strategies import LLMTurnCompletionUserTurnStopStrategy, deferred
from antiphon.turns.start_strategies import (
    ExternalUserTurnStartStrategy,
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import (
    ExternalUserTurnStopStrategy,
    SpeechTimeoutUserTurnStopStrategy,
)

if TYPE_CHECKING:
    from antiphon.turns.strategy import UserTurnStartStrategy, UserTurnStopStrategy


class UserTurnStrategies:
    """Start and stop strategies, each list in the order in which they are asked.

    By default voice activity or a transcript starts a turn, and the turn model (where one is
    installed) or 0.6 s of silence ends it. `default_stop` says that the stop strategies were left
    to us, `resolved` that we have chosen (when the session started).
    """

    def __init__(
        self,
        *,
        start: Sequence[UserTurnStartStrategy] | None = None,
        stop: Sequence[UserTurnStopStrategy] | None = None,
    ) -> None:
        self.start: list[UserTurnStartStrategy] = (
            [VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()]
            if start is None
            else list(start)
        )
        self.default_stop: bool = stop is None
        self.resolved = False
        self.stop: list[UserTurnStopStrategy] = (
            [SpeechTimeoutUserTurnStopStrategy()] if stop is None else list(stop)
        )

    def finish(self, stop: Sequence[UserTurnStopStrategy]) -> list[UserTurnStopStrategy]:
        """What this container makes of stop strategies, its own or the default ones."""
        return list(stop)


class ExternalUserTurnStrategies(UserTurnStrategies):
    """A service with detectors of its own decides about both ends of a turn."""

    def __init__(self, *, enable_interruptions: bool = True) -> None:
        super().__init__(
            start=[ExternalUserTurnStartStrategy(enable_interruptions=enable_interruptions)],
            stop=[ExternalUserTurnStopStrategy()],
        )


class FilterIncompleteUserTurnStrategies(UserTurnStrategies):
    """The model judges whether the caller has finished: detectors only ask it.

    Every stop strategy is `deferred`, and the model's verdict ends the turn.
    """

    def __init__(
        self,
        *,
        start: Sequence[UserTurnStartStrategy] | None = None,
        stop: Sequence[UserTurnStopStrategy] | None = None,
        config: UserTurnCompletionConfig | None = None,
    ) -> None:
        super().__init__(start=start, stop=stop)
        self.config: UserTurnCompletionConfig = config or UserTurnCompletionConfig()
        self.stop: list[UserTurnStopStrategy] = self.finish(self.stop)

    def finish(self, stop: Sequence[UserTurnStopStrategy]) -> list[UserTurnStopStrategy]:
        gate = LLMTurnCompletionUserTurnStopStrategy(self.config)
        return [*(deferred(strategy) for strategy in stop), gate]
