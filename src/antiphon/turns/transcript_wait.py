"""Is the transcript of everything the caller said all there?

Theory of operation
-------------------
Each end of speech opens a *stretch* that the transcriber owes an answer for: a finalized
transcript, which may be empty. Answers come in the order of the stretches, so a finalized
transcript answers the oldest open one, and the answer to an earlier stretch never stands for a
later one. The transcript is all there when no stretch is open.

What if an answer does not come? That depends on the transcriber (`TranscriberLatency.answers`):

* one that answers every stretch will answer this one too: there is nothing to count but the
  machine's watchdog. After `_LOST_SECS` the answer is taken to be lost with its stream.
* another may not mark its transcripts as finalized, and says nothing about a cough: when 99 % of
  transcripts would have come since the end of the last stretch, what is there counts as all.

Two cases beside: a transcriber that is quicker than the voice activity detection answers between
the true end of speech and its announcement; and where the machine took sound to be over although
nobody said so, the transcriber does not know of it and owes nothing (`transcript_due`).
"""

from __future__ import annotations

from collections import deque

from antiphon.turns.facts import (
    Fact,
    InferenceTriggered,
    Muted,
    SpeechStarted,
    SpeechStopped,
    TextForgotten,
    TranscriberLatency,
    TranscriptReceived,
    TurnStopped,
)

DEFAULT_TTFS_P99_SECS = 1.0
_LOST_SECS = 10.0
"""The transcription service has asked twice by then, and given up."""


class TranscriptWait:
    """Shared by the strategies that need to know. Times in seconds on the loop's clock."""

    def __init__(self, *, wait_for_transcript: bool) -> None:
        self.wait_for_transcript = wait_for_transcript
        self.latency: float = DEFAULT_TTFS_P99_SECS
        self.text: bool = False
        self.interim: bool = False
        self.finalized: bool = False
        """Nothing more comes for what was said so far."""
        self.until: float | None = None
        """When the transcript counts as complete although it was not finalized."""
        self._answers = False
        self.taken = False
        """Whether an inference has taken the text of this stretch."""
        self._open: deque[float] = deque()
        """The true ends of stretches that have not been answered, oldest first."""
        self._last_end = float("-inf")
        self._early: float | None = None
        """When an answer came that no open stretch had asked for."""

    def receive(self, event: Fact, now: float) -> None:
        """Keeps track of what was heard."""
        match event:
            case SpeechStarted():
                self.finalized, self.until, self._early = False, None, None
                self.text = self.text and not self.taken
                self.taken = False
            case SpeechStopped(at=at, transcript_due=due):
                self._stopped(at, now, due=due)
            case TranscriptReceived(text=text, final=final, finalized=finalized):
                self.interim = not final and bool(text.strip())
                if final and text.strip():
                    self.text, self.taken = True, False
                if finalized:
                    self._answered(now)
            case TranscriberLatency(secs=secs, answers=answers):
                self.latency, self._answers = secs, answers
            case InferenceTriggered():
                self.taken = True  # by whichever strategy: the others may still end the turn
            case TextForgotten():
                self.text = self.finalized = False
                self._early = None
            case Muted():
                self._open.clear()
            case TurnStopped():
                self.text = self.interim = self.finalized = self.taken = False
                self.until = self._early = None

    @property
    def empty(self) -> bool:
        """Whether the transcriber has said that there were no words."""
        return self.finalized and not self.text and not self.interim

    def ready_at(self) -> float | None:
        """Since when, or from when on, the transcript is all there; None: a fact must come
        first.
        """
        if not self.wait_for_transcript or self.empty:
            return 0.0
        if not self.text or (self.interim and not self.finalized and self.until is None):
            return None
        if self.finalized or self.until is None:
            return 0.0
        return None if self._answers and self._open else self.until

    def _stopped(self, at: float, now: float, *, due: bool) -> None:
        self._forget_lost(now)
        if at <= self._last_end:
            return  # told again: strategies of before were kept when others were swapped
        self._last_end = at
        self.until = max(now, at + self.latency)
        # What was finalized before the caller fell silent says nothing about the rest.
        self.finalized = not self._open and self._early is not None and self._early >= at
        if due and not self.finalized:
            self._open.append(at)

    def _answered(self, now: float) -> None:
        self._forget_lost(now)
        if self._open:
            self._open.popleft()
        else:
            self._early = now
        self.finalized = not self._open

    def _forget_lost(self, now: float) -> None:
        lost_after = _LOST_SECS if self._answers else self.latency
        while self._open and self._open[0] + lost_after < now:
            self._open.popleft()
