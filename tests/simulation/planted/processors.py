"""Small processors, each with a bug that real voice agents have had, and without it.

`bug=True` plants it; otherwise the processor is its correct twin.
"""

from __future__ import annotations

import asyncio

from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import DataFrame, Frame, UninterruptibleFrame
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame, StartFrame
from antiphon.frames.llm import LLMRunFrame
from antiphon.frames.text import TextFrame, TranscriptionFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
)
from antiphon.frames.turns import UserStoppedSpeakingFrame
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.mailbox import Feed
from antiphon.kernel.processor import Emitter, FrameProcessor, handles

CHUNK = OutputAudioRawFrame(bytes(640), 16_000)


class Voice(FrameProcessor):
    """A long-lived loop speaks what it is given. Bug: stale audio after barge-in."""

    def __init__(self, *, bug: bool = False) -> None:
        super().__init__()
        self._bug = bug
        self._feed: Feed[tuple[str, Emitter]] = Feed(name="texts")

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self.create_task(self._speak(), name="voice")

    @handles(TextFrame)
    async def say(self, frame: TextFrame, direction: FrameDirection) -> None:
        self._feed.put((frame.text, self.emitter()))

    async def _speak(self) -> None:
        async for text, request in self._feed:
            for _ in text.split():
                await asyncio.sleep(0.05)
                await (self if self._bug else request).push_frame(CHUNK)


class WriteAfterCloseError(Exception):
    """Somebody wrote to a connection that is closed."""


class Line:
    """A connection."""

    def __init__(self) -> None:
        self.closed = False

    async def write(self, text: str) -> None:
        if self.closed:
            raise WriteAfterCloseError(text)
        await asyncio.sleep(0.02)

    async def close(self) -> None:
        self.closed = True


class Sender(FrameProcessor):
    """A task of its own writes to a connection. Bug: write after close."""

    def __init__(self, *, bug: bool = False) -> None:
        super().__init__()
        self._bug = bug
        self._line = Line()
        self._feed: Feed[str] = Feed(name="texts")
        self._writer: asyncio.Task[None] | None = None

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._writer = self.create_task(self._write(), name="writer")

    @handles(TextFrame)
    async def send(self, frame: TextFrame, direction: FrameDirection) -> None:
        self._feed.put(frame.text)

    @handles(EndFrame)
    async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
        self._feed.close()
        if not self._bug and self._writer is not None:
            await asyncio.wait({self._writer})
        await self._line.close()
        await asyncio.sleep(0.05)  # the other side says goodbye

    async def _write(self) -> None:
        async for text in self._feed:
            await self._line.write(text)


class Vow(UninterruptibleFrame, DataFrame):
    """What must not get lost."""


class Batcher(FrameProcessor):
    """Passes frames on in batches of a moment. Bug: lost uninterruptible frame."""

    def __init__(self, *, bug: bool = False) -> None:
        super().__init__()
        self._bug = bug
        self._held: list[Frame] = []
        self._timer: Timer | None = None

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._timer = self.timer(self._flush)

    @handles(TextFrame, Vow)
    async def hold(self, frame: Frame, direction: FrameDirection) -> None:
        self._held.append(frame)
        if self._timer is not None and self._timer.deadline is None:
            self._timer.arm(self.clock.now() + 0.05)

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        kept = [] if self._bug else [held for held in self._held if not held.interruptible]
        self._held = kept

    @handles(EndFrame)
    async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
        await self._flush()

    async def _flush(self) -> None:
        held, self._held = self._held, []
        for frame in held:
            await self.push_frame(frame)


class Runner(FrameProcessor):
    """Runs the model when the turn is over and its words are in. Bug: double LLM run."""

    def __init__(self, *, bug: bool = False) -> None:
        super().__init__()
        self._bug = bug
        self._text = ""
        self._over = self._running = False

    @handles(TranscriptionFrame)
    async def heard(self, frame: TranscriptionFrame, direction: FrameDirection) -> None:
        self._text = frame.text
        await self._run_if_ready()

    @handles(UserStoppedSpeakingFrame)
    async def stopped(self, frame: UserStoppedSpeakingFrame, direction: FrameDirection) -> None:
        self._over = True
        await self._run_if_ready()

    async def _run_if_ready(self) -> None:
        """Called beside itself: a transcript is ordered, the end of a turn urgent."""
        if not (self._text and self._over):
            return
        if not self._bug:
            self._text, self._over = "", False
        await asyncio.sleep(0.002)  # looks something up
        if self._bug:
            self._text, self._over = "", False
        await self.push_frame(LLMRunFrame())


class Ask(DataFrame):
    """The model calls a function."""

    call: str


class Tools(FrameProcessor):
    """Runs functions beside the conversation. Two bugs to choose from."""

    def __init__(self, *, orphans: bool = False, speaks_after_cancel: bool = False) -> None:
        super().__init__()
        self._orphans, self._speaks_after_cancel = orphans, speaks_after_cancel
        self._running: dict[str, asyncio.Task[None]] = {}

    @handles(Ask)
    async def ask(self, frame: Ask, direction: FrameDirection) -> None:
        if frame.call in self._running:
            return
        if self._orphans:  # starts the function before the call is announced
            self._running[frame.call] = self.create_task(self._work(frame.call), name="function")
            await asyncio.sleep(0.01)
            await self.push_frame(FunctionCallInProgressFrame("look", frame.call, {}))
        else:
            await self.push_frame(FunctionCallInProgressFrame("look", frame.call, {}))
            self._running[frame.call] = self.create_task(self._work(frame.call), name="function")

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        if self._orphans:
            return
        for call in list(self._running):
            task = self._running[call]
            if not self._speaks_after_cancel:
                del self._running[call]
                await self.cancel_task(task)
            await self.push_frame(FunctionCallCancelFrame("look", call))

    async def _work(self, call: str) -> None:
        await asyncio.sleep(0.05)
        if self._running.pop(call, None) is not None:
            await self.push_frame(FunctionCallResultFrame("look", call, {}, "fine"))


class Drainer(FrameProcessor):
    """Waits at the end until all that it took on is done. Bug: hang at end."""

    def __init__(self, *, bug: bool = False) -> None:
        super().__init__()
        self._bug = bug
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @handles(TextFrame)
    async def take(self, frame: TextFrame, direction: FrameDirection) -> None:
        self._open += 1
        self._idle.clear()
        try:
            await asyncio.sleep(0.03)
            await self.push_frame(frame)
        except asyncio.CancelledError:
            if not self._bug:
                self._done()
            raise
        self._done()

    def _done(self) -> None:
        self._open -= 1
        if not self._open:
            self._idle.set()

    @handles(EndFrame)
    async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
        await self._idle.wait()
