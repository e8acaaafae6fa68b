"""Small processors and helpers for the kernel's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from antiphon.frames.base import ControlFrame, DataFrame, Frame, SystemFrame, UninterruptibleFrame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask

DOWN, UP = FrameDirection.DOWNSTREAM, FrameDirection.UPSTREAM


class Word(DataFrame):
    """Content that an interruption drops."""

    text: str


class Vow(UninterruptibleFrame, DataFrame):
    """Content that nothing drops."""

    text: str


class Shout(SystemFrame):
    """Something urgent."""

    text: str


class Mark(ControlFrame):
    """A boundary that an interruption drops."""

    text: str


Content = Word | Vow | Shout | Mark


class OddError(BaseException):
    """Like those of test frameworks: no `Exception`, and no end of the program either."""


class Relay(FrameProcessor):
    """Handles content, notes it with the virtual time, and pushes it on."""

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.seen: list[str] = []
        self.times: list[float] = []

    @handles(Word, Vow, Shout, Mark)
    async def relay(self, frame: Content, direction: FrameDirection) -> None:
        self.seen.append(frame.text)
        self.times.append(asyncio.get_running_loop().time())
        await self.push_frame(frame, direction)


class Slow(Relay):
    """Needs some seconds for every word, and some to stop when cancelled."""

    def __init__(self, secs: float = 1.0, *, stopping: float = 0.0) -> None:
        super().__init__()
        self.secs = secs
        self.stopping = stopping
        self.begun: list[str] = []
        self.told: list[float] = []
        self.stopped: list[float] = []

    @handles(Word, Vow)
    async def slow(self, frame: Word | Vow, direction: FrameDirection) -> None:
        self.begun.append(frame.text)
        try:
            await asyncio.sleep(self.secs)
        except asyncio.CancelledError:
            await asyncio.sleep(self.stopping)
            self.stopped.append(asyncio.get_running_loop().time())
            raise
        await self.relay(frame, direction)

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self.told.append(asyncio.get_running_loop().time())


class Custom(FrameProcessor):
    """Runs a function for every word or vow."""

    def __init__(self, work: Callable[[Custom, Word | Vow], Awaitable[None]]) -> None:
        super().__init__()
        self.work = work

    @handles(Word, Vow)
    async def do(self, frame: Word | Vow, direction: FrameDirection) -> None:
        await self.work(self, frame)


class Ear(FrameProcessor):
    """The last processor: everything that reaches it, with the time."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.times: list[float] = []

    @handles(Word, Vow, Shout, Mark)
    async def hear(self, frame: Content, direction: FrameDirection) -> None:
        self.frames.append(frame)
        self.times.append(asyncio.get_running_loop().time())

    @property
    def texts(self) -> list[str]:
        """What was heard."""
        return [f.text for f in self.frames if isinstance(f, Word | Vow | Shout | Mark)]


class Conversation:
    """A running task, the errors it reported, and a shorthand to feed it."""

    def __init__(self, task: PipelineTask) -> None:
        self.task = task
        self.errors: list[ErrorFrame] = []
        task.add_event_handler("on_pipeline_error", lambda task, frame: self.errors.append(frame))

    async def say(self, *frames: Frame) -> None:
        """Queues frames."""
        await self.task.queue_frames(frames)

    async def interrupt(self) -> None:
        """Interrupts, as the program."""
        await self.task.queue_frame(InterruptionFrame())

    @property
    def complaints(self) -> list[str]:
        """The texts of the errors."""
        return [frame.error for frame in self.errors]


@asynccontextmanager
async def conversation(
    *parts: FrameProcessor | Pipeline | ParallelPipeline | PipelineTask,
    end: bool = True,
    processors: Sequence[FrameProcessor] = (),
) -> AsyncIterator[Conversation]:
    """Runs a pipeline; ends it gracefully on leaving, or cancels it with `end=False`."""
    if len(parts) == 1 and isinstance(parts[0], PipelineTask):
        task = parts[0]
    else:
        task = PipelineTask(Pipeline([p for p in parts if not isinstance(p, PipelineTask)]))
    talk = Conversation(task)
    running = asyncio.get_running_loop().create_task(task.run())
    await asyncio.sleep(0.001)
    try:
        yield talk
        await (task.stop_when_done() if end else task.cancel())
    except BaseException:
        await task.cancel()
        raise
    finally:
        await running
