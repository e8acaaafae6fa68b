"""A graceful end lets what may not be lost arrive, also what travels upstream."""

from __future__ import annotations

import asyncio

from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.lifecycle import CancelFrame, EndFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import UP, Custom, Relay, Shout, Slow, Vow, Word, conversation


def test_an_uninterruptible_frame_going_upstream_is_handled_to_the_end() -> None:
    """The EndFrame has left downstream; the frame still reaches every processor above."""

    async def main() -> list[list[str]]:
        first, second, last = Slow(9), Slow(2), Relay()
        async with conversation(first, second, last) as talk:
            await last.push_frame(Vow("result"), UP)
            await last.push_frame(Word("content"), UP)
            del talk
        return [first.seen, second.seen]

    first, second = run(main())
    assert "result" in first
    assert "result" in second


def test_an_urgent_frame_going_upstream_is_handled_too() -> None:
    """Urgent frames are never dropped by an end."""

    class SlowToShout(Relay):
        @handles(Shout)
        async def shout(self, frame: Shout, direction: FrameDirection) -> None:
            await asyncio.sleep(1)
            await self.relay(frame, direction)

    class Farewell(FrameProcessor):
        @handles(EndFrame)
        async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
            await self.push_frame(Shout("a"), UP)
            await self.push_frame(Shout("b"), UP)

    async def main() -> list[str]:
        first = SlowToShout()
        async with conversation(first, Farewell()):
            await asyncio.sleep(1)
        return first.seen

    assert run(main()) == ["a", "b"]


def test_live_audio_does_not_delay_the_end() -> None:
    """A line that goes on delivering sound is simply cut."""

    class Line(FrameProcessor):
        @handles(InputAudioRawFrame)
        async def hear(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
            await asyncio.sleep(0.5)

    async def main() -> float:
        line = Line()
        loop = asyncio.get_running_loop()
        async with conversation(line):
            for _ in range(100):
                await line.queue_frame(InputAudioRawFrame(b"", 16_000))
            await asyncio.sleep(0.1)
            start = loop.time()
        return loop.time() - start

    # The end comes after the sound that was queued before it, and no later.
    assert run(main()) < 51


def test_a_stuck_frame_delays_the_end_no_longer_than_its_deadline() -> None:
    """What never returns is cancelled and named."""

    async def hangs(self: Custom, frame: Word | Vow) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> tuple[float, list[str]]:
        first, last = Custom(hangs), Relay()
        task = PipelineTask(Pipeline([first, last]), end_timeout_secs=4)
        loop = asyncio.get_running_loop()
        async with conversation(task) as talk:
            start = loop.time()
            await task.queue_frame(Vow("stuck"), UP)
            await asyncio.sleep(1)
        return loop.time() - start, talk.complaints

    took, complaints = run(main())
    assert took < 12
    assert any("Custom#0 did not return from Vow#" in text for text in complaints)


def test_a_cancel_waits_for_nothing() -> None:
    """A conversation that is cancelled while it ends is over at once."""

    async def main() -> float:
        first, last = Slow(100), Relay()
        task = PipelineTask(Pipeline([first, last]), end_timeout_secs=1000)
        loop = asyncio.get_running_loop()
        async with conversation(task) as talk:
            await last.push_frame(Vow("slow"), UP)
            await talk.task.stop_when_done()
            await asyncio.sleep(1)
            start = loop.time()
            await talk.task.queue_frame(CancelFrame())
        return loop.time() - start

    assert run(main()) < 0.1
