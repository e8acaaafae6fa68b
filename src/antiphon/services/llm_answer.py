"""One answer of a model, from the provider's events to frames."""

from __future__ import annotations

from antiphon.context.llm_context import ContextSnapshot
from antiphon.frames.llm import (
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMThoughtEndFrame,
    LLMThoughtStartFrame,
    LLMThoughtTextFrame,
)
from antiphon.frames.text import LLMTextFrame
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.contracts import (
    LLMEvent,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)
from antiphon.services.llm_completion import CompletionDriver
from antiphon.services.llm_meter import ResponseMeter
from antiphon.tools.planning import Asked
from antiphon.turns.completion import (
    CompletionResponseStarted,
    ResponseEnded,
    ResponseText,
    ResponseToolCall,
)


class Answer:
    """Pushes what comes of one answer. `calls` are what it asked for so far.

    `said_anything`: something of it is out, so it cannot be tried again unnoticed.
    """

    def __init__(
        self,
        service: FrameProcessor,
        completion: CompletionDriver,
        snapshot: ContextSnapshot,
        *,
        llm: str,
        model: str,
        skip_tts: bool,
    ) -> None:
        self.calls: list[Asked] = []
        self.said_anything: bool = False
        self.said_text: bool = False
        """Something that the caller hears is out."""
        self._service = service
        self._completion = completion
        self._drafts = snapshot.context.drafts
        self._meter = ResponseMeter(service, model)
        self._emitter = service.emitter()
        self._start = LLMFullResponseStartFrame(skip_tts=skip_tts)
        self._llm = llm
        self._skip_tts = skip_tts
        self._thinking = False
        self._drafts.begin(self.response_id, snapshot.version)

    @property
    def response_id(self) -> int:
        """The id of the frame that begins it."""
        return self._start.id

    @property
    def live(self) -> bool:
        """No interruption has made it void."""
        return self._emitter.live

    async def begin(self) -> None:
        """The request is about to be sent."""
        await self._service.push_frame(self._start)
        await self._completion.receive(CompletionResponseStarted())

    async def receive(self, event: LLMEvent) -> None:
        """Takes the provider's next event."""
        await self._meter.first_event()
        match event:
            case TextDelta(text=""):
                pass
            case TextDelta(text=text):
                await self._end_thought()
                self.said_anything = True
                if self._completion.active:
                    text = await self._completion.receive(ResponseText(text))
                await self._say(text)
            case ThoughtDelta(text=text):
                self.said_anything = True
                await self._think(text)
            case ThoughtSignature(signature=signature):
                await self._think("")
                await self._end_thought(signature)
            case ToolCall(id=tool_call_id, name=name, arguments=arguments):
                await self._end_thought()
                await self._say(await self._completion.receive(ResponseToolCall()))
                self.calls.append(Asked(tool_call_id, name, arguments))
            case TokenUsage():
                await self._meter.used(event)

    async def apologise(self, text: str) -> None:
        """Nothing came of it: this is said instead."""
        await self._end_thought()
        await self._say(text)

    async def complete(self) -> None:
        """The provider has ended it."""
        await self._meter.finished()

    async def end(self) -> None:
        """Nothing more comes. Void after an interruption; else the turn ends, whatever happened."""
        await self._end_thought()
        if self.live:
            await self._say(await self._completion.receive(ResponseEnded()))
        await self._service.push_frame(LLMFullResponseEndFrame(skip_tts=self._skip_tts))

    async def _say(self, text: str) -> None:
        if text:
            self.said_text = True
            self._drafts.add(self.response_id, text)
            await self._service.push_frame(LLMTextFrame(text, skip_tts=self._skip_tts))

    async def _think(self, text: str) -> None:
        if not self._thinking:
            self._thinking = True
            await self._service.push_frame(LLMThoughtStartFrame(llm=self._llm))
        if text:
            await self._service.push_frame(LLMThoughtTextFrame(text))

    async def _end_thought(self, signature: object = None) -> None:
        if self._thinking:
            self._thinking = False
            await self._service.push_frame(LLMThoughtEndFrame(signature=signature))
