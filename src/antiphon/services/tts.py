"""The voice's place in a pipeline: text in; audio, and the words that are heard in it, out.

Theory of operation
-------------------
Ordered frames stand in one *line*: frames that pass, and *utterances*. The text of one answer (or
of a `TTSSpeakFrame`) is an utterance, under one context id; it is cut into sentences, and each
goes to the provider as soon as it is complete. Providers work ahead: several utterances are
synthesised at once, but the one task that serves the line (`_emit`) sends them one after the
other, and each frame in its place:

    TTSStartedFrame  AggregatedTextFrame  (TTSAudioRawFrame | TTSTextFrame | placed frame)*
    TTSStoppedFrame

Words (`TTSTextFrame`) have a pts on the conversation's clock: that of their `TTSStartedFrame` plus
their end in the utterance's audio. When nothing waits, frames do not stand in line at all.

Everything in the line belongs to one epoch. An interruption voids it: the kernel cancels the
provider's streams and the emitting task, and `_fresh` throws the line away but for uninterruptible
frames, which go on in their order. Whoever notices the new epoch first does so.

Bounds: a provider that owes audio (it took text and gave nothing) for `stall_timeout_secs` is
given up, and the line goes on; a retryable failure before any audio is retried once; an utterance
without audio is reported; after `max_failures` of them in a row, or an error that will not go
away, nothing is spoken any more.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import ClassVar, cast

from antiphon.context.spoken import Pace, SpokenWord
from antiphon.errors import AntiphonError, ConnectivityError, ServiceError
from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    EndFrame,
    InterruptionFrame,
    MetricsData,
    MetricsFrame,
    StartFrame,
    StopFrame,
    TTFBMetricsData,
    TTSUsageMetricsData,
)
from antiphon.frames.llm import (
    LLMAssistantPushAggregationFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSUpdateSettingsFrame,
)
from antiphon.frames.speech import TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import (
    AggregatedTextFrame,
    LLMTextFrame,
    TextFrame,
    TTSTextFrame,
)
from antiphon.frames.transport import PlayoutBufferFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.hooks import Event
from antiphon.kernel.processor import Emitter, FrameProcessor, handles
from antiphon.services.contracts import Configurable, TTSEvent, TTSProvider
from antiphon.services.tts_utterance import Utterance
from antiphon.settings import TTSSettings
from antiphon.text.sentences import SentenceSplitter, split
from antiphon.text.speakable import has_words, speakable

_NS = 1_000_000_000
_DRAIN_STEP_SECS = 5.0

Transform = Callable[[str], str]


class TTSService(FrameProcessor):
    """Runs one provider. Vendors' services are this class bound to theirs.

    `text_transforms` make text speakable, one after the other; what is shown and remembered stays
    as it was. `first_clause`: the first piece of an answer may end at a comma (default: where the
    voice speaks piece by piece). `max_in_flight`: utterances synthesised at once.
    """

    Settings: ClassVar[type[TTSSettings]] = TTSSettings

    on_connected = Event[[]]()
    on_disconnected = Event[[]]()
    on_connection_error = Event[[str]]()
    on_tts_request = Event[[str, str]]()

    def __init__(
        self,
        provider: TTSProvider,
        *,
        settings: TTSSettings | None = None,
        text_transforms: Sequence[Transform] = (speakable,),
        first_clause: bool | None = None,
        stall_timeout_secs: float = 8.0,
        max_in_flight: int = 3,
        max_failures: int = 3,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.provider = provider
        self.settings = settings or self.Settings()
        self.usable = True
        self._transforms = tuple(text_transforms)
        self._stall_timeout = stall_timeout_secs
        self._max_in_flight = max_in_flight
        self._max_failures = max_failures
        early = provider.capabilities.piecewise if first_clause is None else first_clause
        self._splitter = SentenceSplitter(self.settings.language or "en", first_clause=early)
        self._pace = Pace()
        self._line: deque[Frame | Utterance] = deque()
        self._epoch: Emitter | None = None
        self._emitting = False
        self._answer: Utterance | None = None
        self._answering = False
        self._unstarted: deque[Utterance] = deque()
        self._running: set[Utterance] = set()
        self._failures = 0
        self._room = asyncio.Event()
        self._empty = asyncio.Event()

    # ---- life cycle ----------------------------------------------------------------------------

    @handles(StartFrame)
    async def _start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._room.set()
        self._epoch = self.emitter()
        if isinstance(self.provider, Configurable):
            self.provider.configure(self.settings)
        try:
            await self.provider.connect()
        except ServiceError as error:
            self.usable = error.retryable
            await self.push_error(f"{self.name} cannot connect: {error}", exception=error)
            await self.on_connection_error.emit(str(error))
        else:
            await self.on_connected.emit()

    @handles(EndFrame, StopFrame)
    async def _end(self, frame: Frame, direction: FrameDirection) -> None:
        self._fresh()
        self._end_answer()
        while self._line:
            self.allow(2 * _DRAIN_STEP_SECS)
            self._empty.clear()
            try:
                async with asyncio.timeout(_DRAIN_STEP_SECS):
                    await self._empty.wait()
            except TimeoutError:
                self._fresh()

    async def cleanup(self) -> None:
        await self.provider.close()
        await self.on_disconnected.emit()

    @handles(InterruptionFrame)
    async def _interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self._fresh()

    def _fresh(self) -> None:
        """Throws away what an interruption has voided, once."""
        if self._epoch is not None and self._epoch.live:
            return
        self._epoch = self.emitter()
        line, self._line = self._line, deque()
        self._emitting = self._answering = False
        self._answer, self._running = None, set()
        self._unstarted.clear()
        self._splitter.reset()
        self._room.set()
        self._empty.set()
        for item in line:
            for kept in item.left_over() if isinstance(item, Utterance) else (item,):
                if not kept.interruptible:
                    _ = self.push_frame(kept)

    # ---- what comes in -------------------------------------------------------------------------

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Everything else passes, ordered frames in their place between the utterances."""
        if frame.urgent or direction is FrameDirection.UPSTREAM:
            await self.push_frame(frame, direction)
            return
        self._fresh()
        self._stand_in_line(frame)

    @handles(PlayoutBufferFrame)
    async def _buffer(self, frame: PlayoutBufferFrame, direction: FrameDirection) -> None:
        if frame.full:
            self._room.clear()
        else:
            self._room.set()
        await self.push_frame(frame, direction)

    @handles(LLMFullResponseStartFrame)
    async def _answer_starts(
        self, frame: LLMFullResponseStartFrame, direction: FrameDirection
    ) -> None:
        self._fresh()
        self._end_answer()
        self._answering = True
        self._stand_in_line(frame)

    @handles(LLMFullResponseEndFrame)
    async def _answer_ends(self, frame: LLMFullResponseEndFrame, direction: FrameDirection) -> None:
        self._fresh()
        self._end_answer()
        self._stand_in_line(frame)

    @handles(TextFrame)
    async def _text(self, frame: TextFrame, direction: FrameDirection) -> None:
        self._fresh()
        if frame.skip_tts or isinstance(frame, TTSTextFrame):
            self._stand_in_line(frame)
        elif isinstance(frame, AggregatedTextFrame):
            self._say(frame.text, kind=frame.aggregated_by, append=frame.append_to_context)
        elif isinstance(frame, LLMTextFrame) or self._answering:
            for piece in self._splitter.push(frame.text):
                self._say(piece, append=frame.append_to_context)
        else:
            self._speak(frame.text, append=frame.append_to_context)

    @handles(TTSSpeakFrame)
    async def _speak_frame(self, frame: TTSSpeakFrame, direction: FrameDirection) -> None:
        self._fresh()
        self._speak(frame.text, append=frame.append_to_context)

    @handles(TTSUpdateSettingsFrame)
    async def _update(self, frame: TTSUpdateSettingsFrame, direction: FrameDirection) -> None:
        if frame.service is not None and frame.service != self.name:
            await self.process_frame(frame, direction)
            return
        try:
            settings = self.settings.updated(frame.settings)
        except AntiphonError as error:
            await self.push_error(f"{self.name}: {error}", exception=error)
            return
        if not isinstance(self.provider, Configurable):
            await self.push_error(f"{self.name}: {self.provider.name} takes no settings now")
            return
        self.settings = settings
        self.provider.configure(settings)
        self._splitter.language = (settings.language or "en").split("-")[0].lower()

    # ---- text to utterances --------------------------------------------------------------------

    def _speak(self, text: str, *, append: bool) -> None:
        """An utterance of its own."""
        if not has_words(text):
            return
        utterance = self._open(append=append)
        for piece in split(text, self._splitter.language):
            self._give(utterance, piece, kind="sentence")
        self._complete(utterance)
        if append and not self._answering:
            self._stand_in_line(LLMAssistantPushAggregationFrame())

    def _say(self, piece: str, *, append: bool, kind: str = "sentence") -> None:
        """A piece of the answer under way."""
        if self._answer is None or self._answer.append_to_context is not append:
            self._close_answer()
            if not piece.strip():
                return
            self._answer = self._open(append=append)
        self._give(self._answer, piece, kind=kind)
        if not self._answering:
            self._close_answer()

    def _end_answer(self) -> None:
        for piece in self._splitter.flush():
            self._say(piece, append=self._answer is None or self._answer.append_to_context)
        self._close_answer()
        self._answering = False

    def _close_answer(self) -> None:
        if self._answer is not None:
            self._complete(self._answer)
            self._answer = None

    def _complete(self, utterance: Utterance) -> None:
        utterance.complete()
        if utterance.is_silent:
            utterance.finish()

    def _open(self, *, append: bool) -> Utterance:
        utterance = Utterance(
            uuid.uuid4().hex,
            self.provider.capabilities,
            self._pace,
            append_to_context=append,
            opened=self.clock.now(),
            stall_timeout=self._stall_timeout,
        )
        self._stand_in_line(utterance)
        return utterance

    def _give(self, utterance: Utterance, shown: str, *, kind: str) -> None:
        spoken = shown
        for transform in self._transforms:
            spoken = transform(spoken)
        said = has_words(spoken) and self.usable
        unit = AggregatedTextFrame(
            text=shown,
            aggregated_by=kind,
            context_id=utterance.context_id,
            will_be_spoken=said,
            append_to_context=not said and self.usable and utterance.append_to_context,
            includes_inter_frame_spaces=True,
        )
        utterance.place(unit)
        if said:
            _ = self.on_tts_request.emit(utterance.context_id, spoken)
            if utterance.is_silent:
                self._unstarted.append(utterance)
            utterance.say(shown, spoken)
            self._start_synthesis()

    # ---- the line ------------------------------------------------------------------------------

    def _stand_in_line(self, item: Frame | Utterance) -> None:
        if isinstance(item, Frame):
            if not self._line:
                _ = self.push_frame(item)
                return
            if self._answer is not None and self._line[-1] is self._answer:
                # In the middle of an answer: after what has been said of it so far.
                self._answer.place(item)
                return
        self._line.append(item)
        if not self._emitting:
            self._emitting = True
            self.create_task(self._emit(), name="speech", bound=True)

    async def _emit(self) -> None:
        """Sends what stands in line, until nobody does."""
        line = self._line
        while line:
            head = line[0]
            if isinstance(head, Utterance):
                await self._send(head)
            else:
                await self.push_frame(head)
            line.popleft()
        self._emitting = False
        self._empty.set()

    async def _send(self, utterance: Utterance) -> None:
        base = 0
        while True:
            while utterance.has_audio:
                if not self._room.is_set():
                    await self._room.wait()
                if not utterance.announced:
                    base = await self._announce(utterance)
                pcm, secs = utterance.next_slice()
                await self._send_heard(utterance, utterance.heard_by(0.0), base)
                await self.push_frame(
                    TTSAudioRawFrame(
                        audio=pcm,
                        sample_rate=self.provider.capabilities.sample_rate,
                        context_id=utterance.context_id,
                    )
                )
                await self._send_heard(utterance, utterance.heard_by(secs), base)
            if utterance.done:
                break
            if utterance.announced:
                await self._send_heard(utterance, utterance.heard_so_far(), base)
            utterance.awake.clear()
            await utterance.awake.wait()
        await self._send_heard(utterance, utterance.rest(), base)
        if utterance.announced:
            await self.push_frame(TTSStoppedFrame(context_id=utterance.context_id))

    async def _announce(self, utterance: Utterance) -> int:
        utterance.announced = True
        base = self.clock.get_time()
        await self.push_frame(
            TTSStartedFrame(
                context_id=utterance.context_id,
                append_to_context=utterance.append_to_context,
                pts=base,
            )
        )
        return base

    async def _send_heard(
        self, utterance: Utterance, items: Sequence[SpokenWord | Frame], base: int
    ) -> None:
        for item in items:
            if isinstance(item, Frame):
                await self.push_frame(item)
                continue
            await self.push_frame(
                TTSTextFrame(
                    text=item.text,
                    aggregated_by="word",
                    context_id=utterance.context_id,
                    will_be_spoken=True,
                    append_to_context=item.in_context,
                    includes_inter_frame_spaces=True,
                    pts=base + round(item.end_secs * _NS),
                )
            )

    # ---- the provider --------------------------------------------------------------------------

    def _start_synthesis(self) -> None:
        while self._unstarted and len(self._running) < self._max_in_flight:
            utterance = self._unstarted.popleft()
            self._running.add(utterance)
            self.create_task(self._synthesise(utterance), name="synthesis", bound=True)

    async def _synthesise(self, utterance: Utterance) -> None:
        running = self._running
        try:
            await self._attempts(utterance)
        finally:
            utterance.finish()
            running.discard(utterance)
        self._start_synthesis()
        await self._count_failure(utterance)
        await self._report_usage(utterance)

    async def _attempts(self, utterance: Utterance) -> None:
        try:
            await self._attempt(utterance)
        except ServiceError as error:
            if utterance.first_audio is not None or not error.retryable:
                await self._failed(error)
                return
            try:
                await self._attempt(utterance)
            except ServiceError as again:
                await self._failed(again)

    async def _attempt(self, utterance: Utterance) -> None:
        # The contract says that closing the iterator is the cancellation: it is a generator.
        stream = cast("AsyncGenerator[TTSEvent, None]", self.provider.synthesize(utterance.text()))
        async with aclosing(stream) as events:
            iterator = aiter(events)
            while True:
                try:
                    event = await utterance.next_event(iterator)
                except TimeoutError as error:
                    raise ConnectivityError(f"{self.provider.name} owes audio") from error
                if event is None:
                    return
                first = utterance.first_audio is None
                utterance.receive(event, self.clock.now())
                if first and utterance.first_audio is not None:
                    await self._report_ttfb(utterance)

    async def _failed(self, error: ServiceError) -> None:
        await self.push_error(f"{self.provider.name} failed to speak: {error}", exception=error)
        await self.on_connection_error.emit(str(error))
        if not error.retryable:
            await self._give_up()

    async def _count_failure(self, utterance: Utterance) -> None:
        if utterance.first_audio is not None:
            self._failures = 0
            return
        self._failures += 1
        await self.push_error(f"{self.provider.name} gave no audio for an utterance")
        if self._failures >= self._max_failures:
            await self._give_up()

    async def _give_up(self) -> None:
        if self.usable:
            self.usable = False
            await self.push_error(f"{self.name} gives up on {self.provider.name}: no more speech")

    async def _report_ttfb(self, utterance: Utterance) -> None:
        if self.params.enable_metrics and utterance.first_audio is not None:
            value = utterance.first_audio - utterance.opened
            await self._report(
                TTFBMetricsData(processor=self.name, value=value, model=self.settings.model)
            )

    async def _report_usage(self, utterance: Utterance) -> None:
        if self.params.enable_usage_metrics:
            await self._report(
                TTSUsageMetricsData(
                    processor=self.name,
                    characters=utterance.characters,
                    model=self.settings.model,
                )
            )

    async def _report(self, data: MetricsData) -> None:
        await self.push_frame(MetricsFrame(data=(data,)))
