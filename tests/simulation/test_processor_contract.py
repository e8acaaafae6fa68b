"""The suite for processors: good ones pass, and each kind of sinner is caught."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame, StartFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.contract import ContractError
from antiphon.simulation.processor_contract import check_processor


class Shout(FrameProcessor):
    """A good one: slow, with a task of its own."""

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self.create_task(self._breathe(), name="breathe")

    @handles(TextFrame)
    async def shout(self, frame: TextFrame, direction: FrameDirection) -> None:
        await asyncio.sleep(0.05)
        await self.push_frame(TextFrame(frame.text.upper()), direction)

    async def _breathe(self) -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(1)


class Swallower(FrameProcessor):
    """Wants every frame and forgets to pass on those it does not know."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            await self.push_frame(frame, direction)


class Doubler(FrameProcessor):
    """Passes everything on twice."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if not frame.lifecycle and not isinstance(frame, InterruptionFrame):
            await self.push_frame(frame, direction)
            await self.push_frame(frame, direction)


class Turner(FrameProcessor):
    """Sends everything downstream."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if not frame.lifecycle and not isinstance(frame, InterruptionFrame):
            await self.push_frame(frame)


class Leaker(FrameProcessor):
    """Starts tasks that nobody owns."""

    @handles(TextFrame)
    async def leak(self, frame: TextFrame, direction: FrameDirection) -> None:
        self.task = asyncio.get_running_loop().create_task(asyncio.sleep(1000))


def test_good_processors_pass() -> None:
    """A processor that handles one type, and one that does nothing, keep the contract."""
    check_processor(FrameProcessor, seeds=range(3))
    check_processor(Shout)


@pytest.mark.parametrize(
    ("sinner", "sin"),
    [
        (Swallower, r"does not know \(StrangeData, UPSTREAM\) did not come out"),
        (Doubler, "came out 2 times"),
        (Turner, r"UPSTREAM\) did not come out"),
        (Leaker, "left a task running"),
    ],
)
def test_sinners_are_caught(sinner: type[FrameProcessor], sin: str) -> None:
    """Swallowed, doubled and turned frames, and ownerless tasks, are named."""
    with pytest.raises(ContractError, match=sin):
        check_processor(sinner, seeds=range(2))
