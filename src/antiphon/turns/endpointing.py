"""Dynamic endpointing: how long to wait after a pause, learnt from this caller's own pauses.

The wait moves within bounds. A pause in the middle of a turn pulls it up, if it was close to the
wait; a turn that was ended too early (the caller went on before the agent was heard) lifts it
above that pause at once; each turn that ends well lets it sink a little towards the longest of the
caller's recent pauses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from antiphon.errors import ConfigurationError
from antiphon.turns.events import BotStarted, Fact, SpeechStarted, SpeechStopped, TurnStopped
from antiphon.turns.opinions import Opinion
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy

_MARGIN = 1.25
_RISE, _SINK = 0.5, 0.15
_MEMORY = 8
_TOO_EARLY_SECS = 2.0


class PauseTracker:
    """The wait for one caller, in seconds."""

    def __init__(self, initial: float, *, shortest: float, longest: float) -> None:
        if not 0 < shortest <= initial <= longest:
            raise ConfigurationError(
                f"dynamic endpointing needs 0 < shortest <= initial <= longest, "
                f"not {shortest}, {initial}, {longest}"
            )
        self.wait = initial
        self._shortest, self._longest = shortest, longest
        self._pauses: deque[float] = deque(maxlen=_MEMORY)
        self._paused = False

    def paused(self, secs: float) -> None:
        """The caller paused in the middle of a turn and went on."""
        self._pauses.append(secs)
        self._paused = True
        self._move(max(self.wait, secs * _MARGIN), _RISE)

    def cut_off(self, secs: float) -> None:
        """The caller paused so long and was taken to have finished, wrongly."""
        self._pauses.append(secs)
        self._paused = True
        self._move(max(self.wait, secs * _MARGIN), 1.0)

    def ended_well(self) -> None:
        """The wait was long enough."""
        target = max(self._pauses, default=self._shortest / _MARGIN) * _MARGIN
        self._move(min(self.wait, target), _SINK)
        if self._pauses and not self._paused:
            self._pauses.popleft()  # turns without a pause make old ones count less
        self._paused = False

    def _move(self, target: float, share: float) -> None:
        moved = self.wait + share * (target - self.wait)
        self.wait = min(max(moved, self._shortest), self._longest)


class DynamicEndpointingUserTurnStopStrategy(SpeechTimeoutUserTurnStopStrategy):
    """Speech timeout whose patience adapts to the caller, between `shortest` and `longest`
    seconds.
    """

    def __init__(
        self,
        *,
        user_speech_timeout: float = 0.6,
        shortest: float = 0.35,
        longest: float = 1.6,
        wait_for_transcript: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(
            user_speech_timeout=user_speech_timeout,
            wait_for_transcript=wait_for_transcript,
            enable_user_speaking_frames=enable_user_speaking_frames,
        )
        self.tracker = PauseTracker(user_speech_timeout, shortest=shortest, longest=longest)
        self._silent_since: float | None = None
        self._turn_ended = False

    def patience(self) -> float:
        return self.tracker.wait

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case SpeechStarted(at=at) if self._silent_since is not None:
                self._learn(max(at - self._silent_since, 0.0))
            case SpeechStopped(at=at):
                self._silent_since = at
            case TurnStopped():
                self._turn_ended = True
            case BotStarted() if self._turn_ended:
                self.tracker.ended_well()
                self._silent_since, self._turn_ended = None, False
        return super().receive(event, now)

    def _learn(self, pause: float) -> None:
        if not self._turn_ended:
            self.tracker.paused(pause)
        elif pause <= _TOO_EARLY_SECS:
            self.tracker.cut_off(pause)
        self._silent_since, self._turn_ended = None, False
