"""One answer of a model that speaks, from the provider's events to frames.

The reader of the provider's stream hands events in (`put`, `fail`); the handler of the context
frame, to which the answer belongs, takes them out (`give`). So an interruption ends an answer as it
ends every handler, and what still comes for it finds nobody.

Sound and words leave by the service's `SpeechOrder`, as those of a voice do: words come out with
the sound in which they are heard.
"""

from __future__ import annotations

import asyncio

from antiphon.context.llm_context import ContextSnapshot
from antiphon.context.spoken import Pace
from antiphon.errors import AntiphonError, ConnectivityError, ServerError
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.text import LLMTextFrame
from antiphon.kernel.mailbox import Feed
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import (
    OutputTranscript,
    RealtimeEvent,
    ResponseAudio,
    ResponseDone,
    ResponseStatus,
    SpeechAudio,
    TokenUsage,
    ToolCall,
    TTSCapabilities,
    WordTime,
)
from antiphon.services.llm_meter import ResponseMeter
from antiphon.services.realtime_played import PlayedLedger
from antiphon.services.tts_order import SpeechOrder
from antiphon.services.tts_utterance import Utterance
from antiphon.text.well_formed import TextJoiner
from antiphon.tools.planning import Asked

_SAMPLE_BYTES = 2
_EVENTS = 20_000


class RealtimeVoice:
    """Where an answer's sound goes: the line out of the service, and the count of what is heard."""

    def __init__(self, service: FrameProcessor, sample_rate: int) -> None:
        self.line: SpeechOrder = SpeechOrder(service, sample_rate)
        self.played: PlayedLedger = PlayedLedger()
        self.capabilities: TTSCapabilities = TTSCapabilities(sample_rate=sample_rate)
        self.pace: Pace = Pace()

    def secs(self, pcm: bytes) -> float:
        """How long a piece of sound is."""
        return len(pcm) / _SAMPLE_BYTES / self.capabilities.sample_rate


class RealtimeAnswer:
    """`calls` are those it asked for. `said_anything`: it cannot be tried again unnoticed."""

    def __init__(
        self, service: FrameProcessor, voice: RealtimeVoice, snapshot: ContextSnapshot, model: str
    ) -> None:
        self.calls: list[Asked] = []
        self.said_anything: bool = False
        self.done: bool = False
        """The provider has ended it."""
        self._completed = False
        self._call_ids: list[str] = []
        self._items: set[str] = set()
        self._unheard: list[str] = []
        self.snapshot = snapshot
        self._service, self._voice = service, voice
        self._emitter = service.emitter()
        self._events: Feed[RealtimeEvent | AntiphonError] = Feed(limit=_EVENTS, name="an answer")
        self._start = LLMFullResponseStartFrame()
        self._meter = ResponseMeter(service, model)
        self._utterance: Utterance | None = None
        self._text: TextJoiner = TextJoiner()
        snapshot.context.drafts.begin(self.response_id, snapshot.version)

    @property
    def response_id(self) -> int:
        """The id of the frame that begins it."""
        return self._start.id

    @property
    def live(self) -> bool:
        """No interruption has made it void."""
        return self._emitter.live

    # ---- for the reader -----------------------------------------------------------------------

    def put(self, event: RealtimeEvent) -> None:
        """The provider's next event for it."""
        if isinstance(event, ResponseDone):
            self.done, self._completed = True, event.status is ResponseStatus.COMPLETED
        elif isinstance(event, ToolCall):
            self._call_ids.append(event.id)
        elif isinstance(event, ResponseAudio | OutputTranscript):
            self._count(event)
        if self.live:
            self._events.put(event)

    def _count(self, event: ResponseAudio | OutputTranscript) -> None:
        """Sound counts from its arrival: an interruption may come before the handler sees it."""
        secs = self._voice.secs(event.pcm) if isinstance(event, ResponseAudio) else 0.0
        if self.live:
            self._voice.played.sent(event.item_id, secs, asyncio.get_running_loop().time())
        elif event.item_id not in self._items:
            self._unheard.append(event.item_id)
        self._items.add(event.item_id)

    def unheard(self) -> list[str]:
        """Items that began when the answer was void already; each once."""
        items, self._unheard = self._unheard, []
        return items

    def unanswered(self) -> list[str]:
        """The calls for which the provider waits, of an answer that is void; each once."""
        if self.live or not self._completed:
            return []
        calls, self._call_ids = self._call_ids, []
        return calls

    def fail(self, error: AntiphonError) -> None:
        """Nothing more comes: the connection is lost."""
        self.done = True
        self._events.put(error)

    # ---- for the handler ----------------------------------------------------------------------

    def begin(self) -> None:
        """The answer begins, behind what stands in line."""
        self._voice.line.join(self._start)

    async def give(self, policy: ConnectionPolicy) -> None:
        """Takes events until the answer is over.

        Raises `AntiphonError` if it fails, also by silence.
        """
        limit, what = policy.first_event_secs, "did not begin to answer"
        while True:
            try:
                async with asyncio.timeout(limit):
                    event = await anext(self._events)
            except TimeoutError as error:
                raise ConnectivityError(f"it {what} for {limit:g} s") from error
            if isinstance(event, AntiphonError):
                raise event
            if isinstance(event, ResponseDone):
                await self._ended(event)
                return
            await self._receive(event)
            limit, what = policy.stall_secs, "stopped in the middle of its answer"

    def end(self) -> None:
        """Nothing more is said. Without effect on what an interruption has made void."""
        self._finish_item()
        if self.live:
            self._voice.line.join(LLMFullResponseEndFrame())

    # ---- inside -------------------------------------------------------------------------------

    async def _receive(self, event: RealtimeEvent) -> None:
        await self._meter.first_event()
        now = asyncio.get_running_loop().time()
        match event:
            case ResponseAudio(item_id=item_id, pcm=pcm):
                self.said_anything = True
                self._item(item_id).receive(SpeechAudio(pcm), now)
            case OutputTranscript(item_id=item_id, text=piece, end_secs=end_secs):
                if not (text := self._text.push(piece)):
                    return
                self.said_anything = True
                self.snapshot.context.drafts.add(self.response_id, text)
                await self._service.push_frame(
                    LLMTextFrame(text, skip_tts=True, append_to_context=False)
                )
                item = self._item(item_id)
                item.say(text, text)
                if end_secs is not None:
                    item.receive(WordTime(text.strip(), end_secs, end_secs), now)
            case ToolCall(id=call_id, name=name, arguments=arguments):
                self.calls.append(Asked(call_id, name, arguments))
            case TokenUsage():
                await self._meter.used(event)

    async def _ended(self, event: ResponseDone) -> None:
        await self._meter.finished()
        if event.status is ResponseStatus.FAILED:
            self.calls.clear()
            raise ServerError(event.problem or "its answer failed")

    def _item(self, item_id: str) -> Utterance:
        """The utterance of an item; the one before it is over."""
        if self._utterance is None or self._utterance.context_id != item_id:
            self._finish_item()
            self._utterance = Utterance(
                item_id,
                self._voice.capabilities,
                self._voice.pace,
                append_to_context=True,
                opened=asyncio.get_running_loop().time(),
            )
            self._voice.line.join(self._utterance)
        return self._utterance

    def _finish_item(self) -> None:
        if self._utterance is not None:
            self._utterance.finish()
            self._utterance = None
