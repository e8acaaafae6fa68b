"""Which strategies decide: the containers that a program hands to its user aggregator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.turns.start_strategies import (
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy

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
        self.default_stop = stop is None
        self.resolved = False
        self.stop: list[UserTurnStopStrategy] = (
            [SpeechTimeoutUserTurnStopStrategy()] if stop is None else list(stop)
        )
