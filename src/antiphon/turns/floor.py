"""What is known about who has the floor: the state, the caller's sound and words, the agent's
answer.

Sound has up to three sources (voice activity, a service's proposal, an announcement by others). An
answer is *under way* from the inference that asked for it, *unheard* until the agent's speech
begins; an answer that is voided unheard is *cut off*, which is remembered until the model is asked
again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from antiphon.turns.facts import (
    AnnouncedStart,
    AnnouncedStop,
    BotStarted,
    BotStopped,
    Fact,
    Muted,
    ProposedStart,
    ProposedStop,
    SpeechStarted,
    SpeechStopped,
    TranscriberLatency,
    TranscriptReceived,
    TurnStarted,
    Unmuted,
)
from antiphon.turns.states import OPEN, SOUNDING, TRANSITIONS, TurnState, TurnStep
from antiphon.turns.strategy import UserTurnStartStrategy
from antiphon.turns.transcript import TurnText
from antiphon.turns.transcript_wait import DEFAULT_TTFS_P99_SECS

BEGINS: Mapping[type[Fact], str] = {
    SpeechStarted: "vad",
    ProposedStart: "proposal",
    AnnouncedStart: "announcement",
}
ENDS: Mapping[type[Fact], str] = {
    SpeechStopped: "vad",
    ProposedStop: "proposal",
    AnnouncedStop: "announcement",
}
PROPOSALS = frozenset({ProposedStart, ProposedStop, AnnouncedStart, AnnouncedStop})


class Floor:
    """State without decisions. Times in seconds on the loop's clock."""

    def __init__(self) -> None:
        self.state: TurnState = TurnState.IDLE
        self.text: TurnText = TurnText()
        self.muted: bool = False
        self._deaf_until = -math.inf
        self._detector = False
        """Whether voice activity is detected at all."""
        self.sound_at: float = 0.0
        """The true beginning of the last sound, `silence_at` its true end."""
        self.silence_at: float = 0.0
        self.sounding_since: float = 0.0
        """When the sound that goes on was noticed."""
        self.opened_by: UserTurnStartStrategy | None = None
        self.started: float = 0.0
        self.bot_speaks: bool = False
        self.under_way: bool = False
        self.cut_off: bool = False
        self._unheard = False
        self._answered = False
        """Whether a finalized transcript came since the last end of sound."""
        self._sources: set[str] = set()
        self._latency: TranscriberLatency | None = None

    @property
    def is_open(self) -> bool:
        """Whether a turn is open."""
        return self.state in OPEN

    @property
    def sounds(self) -> bool:
        """Whether the caller makes sound."""
        return bool(self._sources)

    @property
    def may_interrupt(self) -> bool:
        """Whether the turn may void an answer; one that is not audible yet always."""
        allowed = self.opened_by is not None and self.opened_by.enable_interruptions
        return allowed or not self.bot_speaks

    @property
    def must_wait(self) -> bool:
        """Whether an answer of this turn is under way that must not be voided by another."""
        return self.text.inferences > 0 and self.under_way and not self.may_interrupt

    @property
    def owes_speech(self) -> bool:
        """Whether the agent speaks, or was asked and has not been heard yet."""
        return self.bot_speaks or (self.under_way and self._unheard)

    def was_said_muted(self, event: Fact, now: float) -> bool:
        """Whether these are words of a caller who was muted when they were said: they come after
        the mute, and no sound did. Nobody can tell where sound is not detected.
        """
        late = isinstance(event, TranscriptReceived) and now < self._deaf_until
        return late and self._detector and not self.sounds and not self.is_open

    def go(self, step: TurnStep) -> None:
        """Moves on, along a line of the table."""
        self.state = TRANSITIONS[self.state][step]

    def note(self, event: Fact, now: float) -> None:
        """Keeps what is neither sound nor a decision."""
        match event:
            case TranscriptReceived(finalized=finalized):
                self.text.add(event, now)
                self._answered = self._answered or finalized
            case BotStarted():
                self.bot_speaks, self._unheard = True, False
            case BotStopped():
                self.bot_speaks = False
            case TranscriberLatency():
                self._latency = event
            case SpeechStarted():
                self._detector, self._deaf_until = True, -math.inf
            case Muted():
                self.muted = True
            case Unmuted():
                latency = self._latency.secs if self._latency else DEFAULT_TTFS_P99_SECS
                self.muted, self._deaf_until = False, now + latency

    def begin_sound(self, source: str, at: float, now: float) -> bool:
        """A source begins; whether it is the first."""
        first = not self._sources
        self._sources.add(source)
        if first:
            self.sound_at, self.sounding_since = at, now
            self.go(TurnStep.SOUND)
        return first

    def end_sound(self, at: float, source: str | None = None) -> bool:
        """A source ends, None: all of them; whether silence begins."""
        if not self._sources or (source is not None and source not in self._sources):
            return False
        self._sources -= {source} if source is not None else self._sources
        if self._sources:
            return False
        self.silence_at = at
        self._answered = False
        self.go(TurnStep.SILENCE)
        return True

    def open(self, strategy: UserTurnStartStrategy, now: float) -> None:
        """A turn begins, where its first sound or word was."""
        self.started = min(now, self.text.first_at, self.sound_at if self._sources else now)
        self.opened_by = strategy
        self.go(TurnStep.START)

    def ask(self) -> None:
        """The model is asked for an answer."""
        self.under_way = self._unheard = True
        self.cut_off = False
        self.go(TurnStep.INFER)

    def void_answer(self, *, by_caller: bool = True) -> None:
        """The answer under way will not be heard (any further).

        One that the caller's sound cut off unheard is remembered, in case the sound was nothing.
        """
        if by_caller:
            self.cut_off = self.cut_off or (self.under_way and self._unheard)
        self.under_way = self._unheard = False

    def situation(self) -> Iterator[Fact]:
        """The facts that a new strategy needs to go on where another left."""
        if self._latency is not None:
            yield self._latency
        if self.bot_speaks:
            yield BotStarted()
        if self.is_open:
            yield TurnStarted()
        if self.state in SOUNDING:
            yield SpeechStarted(at=self.sound_at)
        elif self.is_open and self.silence_at >= self.started:
            yield SpeechStopped(at=self.silence_at, transcript_due=not self._answered)
        if self.text.pending:
            finalized = self._answered and not self.sounds
            yield TranscriptReceived(
                self.text.pending, finalized=finalized, user_id=self.text.user_id
            )
        if self.text.interim:
            yield TranscriptReceived(text=self.text.interim, final=False, user_id=self.text.user_id)
