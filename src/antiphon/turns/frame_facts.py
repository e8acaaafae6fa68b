"""From frames to facts: what of what flows by the turn machine wants to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.llm import LLMMarkerFrame
from antiphon.frames.speech import STTMetadataFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame
from antiphon.frames.turns import (
    BotSayingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    UserTurnInferenceCompletedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
    time_of,
)
from antiphon.turns.facts import (
    AnnouncedStart,
    AnnouncedStop,
    BotSaid,
    BotStarted,
    BotStopped,
    CompletionDenied,
    CompletionJudged,
    Fact,
    Interrupted,
    ProposedStart,
    ProposedStop,
    SpeechStarted,
    SpeechStopped,
    TranscriberLatency,
    TranscriptReceived,
)

_MAKERS: dict[type[Frame], Callable[[Any], Fact]] = {
    TranscriptionFrame: lambda f: TranscriptReceived(
        text=f.text, finalized=f.finalized, user_id=f.user_id, language=f.language
    ),
    InterimTranscriptionFrame: lambda f: TranscriptReceived(
        text=f.text, final=False, user_id=f.user_id, language=f.language
    ),
    BotStartedSpeakingFrame: lambda _: BotStarted(),
    BotStoppedSpeakingFrame: lambda _: BotStopped(),
    BotSayingFrame: lambda f: BotSaid(text=f.text),
    ProposedUserStartedSpeakingFrame: lambda _: ProposedStart(),
    ProposedUserStoppedSpeakingFrame: lambda _: ProposedStop(),
    UserStartedSpeakingFrame: lambda _: AnnouncedStart(),
    UserStoppedSpeakingFrame: lambda _: AnnouncedStop(),
    UserTurnInferenceCompletedFrame: lambda _: CompletionJudged(),
    LLMMarkerFrame: lambda f: CompletionDenied(marker=f.marker),
    STTMetadataFrame: lambda f: TranscriberLatency(
        secs=f.ttfs_p99_secs, answers=f.answers_every_segment
    ),
    InterruptionFrame: lambda _: Interrupted(),
}

PROPOSALS: tuple[type[Frame], ...] = (
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
)
"""Where they are decided about they end: one resolver decides."""


def fact_of(frame: Frame, now: float) -> Fact | None:
    """The fact that a frame tells, or None. Subclasses of a frame tell what it tells.

    Raises `InvalidInputError` for a time that cannot be on the loop's clock.
    """
    if isinstance(frame, VADUserStartedSpeakingFrame):
        return SpeechStarted(at=time_of(frame, now) - frame.start_secs, start_secs=frame.start_secs)
    if isinstance(frame, VADUserStoppedSpeakingFrame):
        return SpeechStopped(at=time_of(frame, now) - frame.stop_secs, stop_secs=frame.stop_secs)
    kind = type(frame)
    maker = _MAKERS.get(kind)
    if maker is None:
        maker = next((_MAKERS[base] for base in kind.__mro__ if base in _MAKERS), None)
        if maker is None:
            return None
    return maker(frame)
