"""The text of a model's answer, as every encoder takes it."""

from __future__ import annotations

from antiphon.services.contracts import LLMEvent, TextDelta, ThoughtDelta, ToolCall
from antiphon.text.well_formed import TextJoiner, well_formed_text


class AnswerText:
    """Makes the text of a stream of events well formed: halves of an emoji are joined over deltas,
    also where other events stand between them.
    """

    def __init__(self) -> None:
        self._said: TextJoiner = TextJoiner()
        self._thought: TextJoiner = TextJoiner()

    def push(self, event: LLMEvent) -> list[LLMEvent]:
        """The event as it goes on; nothing where all of its text waits for more."""
        match event:
            case TextDelta(text=text):
                ready = self._said.push(text)
                return [event] if ready == text else self._deltas(ready, "")
            case ThoughtDelta(text=text):
                ready = self._thought.push(text)
                return [event] if ready == text else self._deltas("", ready)
            case ToolCall(id=call_id, name=name, arguments=arguments):
                before = self.flush()  # no delta of this stretch comes behind a call
                return [
                    *before,
                    ToolCall(call_id, well_formed_text(name), well_formed_text(arguments)),
                ]
        return [event]

    def flush(self) -> list[LLMEvent]:
        """The stream is over, or a stretch of it."""
        return self._deltas(self._said.flush(), self._thought.flush())

    @staticmethod
    def _deltas(said: str, thought: str) -> list[LLMEvent]:
        events: list[LLMEvent] = []
        if thought:
            events.append(ThoughtDelta(thought))
        if said:
            events.append(TextDelta(said))
        return events
