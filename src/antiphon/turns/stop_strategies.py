"""Stop strategies: was enough heard to answer, and has the caller finished?

The ground truth for the end of speech is `SpeechStopped.at`, not the arrival of a transcript:
every wait is counted from there. A transcript may come before the end of speech, after it, in
pieces, finalized or not, or never; a strategy is done when its own wait is over and the transcript
is in:

* finalized: at once; but what was finalized for an earlier stretch of speech says nothing about a
  later one (`TranscriptWait`);
* final, not finalized: when 99 % of transcripts would have come (`TranscriberLatency`), because
  another piece may follow;
* finalized and empty: the sound was no speech; the turn ends, with nothing understood;
* none: not at all. A transcript that comes later ends the turn on arrival; one that never comes is
  the machine's business (`user_turn_stop_timeout`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from antiphon.turns.facts import (
    AnnouncedStart,
    AnnouncedStop,
    Fact,
    InferenceTriggered,
    ProposedStart,
    ProposedStop,
    SpeechStarted,
    SpeechStopped,
    TextForgotten,
    TranscriptReceived,
    TurnModelVerdict,
    TurnStopped,
)
from antiphon.turns.opinions import NOTHING, AskTurnModel, EndTurn, Opinion, RunInference
from antiphon.turns.pauses import PauseTracker, PauseWatch
from antiphon.turns.strategy import TurnModel, UserTurnStopStrategy
from antiphon.turns.transcript_wait import TranscriptWait

_SINK_AFTER_YES = 0.5
"""The model's yes is worth something: what a wrong one taught is soon forgotten. Found with
benchmarks/turns.py: slower, and callers who pause now and then wait longer than it saves them.
"""


class SpeechTimeoutUserTurnStopStrategy(UserTurnStopStrategy):
    """The turn is over `user_speech_timeout` seconds after the end of speech.

    Without voice activity detection the wait is counted from the last transcript.
    """

    def __init__(
        self,
        *,
        user_speech_timeout: float = 0.6,
        wait_for_transcript: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(enable_user_speaking_frames=enable_user_speaking_frames)
        self.user_speech_timeout = user_speech_timeout
        self._transcript = TranscriptWait(wait_for_transcript=wait_for_transcript)
        self._speaking = False
        self._heard_speech = False
        self._patience_until: float | None = None

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        self._transcript.receive(event, now)
        match event:
            case SpeechStarted():
                self._speaking, self._heard_speech = True, True
                self._patience_until = self.deadline = None
            case SpeechStopped(at=at):
                self._speaking, self._heard_speech = False, True
                self._patience_until = max(now, at + self.patience())
            case TranscriptReceived() if not self._speaking and not self._heard_speech:
                self._patience_until = now + self.patience()
            case TurnStopped():
                self._heard_speech = self._speaking
                self._patience_until = self.deadline = None
        return self._decide(now)

    def tick(self, now: float) -> Sequence[Opinion]:
        return self._decide(now)

    def patience(self) -> float:
        """Seconds of silence that end a turn."""
        return self.user_speech_timeout

    def _decide(self, now: float) -> Sequence[Opinion]:
        self.deadline = None
        ready = self._transcript.ready_at()
        if self._speaking or self._patience_until is None or ready is None:
            return NOTHING
        at = max(self._patience_until, ready)
        if now < at:
            self.deadline = at
            return NOTHING
        reason = f"{self.patience():.2f} s of silence" + (
            ", transcript finalized" if self._transcript.finalized else ""
        )
        if self._transcript.empty:
            return (EndTurn("the transcriber heard no words"),)
        if not self._transcript.wait_for_transcript:
            self._patience_until = None
        if self._transcript.taken:
            return (EndTurn(reason),)
        return (RunInference(reason), EndTurn(reason))


TranscriptionUserTurnStopStrategy = SpeechTimeoutUserTurnStopStrategy


class TurnAnalyzerUserTurnStopStrategy(UserTurnStopStrategy):
    """A model listens to the turn and says whether the caller is done.

    It is asked at the end of each stretch of speech. When it says yes, the turn is over as soon as
    the transcript is in; when it says no, or says nothing, a silence of `stop_secs` decides: the
    model is a hint, silence is a fact. `turn_analyzer` is asked by the driver; None stands for the
    embedded model.

    Even a yes takes a silence: of `min_silence` when the model is sure, of up to `unsure_secs` more
    when it is not. And it is believed as far as it was right: `adaptive` lengthens that silence for
    a caller who went on after a yes, as dynamic endpointing does, up to `longest_silence`.
    """

    def __init__(
        self,
        *,
        turn_analyzer: TurnModel | None = None,
        stop_secs: float = 3.0,
        min_silence: float = 0.2,
        unsure_secs: float = 0.6,
        adaptive: bool = True,
        longest_silence: float = 2.0,
        wait_for_transcript: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(enable_user_speaking_frames=enable_user_speaking_frames)
        self.turn_analyzer = turn_analyzer
        self.stop_secs = stop_secs
        self.min_silence = min_silence
        self.unsure_secs = unsure_secs
        longest = max(min_silence, longest_silence if adaptive else 0.0)
        self.tracker: PauseTracker = PauseTracker(
            min_silence, shortest=min_silence, longest=longest, sink=_SINK_AFTER_YES
        )
        self._pauses = PauseWatch(self.tracker)
        self._transcript = TranscriptWait(wait_for_transcript=wait_for_transcript)
        self._speaking = False
        self._ended_at: float | None = None
        self._complete = False
        self._probability = 0.0

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        self._transcript.receive(event, now)
        self._pauses.receive(event, now, counts=self._complete)
        ask: tuple[Opinion, ...] = ()
        match event:
            case SpeechStarted():
                self._speaking, self._ended_at, self._complete = True, None, False
            case SpeechStopped(at=at):
                self._speaking, self._ended_at = False, at
                ask = (AskTurnModel(),)
            case TurnModelVerdict(complete=complete, probability=probability):
                if not self._speaking:
                    self._complete, self._probability = complete, probability
            case TranscriptReceived() if not self._speaking and self._ended_at is None:
                self._ended_at, self._complete, self._probability = now, True, 1.0
            case TurnStopped():
                self._ended_at, self._complete = None, False
        return (*ask, *self._decide(now))

    def tick(self, now: float) -> Sequence[Opinion]:
        return self._decide(now)

    def patience(self) -> float:
        """Seconds of silence that end the turn, after what the model said."""
        if not self._complete:
            return self.stop_secs
        doubt = 2.0 * (1.0 - self._probability)
        unsure = self.min_silence + min(max(doubt, 0.0), 1.0) * self.unsure_secs
        return min(max(unsure, self.tracker.wait), self.stop_secs)

    def _decide(self, now: float) -> Sequence[Opinion]:
        self.deadline = None
        ready = self._transcript.ready_at()
        if self._speaking or self._ended_at is None or ready is None:
            return NOTHING
        patience = self.patience()
        at = max(self._ended_at + patience, ready)
        if now < at:
            self.deadline = at
            return NOTHING
        reason = (
            f"the turn model says complete ({self._probability:.2f}), {patience:.2f} s of silence"
            if self._complete
            else f"{self.stop_secs:.2f} s of silence, the turn model does not say complete"
        )
        if self._transcript.empty:
            return (EndTurn("the transcriber heard no words"),)
        if not self._transcript.wait_for_transcript:
            self._ended_at = None
        if self._transcript.taken:
            return (EndTurn(reason),)
        return (RunInference(reason), EndTurn(reason))


class ExternalUserTurnStopStrategy(UserTurnStopStrategy):
    """A service with a detector of its own decides: the turn is over when it proposes or says so.

    After the proposal it waits for a final transcript, as long as an interim one says that more
    comes, and until voice activity, if there is any, has ended; what is missing after `timeout`
    seconds it does without.
    """

    resolves_proposals: ClassVar[bool] = True

    def __init__(
        self,
        *,
        timeout: float = 0.5,
        wait_for_transcript: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(enable_user_speaking_frames=enable_user_speaking_frames)
        self.timeout = timeout
        self._wait = wait_for_transcript
        self._speaking = False
        self._text = False
        self._interim = False
        self._proposed_at: float | None = None
        self._announced = False

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case SpeechStarted():
                self._speaking, self._proposed_at = True, None
            case SpeechStopped():
                self._speaking = False
            case ProposedStart() | AnnouncedStart():
                self._proposed_at = None
            case ProposedStop() | AnnouncedStop():
                self._proposed_at, self._announced = now, isinstance(event, AnnouncedStop)
            case TranscriptReceived(text=text, final=final):
                self._interim = not final and bool(text.strip())
                self._text = self._text or (final and bool(text.strip()))
            case InferenceTriggered() | TextForgotten():
                self._text = False
            case TurnStopped():
                self._text = self._interim = False
                self._proposed_at = None
        return self._decide(now)

    def tick(self, now: float) -> Sequence[Opinion]:
        return self._decide(now)

    def _decide(self, now: float) -> Sequence[Opinion]:
        self.deadline = None
        if self._proposed_at is None or self._speaking:
            return NOTHING
        done = (self._text and not self._interim) or not self._wait
        waited = now >= self._proposed_at + self.timeout
        if not done and not (waited and self._text):
            if not waited:
                self.deadline = self._proposed_at + self.timeout
            return NOTHING
        reason = "announced by somebody else" if self._announced else "proposed by a service"
        announce = not self._announced
        self._proposed_at = None
        return (RunInference(reason), EndTurn(reason, announce=announce))
