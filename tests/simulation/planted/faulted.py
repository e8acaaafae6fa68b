"""Small parts whose bugs show only when somebody else fails, each with the bug and without it."""

from __future__ import annotations

import json
from contextlib import aclosing

from antiphon.errors import InvalidInputError, ServiceError
from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from antiphon.frames.base import DataFrame, Frame
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.services.contracts import LLMProvider, LLMRequest, TextDelta
from antiphon.simulation.contracts import PartTrace
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.faults import faulty
from antiphon.transports.serializer import Wire


class Question(DataFrame):
    """Asks the model; `number` tells one from another."""

    number: int


def unreliable(fails_after: int | None) -> LLMProvider:
    """A model that says three words, and breaks off once after so many events."""
    provider = FakeLLMProvider(default="Well my friend", first_token=0.02, between_tokens=0.01)
    if fails_after is None:
        return provider
    return faulty(provider, {"error_once": "connectivity", "on": "event", "after": fails_after})


class Teller(FrameProcessor):
    """Asks again when the model breaks off. Bug: says the beginning twice."""

    def __init__(self, *, bug: bool = False, fails_after: int | None = None) -> None:
        super().__init__()
        self._bug = bug
        self._provider = unreliable(fails_after)

    @handles(Question)
    async def answer(self, frame: Question, direction: FrameDirection) -> None:
        for _ in range(2):
            said = False
            request = LLMRequest(messages=({"role": "user", "content": str(frame.number)},))
            try:
                stream = self._provider.complete(request)
                async with aclosing(stream) as events:  # type: ignore[type-var]
                    async for event in events:
                        if isinstance(event, TextDelta):
                            said = True
                            await self.push_frame(TextFrame(event.text))
            except ServiceError as error:
                if said and not self._bug:
                    await self.push_error("it broke off", exception=error)
                    return
                continue
            return


def nothing_twice(trace: PartTrace) -> str | None:
    """No answer begins twice: as many beginnings as questions, at most."""
    asked = sum(isinstance(frame, Question) for frame in trace.sent)
    said = [entry.frame for entry in trace.made(TextFrame)]
    begun = sum(isinstance(frame, TextFrame) and frame.text == "Well" for frame in said)
    return f"{begun} answers to {asked} questions" if begun > asked else None


class Line:
    """A protocol in JSON. Bug: half a message is the end of it."""

    def __init__(self, *, bug: bool = False) -> None:
        self._bug = bug
        self._rate = 0
        self._buffer = ""

    def setup(self, frame: StartFrame) -> None:
        self._rate, self._buffer = frame.audio_in_sample_rate, ""

    def serialize(self, frame: Frame) -> Wire | None:
        if not isinstance(frame, OutputAudioRawFrame):
            return None
        return json.dumps({"media": frame.audio.hex()})

    def deserialize(self, data: Wire) -> Frame | None:
        text = data if isinstance(data, str) else data.decode(errors="replace")
        if self._bug:  # believes that messages may come in pieces
            text = self._buffer + text
        try:
            message = json.loads(text)
            media = bytes.fromhex(message["media"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self._buffer = text
            raise InvalidInputError(f"this is no message of the line: {error}") from error
        self._buffer = ""
        return InputAudioRawFrame(media, self._rate)
