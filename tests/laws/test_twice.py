"""A frame that is queued again while it is under way is delivered again, through branches too."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from antiphon.frames.base import DataFrame, Frame, SystemFrame, UninterruptibleFrame
from antiphon.kernel.branches import ParallelPipeline, Passage
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run

SEEDS = 60


class Word(DataFrame):
    """Content."""


class Keep(UninterruptibleFrame, DataFrame):
    """Content that must not get lost."""


class Bell(SystemFrame):
    """Urgent."""


class Slow(FrameProcessor):
    """Takes its time for a frame, counts it and pushes it on; does not handle other types."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng, self.seen = rng, Counter[int]()

    async def take(self, frame: Frame, direction: FrameDirection) -> None:
        await asyncio.sleep(self.rng.choice([0.0, 0.0, 0.01, 0.3]))
        self.seen[frame.id] += 1
        await self.push_frame(frame, direction)


class SlowWords(Slow):
    @handles(Word, Keep)
    async def word(self, frame: Frame, direction: FrameDirection) -> None:
        await self.take(frame, direction)


class SlowBells(Slow):
    @handles(Bell, Word)
    async def bell(self, frame: Frame, direction: FrameDirection) -> None:
        await self.take(frame, direction)


def branches(rng: random.Random, depth: int) -> ParallelPipeline:
    """Random branches of slow processors, branches in them."""
    made: list[list[FrameProcessor | Pipeline | ParallelPipeline]] = []
    for _ in range(rng.randint(1, 3)):
        branch: list[FrameProcessor | Pipeline | ParallelPipeline] = [
            rng.choice([SlowWords, SlowBells])(rng) for _ in range(rng.randint(0, 2))
        ]
        if depth and rng.random() < 0.4:
            branch.append(branches(rng, depth - 1))
        made.append(branch)
    return ParallelPipeline(*made)


async def play(seed: int) -> list[str]:
    """Queues a few instances repeatedly; says what was delivered too often or too rarely."""
    rng = random.Random(seed)
    task = PipelineTask(Pipeline([branches(rng, 2)]))
    out: Counter[int] = Counter()
    task.set_reached_downstream_filter((Word, Keep, Bell))

    @task.event_handler("on_frame_reached_downstream")
    async def reached(task: PipelineTask, frame: Frame) -> None:
        out[frame.id] += 1

    running = asyncio.create_task(task.run())
    frames = [Word(), Keep(), Bell()]
    queued: Counter[int] = Counter()
    for _ in range(12):
        await asyncio.sleep(rng.choice([0.0, 0.0, 0.01, 0.3, 3.0]))
        frame = rng.choice(frames)
        queued[frame.id] += 1
        await task.queue_frame(frame)
    await asyncio.sleep(60)
    await task.stop_when_done()
    await running
    wrong = [
        f"{frame.name} came out {out[frame.id]} times of {queued[frame.id]}"
        for frame in frames
        if out[frame.id] != queued[frame.id]
    ]
    for part in task.processors:
        assert isinstance(part, Slow)
        wrong += [
            f"{part.name} handled {frame.name} {part.seen[frame.id]} times of {queued[frame.id]}"
            for frame in frames
            if part.seen[frame.id] not in {0, queued[frame.id]}
        ]
    return wrong


def test_what_is_queued_again_is_delivered_again() -> None:
    """Each time through every branch, and each time out of them once."""
    assert {seed: found for seed in range(SEEDS) if (found := run(play(seed)))} == {}


def test_the_sweep_finds_a_frame_queued_twice_into_branches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: what has gone on once is not let out again while the frame lives."""

    def leaves(self: Passage, number: int) -> bool:
        first, self.released = not self.released, 1
        return first

    monkeypatch.setattr(Passage, "leaves", leaves)
    assert any(run(play(seed)) for seed in range(SEEDS))
