"""Stretches of a model's reasoning, collected from their frames. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon.context.messages import LLMSpecificMessage
from antiphon.frames.llm import LLMThoughtEndFrame, LLMThoughtStartFrame, LLMThoughtTextFrame

ThoughtFrame = LLMThoughtStartFrame | LLMThoughtTextFrame | LLMThoughtEndFrame


class Thought(msgspec.Struct, frozen=True):
    """A complete stretch. `llm` names the provider that needs it back, None if nobody does."""

    text: str
    timestamp: str
    llm: str | None
    signature: Any

    @property
    def to_keep(self) -> LLMSpecificMessage | None:
        """The message by which its provider finds it again, if it wants to."""
        if self.llm is None:
            return None
        data = {"type": "thought", "text": self.text, "signature": self.signature}
        return LLMSpecificMessage(self.llm, data)


class ThoughtCollector:
    """Collects one stretch at a time."""

    def __init__(self) -> None:
        self._began: LLMThoughtStartFrame | None = None
        self._timestamp = ""
        self._text = ""

    def receive(self, frame: ThoughtFrame, timestamp: str) -> Thought | None:
        """Takes a frame; the stretch when it is complete."""
        match frame:
            case LLMThoughtStartFrame():
                self._began, self._timestamp, self._text = frame, timestamp, ""
            case LLMThoughtTextFrame(text=text):
                self._text += text
            case LLMThoughtEndFrame(signature=signature) if self._began is not None:
                wanted = self._began.append_to_context or signature is not None
                llm = self._began.llm if wanted else None
                self._began = None
                return Thought(self._text, self._timestamp, llm, signature)
        return None

    def drop(self) -> None:
        """Forgets a stretch that was cut off: without its signature nobody can use it."""
        self._began = None
