"""Facts: what the turn machine and its strategies are told.

Facts carry no time of arrival: `receive(event, now)` gives it. Where a fact tells of an earlier
instant (the true beginning or end of speech) it says so in a field of its own. Times are seconds
on the loop's clock.

The last group is not about the world but about the machine's own decisions, so that strategies see
what the others achieved.
"""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon.frames.base import Frame


class Fact(msgspec.Struct, frozen=True):
    """Base of everything a strategy is told."""


# ---- the caller -------------------------------------------------------------------------------


class SpeechStarted(Fact, frozen=True):
    """Voice activity began at `at`; the detector was sure of it `start_secs` later."""

    at: float
    start_secs: float = 0.0


class SpeechStopped(Fact, frozen=True):
    """Voice activity ended at `at`; the detector waited `stop_secs` to be sure of it.

    `transcript_due`: a transcriber that answers every stretch of speech still owes this one's.
    """

    at: float
    stop_secs: float = 0.0
    transcript_due: bool = True


class TranscriptReceived(Fact, frozen=True):
    """A transcript. `final` is never corrected; `finalized`: nothing more comes for this speech."""

    text: str
    final: bool = True
    finalized: bool = False
    user_id: str = ""
    language: str | None = None


class TurnModelVerdict(Fact, frozen=True):
    """A model's opinion on whether the caller is done, from the sound of the turn so far."""

    complete: bool
    probability: float = 0.0


class ProposedStart(Fact, frozen=True):
    """A service with a detector of its own thinks that the caller began a turn."""


class ProposedStop(Fact, frozen=True):
    """A service with a detector of its own thinks that the caller's turn is over."""


class AnnouncedStart(Fact, frozen=True):
    """Somebody else in the pipeline has already announced that a turn began."""


class AnnouncedStop(Fact, frozen=True):
    """Somebody else in the pipeline has already announced that the turn ended."""


class CompletionJudged(Fact, frozen=True):
    """Somebody judged the turn semantically complete (the model's marker, a classifier, ...)."""


class CompletionDenied(Fact, frozen=True):
    """The model judged the turn incomplete, with this marker, and will be asked again."""

    marker: str


class Muted(Fact, frozen=True):
    """From now on nothing the caller does is heard."""


class Unmuted(Fact, frozen=True):
    """The caller is heard again."""


class TranscriberLatency(Fact, frozen=True):
    """After the end of speech 99 % of final transcripts have come within `secs`.

    `answers`: each stretch of speech is answered by a finalized transcript, be it empty or late.
    """

    secs: float
    answers: bool = False


# ---- the agent --------------------------------------------------------------------------------


class BotStarted(Fact, frozen=True):
    """The agent's speech began to be played."""


class BotStopped(Fact, frozen=True):
    """The agent's speech is over, or was cut off."""


class BotSaid(Fact, frozen=True):
    """The agent is saying these words, now or in a moment."""

    text: str


class Interrupted(Fact, frozen=True):
    """Somebody else interrupted the agent."""


class FrameSeen(Fact, frozen=True):
    """A frame of a type that the strategy asked for (`UserTurnStartStrategy.frame_types`)."""

    frame: Frame


# ---- the machine ------------------------------------------------------------------------------


class TurnStarted(Fact, frozen=True):
    """The machine opened a turn."""


class InferenceTriggered(Fact, frozen=True):
    """The machine asked for an answer to what was heard so far."""


class TextForgotten(Fact, frozen=True):
    """The machine threw away what was heard and not yet used."""


class TurnStopped(Fact, frozen=True):
    """The machine closed the turn."""


def describe(fact: Fact) -> str:
    """A fact for people: its name and the fields that differ from their defaults."""
    fields: dict[str, Any] = {
        info.name: getattr(fact, info.name)
        for info in msgspec.structs.fields(fact)
        if info.required or getattr(fact, info.name) != info.default
    }
    body = ", ".join(
        f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v!r}" for k, v in fields.items()
    )
    return f"{type(fact).__name__}({body})"
