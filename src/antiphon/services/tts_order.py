"""The line in which frames and utterances stand on their way out of a voice's service.

One task of the present epoch serves it: an utterance is sent as its audio comes, everything behind
it waits, and each frame comes out in its place. When nobody stands in line, frames pass without
it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from antiphon.context.spoken import Heard, SpokenMark
from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.llm import LLMAssistantPushAggregationFrame
from antiphon.frames.speech import SpeechLostFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import TTSTextFrame
from antiphon.frames.turns import BotSayingFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.tts_utterance import Utterance

_NS = 1_000_000_000


class SpeechOrder:
    """Belongs to one processor."""

    def __init__(self, processor: FrameProcessor, sample_rate: int) -> None:
        self._processor = processor
        self._sample_rate = sample_rate
        self.sent: int = 0
        """How many frames and slices of audio have gone out."""
        self._items: deque[Frame | Utterance] = deque()
        self._emitting = False
        self._room = asyncio.Event()
        self._room.set()
        self._empty = asyncio.Event()
        self._last_pts = 0

    def __bool__(self) -> bool:
        return bool(self._items)

    def join(self, item: Frame | Utterance, answer: Utterance | None = None) -> None:
        """Stands in line, in the middle of `answer` if it is the last there."""
        if isinstance(item, Frame):
            if not self._items:
                _ = self._processor.push_frame(item)
                return
            if answer is not None and self._items[-1] is answer:
                answer.place(item)
                return
        self._items.append(item)
        self.resume()

    def set_room(self, *, full: bool) -> None:
        """Whether audio is to be held back."""
        if full:
            self._room.clear()
            return
        self._room.set()
        if self._items and isinstance(head := self._items[0], Utterance):
            head.awake.set()

    def void(self) -> list[Frame | Utterance]:
        """Everybody goes, but for the frames that must not be lost: they come out, in their order,
        when the line is used again. Returns those who stood in it.
        """
        items = list(self._items)
        self._items.clear()
        self._emitting = False
        self._room.set()
        for item in items:
            for frame in item.left_over() if isinstance(item, Utterance) else (item,):
                if not frame.interruptible:
                    self._items.append(frame)
        if not self._items:
            self._empty.set()
        return items

    def resume(self) -> None:
        """Lets out what stands in line."""
        if self._items and not self._emitting:
            self._emitting = True
            self._processor.create_task(self._emit(), name="speech", bound=True)

    async def wait_empty(self, timeout: float) -> None:
        """Until nobody stands in line, at most `timeout` seconds."""
        self.resume()
        self._empty.clear()
        try:
            async with asyncio.timeout(timeout):
                while self._items:
                    await self._empty.wait()
        except TimeoutError:
            return

    async def _emit(self) -> None:
        items = self._items
        while items:
            head = items[0]
            if isinstance(head, Utterance):
                await self._send(head)
            elif isinstance(head, LLMAssistantPushAggregationFrame):
                await self._processor.push_frame(replace(head, pts=self._last_pts + 1))
            else:
                await self._processor.push_frame(head)
            items.popleft()
            self.sent += 1
        self._emitting = False
        self._empty.set()

    async def _send(self, utterance: Utterance) -> None:
        base, clock = 0, self._processor.clock
        while utterance.has_audio or not utterance.done:
            if not utterance.has_audio or not self._room.is_set():
                if utterance.began is not None:
                    await self._send_heard(utterance, utterance.heard(clock.now()), base)
                await self._news(utterance)
                continue
            if utterance.began is None:
                base = await self._announce(utterance)
                await self._send_heard(utterance, utterance.beginning(), base)
            self.sent += 1
            await self._processor.push_frame(
                TTSAudioRawFrame(
                    audio=utterance.next_slice(),
                    sample_rate=self._sample_rate,
                    context_id=utterance.context_id,
                )
            )
            for text in utterance.sayings():
                await self._processor.push_frame(BotSayingFrame(text), FrameDirection.UPSTREAM)
            await self._send_heard(utterance, utterance.heard(clock.now()), base)
            await asyncio.sleep(0)  # so that an output that is full can say so
        await self._send_heard(utterance, utterance.rest(), base)
        if utterance.append_to_context and (lost := utterance.lost.strip()):
            await self._processor.push_frame(SpeechLostFrame(lost, utterance.context_id))
        if utterance.began is not None:
            await self._processor.push_frame(TTSStoppedFrame(context_id=utterance.context_id))

    async def _news(self, utterance: Utterance) -> None:
        """Until there may be something to send."""
        now = self._processor.clock.now()
        due = utterance.due if utterance.began is not None else None
        if due is not None and due <= now:
            return
        utterance.awake.clear()
        try:
            async with asyncio.timeout_at(due):
                await utterance.awake.wait()
        except TimeoutError:
            return

    async def _announce(self, utterance: Utterance) -> int:
        utterance.began = self._processor.clock.now()
        self._last_pts = base = self._processor.clock.get_time()
        await self._processor.push_frame(
            TTSStartedFrame(
                context_id=utterance.context_id,
                append_to_context=utterance.append_to_context,
                request=utterance.request,
                pts=base,
            )
        )
        return base

    async def _send_heard(self, utterance: Utterance, items: Sequence[Heard], base: int) -> None:
        push = self._processor.push_frame
        for item in items:
            pts = base + round(item.end_secs * _NS)
            if isinstance(item, SpokenMark):
                placed = utterance.began is not None and utterance.owns(item.frame)
                await push(replace(item.frame, pts=pts) if placed else item.frame)
                continue
            self._last_pts = pts
            await push(
                TTSTextFrame(
                    text=item.text,
                    aggregated_by="word",
                    context_id=utterance.context_id,
                    will_be_spoken=True,
                    append_to_context=item.in_context,
                    includes_inter_frame_spaces=True,
                    estimated=item.estimated,
                    pts=pts,
                )
            )
