"""Words, heard and to be spoken."""

from __future__ import annotations

from typing import Any

from antiphon.frames.base import DataFrame, UninterruptibleFrame


class TextFrame(DataFrame):
    """A piece of text on its way to the caller.

    `skip_tts`: shown but not spoken. `append_to_context`: becomes part of the conversation.
    `includes_inter_frame_spaces`: pieces are joined as they are, without adding spaces.
    """

    text: str
    skip_tts: bool = False
    append_to_context: bool = True
    includes_inter_frame_spaces: bool = False


class LLMTextFrame(TextFrame):
    """A token or more of an LLM's answer; spaces are inside the text."""

    includes_inter_frame_spaces: bool = True


class AggregatedTextFrame(TextFrame):
    """A unit of text of a kind: sentence, word, token, or a name of the user's."""

    aggregated_by: str = "sentence"
    context_id: str | None = None
    raw_text: str | None = None
    will_be_spoken: bool = False


class TTSTextFrame(AggregatedTextFrame):
    """Text the caller hears, a word or a unit, with the pts (ns) at which it is heard.

    `estimated`: by the length of the audio, because the voice does not tell when it says what.
    """

    estimated: bool = False


class TranscriptionFrame(UninterruptibleFrame, DataFrame):
    """What the caller said, final: a fact that no interruption may drop.

    `timestamp` is ISO 8601; `finalized`: confirmed by the provider.
    """

    text: str
    user_id: str = ""
    timestamp: str = ""
    language: str | None = None
    result: Any = None
    finalized: bool = False


class InterimTranscriptionFrame(DataFrame):
    """What the caller seems to be saying; will be corrected."""

    text: str
    user_id: str = ""
    timestamp: str = ""
    language: str | None = None
    result: Any = None


class TranslationFrame(DataFrame):
    """A transcript in another language."""

    text: str
    user_id: str = ""
    timestamp: str = ""
    language: str | None = None
