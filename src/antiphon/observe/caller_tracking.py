"""The caller's side of a conversation log.

Theory of operation. Voice activity makes speech spans with true times: a detector announces a start
`start_secs` after it, and an end `stop_secs` after it. A user turn is open from
`UserStartedSpeakingFrame` to `UserStoppedSpeakingFrame` and takes the spans that no earlier turn
took. Transcripts belong to the open turn; one that comes late belongs to the last turn, unless new
speech has begun, in which case it waits for the turn that this speech will open, or a turn begins
at that very moment: the transcript opened it.

Invariants: at most one span and one turn are open; a span belongs to one turn.
"""

from __future__ import annotations

from antiphon.frames.text import TranscriptionFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from antiphon.observe.conversation_log import ConversationLog, Party, SpeechSpan, UserTurn
from antiphon.observe.happenings import CallerTurnEnded, CallerVoice, Happening

_SAME_MOMENT_SECS = 0.05
"""A turn that begins so soon after a transcript began because of it."""


class CallerTracking:
    """Writes `log.speech` (the caller's part) and `log.user_turns`."""

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        self._span: SpeechSpan | None = None
        self._last_span: SpeechSpan | None = None
        self._taken_until = -1.0
        self._early: list[tuple[float, str]] = []
        self._late: tuple[float, str] | None = None
        self.turn: UserTurn | None = None
        """The open turn."""

    def voice_started(self, frame: VADUserStartedSpeakingFrame, at: float) -> list[Happening]:
        """The detector is sure of a voice."""
        if self._span is not None:
            return []
        span = SpeechSpan(side=Party.CALLER, start=max(0.0, at - frame.start_secs))
        self._span = self._last_span = span
        self._log.speech.append(span)
        return [CallerVoice(at=span.start, active=True)]

    def voice_stopped(self, frame: VADUserStoppedSpeakingFrame, at: float) -> list[Happening]:
        """The detector is sure of silence."""
        if self._span is None:
            return []
        span, self._span = self._span, None
        span.end = max(span.start, at - frame.stop_secs)
        if self.turn is not None:
            self.turn.speech_end = span.end
        return [CallerVoice(at=span.end, active=False)]

    def turn_started(self, at: float, *, interrupting: bool) -> list[Happening]:
        """A turn was decided to have begun."""
        if self.turn is not None:
            return []
        span = self._last_span
        if span is not None and span.end is not None and span.end <= self._taken_until:
            span = None
        self.turn = UserTurn(
            index=len(self._log.user_turns),
            start=span.start if span is not None else at,
            started=at,
            speech_end=span.end if span is not None else None,
            interrupting=interrupting,
        )
        self._take_back_late_text(at)
        self._log.user_turns.append(self.turn)
        for heard_at, text in self._early:
            _add_text(self.turn, text, heard_at)
        self._early.clear()
        return []

    def _take_back_late_text(self, at: float) -> None:
        """A transcript that opened a turn of its own belongs to that turn."""
        late, self._late = self._late, None
        if late is None or at - late[0] > _SAME_MOMENT_SECS:
            return
        last = self._log.user_turns[-1]
        last.text = last.text.removesuffix(late[1]).strip()
        self._early.append(late)

    def turn_stopped(self, at: float) -> UserTurn | None:
        """The open turn was decided to be over; returns it."""
        if self.turn is None:
            return None
        turn, self.turn = self.turn, None
        turn.stopped = at
        if self._span is not None:
            turn.speech_end = at
        self._taken_until = at if turn.speech_end is None else turn.speech_end
        return turn

    def transcript(self, frame: TranscriptionFrame, at: float) -> list[Happening]:
        """What was said became known."""
        text = frame.text.strip()
        if not text:
            return []
        span = self._last_span
        if span is not None:
            span.text = f"{span.text} {text}".strip()
        if self.turn is not None:
            _add_text(self.turn, text, at)
            return []
        new_speech = span is not None and (span.end is None or span.end > self._taken_until)
        if new_speech or not self._log.user_turns:
            self._early.append((at, text))
            return []
        last = self._log.user_turns[-1]
        _add_text(last, text, at)
        self._late = (at, text)
        return [CallerTurnEnded(at=at, turn=last)]

    def finish(self, at: float) -> None:
        """The conversation is over."""
        if self._span is not None:
            self._span.end, self._span = at, None


def _add_text(turn: UserTurn, text: str, at: float) -> None:
    turn.text = f"{turn.text} {text}".strip()
    turn.transcribed = at
