"""How long to wait after a pause, learnt from this caller's own pauses.

What counts of a pause is how long it was until the caller was *noticed* to go on: a wait shorter
than that would have ended the turn. The wait moves within bounds:

* a pause within a turn pulls it up, if it came close;
* a turn that was ended too early (the caller went on before the agent was heard) lifts it above
  that pause at once;
* each turn that ends well lets it sink a little, towards the longest of the caller's recent pauses.
"""

from __future__ import annotations

from collections import deque

from antiphon.errors import ConfigurationError
from antiphon.turns.facts import BotStarted, Fact, SpeechStarted, SpeechStopped, TurnStopped

_MARGIN = 1.1
_RISE = 0.5
_MEMORY = 8
_TOO_EARLY_SECS = 2.5


class PauseTracker:
    """The wait for one caller, in seconds.

    `sink` is the share of the way down that it goes with each turn that ends well.
    """

    def __init__(
        self, initial: float, *, shortest: float, longest: float, sink: float = 0.15
    ) -> None:
        if not 0 <= shortest <= initial <= longest:
            raise ConfigurationError(
                f"dynamic endpointing needs 0 <= shortest <= initial <= longest, "
                f"not {shortest}, {initial}, {longest}"
            )
        self.wait: float = initial
        self._shortest, self._longest, self._sink = shortest, longest, sink
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
        self._move(min(self.wait, target), self._sink)
        if self._pauses and not self._paused:
            self._pauses.popleft()  # turns without a pause make old ones count less
        self._paused = False

    def _move(self, target: float, share: float) -> None:
        moved = self.wait + share * (target - self.wait)
        self.wait = min(max(moved, self._shortest), self._longest)


class PauseWatch:
    """Tells a tracker of the caller's pauses, from the facts that a strategy is told."""

    def __init__(self, tracker: PauseTracker) -> None:
        self.tracker = tracker
        self._silent_since: float | None = None
        self._turn_ended = False

    def receive(self, event: Fact, now: float, *, counts: bool = True) -> None:
        """Takes a fact in; `counts`: whether a pause that did not end the turn is one to learn
        from.
        """
        match event:
            case SpeechStarted() if self._silent_since is not None:
                self._went_on(now - self._silent_since, counts=counts)
            case SpeechStopped(at=at):
                self._silent_since = at
            case TurnStopped():
                self._turn_ended = True
            case BotStarted() if self._turn_ended:
                self.tracker.ended_well()
                self._silent_since, self._turn_ended = None, False

    def _went_on(self, pause: float, *, counts: bool) -> None:
        if self._turn_ended and pause <= _TOO_EARLY_SECS:
            self.tracker.cut_off(pause)
        elif not self._turn_ended and counts:
            self.tracker.paused(pause)
        self._silent_since, self._turn_ended = None, False
