"""Law 1: an interruption is one step.

Random pipelines with random temperaments, shuffled schedules and a CPU model, checked against an
independent record (`world`) and the routes computed from it (`reference`); then the law's sharpest
cases one by one.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from antiphon.frames.base import DataFrame, UninterruptibleFrame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.laws.scenario import sweep


def now() -> float:
    return asyncio.get_running_loop().time()


class Old(DataFrame):
    """What each processor is busy with."""


class New(DataFrame):
    """What is sent after the interruption."""


class Vow(UninterruptibleFrame, DataFrame):
    """Uninterruptible work."""


class Stubborn(FrameProcessor):
    """Is busy with an old frame for ever, and takes its time to stop."""

    stop_timeout_secs = 5.0

    def __init__(self, stop_secs: float, vow_secs: float = 0.0) -> None:
        super().__init__()
        self.stop_secs, self.vow_secs = stop_secs, vow_secs
        self.told: list[float] = []
        self.stopped: list[float] = []
        self.vows = 0
        self.new: list[float] = []

    @handles(Old)
    async def be_busy(self, frame: Old, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            await self.push_frame(Old())
            await asyncio.sleep(self.stop_secs)
            self.stopped.append(now())
            raise

    @handles(Vow)
    async def keep(self, frame: Vow, direction: FrameDirection) -> None:
        await asyncio.sleep(self.vow_secs)
        self.vows += 1
        await self.push_frame(frame, direction)

    @handles(New)
    async def pass_on(self, frame: New, direction: FrameDirection) -> None:
        self.new.append(now())
        await self.push_frame(frame, direction)

    @handles(InterruptionFrame)
    async def hear(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self.told.append(now())


def test_random_conversations_keep_the_laws() -> None:
    """Of 1,000 random runs none handles, hears or writes anything of an older epoch."""
    assert sweep(range(1000)) == {}


@pytest.mark.parametrize("seed", range(10))
def test_no_processor_waits_for_another(seed: int) -> None:
    """All stop at once: a new frame is through after the slowest stop, not after their sum."""
    rng = random.Random(seed)
    parts = [Stubborn(rng.uniform(0.0, 1.0)) for _ in range(rng.randint(1, 12))]

    async def main() -> None:
        task = PipelineTask(Pipeline(parts))
        running = asyncio.get_running_loop().create_task(task.run())
        await task.queue_frames([Old(), Old()])
        await asyncio.sleep(1.0)
        await task.queue_frames([InterruptionFrame(), New()])
        await asyncio.sleep(3.0)
        await task.cancel()
        await running

    run(main())
    slowest = max(part.stop_secs for part in parts)
    assert [part.told for part in parts] == [[1.0]] * len(parts)
    assert [part.stopped for part in parts] == [[1.0 + part.stop_secs] for part in parts]
    assert parts[-1].new == [pytest.approx(1.0 + slowest)]


def test_queued_vows_do_not_delay_an_interruption() -> None:
    """With ten seconds of uninterruptible work queued everybody hears of it at once."""
    parts = [Stubborn(0.0, vow_secs=1.0) for _ in range(4)]

    async def main() -> None:
        task = PipelineTask(Pipeline(parts))
        running = asyncio.get_running_loop().create_task(task.run())
        await task.queue_frames([*(Vow() for _ in range(10)), New()])
        await asyncio.sleep(2.5)
        await task.queue_frame(InterruptionFrame())
        await task.stop_when_done()
        await running

    run(main())
    assert [part.told for part in parts] == [[2.5]] * 4
    assert [part.vows for part in parts] == [10] * 4
    assert [part.new for part in parts] == [[]] * 4


def test_interruptions_at_one_instant_are_as_good_as_one() -> None:
    """Five interruptions in a row, from outside and from a handler, leave the pipeline working."""
    parts = [Stubborn(0.2) for _ in range(3)]

    async def main() -> None:
        task = PipelineTask(Pipeline(parts))
        running = asyncio.get_running_loop().create_task(task.run())
        await task.queue_frame(Old())
        await asyncio.sleep(1.0)
        await task.queue_frames([InterruptionFrame() for _ in range(5)])
        await task.queue_frame(New())
        await asyncio.sleep(1.0)
        await task.cancel()
        await running

    for seed in (None, *range(10)):
        for part in parts:
            part.told, part.new = [], []
        run(main(), seed=seed, cpu=None)
        assert [len(part.told) for part in parts] == [5, 5, 5]
        assert [len(part.new) for part in parts] == [1, 1, 1]
