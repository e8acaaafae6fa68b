"""Dynamic endpointing: a speech timeout that learns from this caller's own pauses (`pauses`)."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.turns.facts import Fact
from antiphon.turns.opinions import Opinion
from antiphon.turns.pauses import PauseTracker, PauseWatch
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy


class DynamicEndpointingUserTurnStopStrategy(SpeechTimeoutUserTurnStopStrategy):
    """Speech timeout whose patience adapts to the caller, between `shortest` and `longest`
    seconds.
    """

    def __init__(
        self,
        *,
        user_speech_timeout: float = 0.6,
        shortest: float = 0.45,
        longest: float = 2.0,
        wait_for_transcript: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(
            user_speech_timeout=user_speech_timeout,
            wait_for_transcript=wait_for_transcript,
            enable_user_speaking_frames=enable_user_speaking_frames,
        )
        self.tracker: PauseTracker = PauseTracker(
            user_speech_timeout, shortest=shortest, longest=longest
        )
        self._watch = PauseWatch(self.tracker)

    def patience(self) -> float:
        return self.tracker.wait

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        self._watch.receive(event, now)
        return super().receive(event, now)
