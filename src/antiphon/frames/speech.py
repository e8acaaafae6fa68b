"""Requests to speak, the boundaries of utterances, and switches of the speech services."""

from __future__ import annotations

from typing import Any

from antiphon.errors import ConfigurationError
from antiphon.frames.base import (
    ControlFrame,
    DataFrame,
    Frame,
    SystemFrame,
    UninterruptibleFrame,
)
from antiphon.frames.lifecycle import EndRequestFrame


class TTSSpeakFrame(DataFrame):
    """Speak this text now, as an utterance of its own."""

    text: str
    append_to_context: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ConfigurationError(f"TTSSpeakFrame(text) takes a string, not {self.text!r:.100}")


class EndCallFrame(EndRequestFrame):
    """Say `text`, if there is one, and end the call when it has been heard.

    On its way upstream it mutes the caller for good: so nothing can cut the words off.
    """

    text: str | None = None

    def before_the_end(self) -> tuple[Frame, ...]:
        """The goodbye."""
        return (TTSSpeakFrame(self.text),) if self.text else ()


class SpeechTurnFrame(ControlFrame):
    """A turn of the assistant without an answer of the model begins; `text` is to be heard."""

    text: str


class TTSStartedFrame(ControlFrame):
    """The utterance `context_id` begins. `request`: the text, if a `TTSSpeakFrame` asked for it."""

    context_id: str | None = None
    append_to_context: bool = True
    request: str | None = None


class TTSStoppedFrame(ControlFrame):
    """All audio of the utterance `context_id` has been sent."""

    context_id: str | None = None


class SpeechLostFrame(ControlFrame):
    """The voice did not say this `text` of the utterance `context_id`, and never will."""

    text: str
    context_id: str | None = None


class STTMuteFrame(SystemFrame):
    """Stop (or resume) transcribing."""

    mute: bool


class VADParamsUpdateFrame(UninterruptibleFrame, ControlFrame):
    """Replace the parameters of voice activity detection (`VADParams`)."""

    params: Any


class STTMetadataFrame(SystemFrame):
    """Tells the turn strategies how long after the end of speech a final transcript may take.

    `answers_every_segment`: each end of speech is followed by a finalized transcript, be it empty.
    """

    ttfs_p99_secs: float
    service: str | None = None
    answers_every_segment: bool = False
