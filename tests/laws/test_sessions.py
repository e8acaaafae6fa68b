"""Two conversations: what one does for the other is not void because the one is interrupted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from antiphon.frames.base import DataFrame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import Epoch, FrameDirection, Work
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run

SEEDS = 60


class Word(DataFrame):
    """Content."""

    text: str = ""


class Ear(FrameProcessor):
    """Hears words and counts interruptions."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.interrupted = 0
        self.ended: list[int] = []

    @handles(Word)
    async def hear(self, frame: Word, direction: FrameDirection) -> None:
        self.heard.append(frame.text)

    @handles(InterruptionFrame)
    async def stop(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self.interrupted += 1

    def voided(self, epoch: Epoch) -> None:
        self.ended.append(epoch.number)


class Mouth(FrameProcessor):
    """Where the other conversation is entered."""


class Helper(FrameProcessor):
    """Works, in its handlers, for another conversation, before and after it is interrupted."""

    def __init__(self, other: Mouth, rng: random.Random) -> None:
        super().__init__()
        self.other, self.rng = other, rng
        self.sent: list[str] = []
        self.interruptions = 0
        self.late = 0

    @handles(Word)
    async def work(self, frame: Word, direction: FrameDirection) -> None:
        epoch = self.emitter()
        try:
            await asyncio.sleep(self.rng.choice([0.0, 0.1, 1.0]))
        finally:
            self.late += not epoch.live
            self._do(frame.text)

    def _do(self, text: str) -> None:
        text = f"{text} {len(self.sent)}"
        way = self.rng.choice(["push", "queue", "emit", "bound", "interrupt", "same"])
        if way == "interrupt":
            self.interruptions += 1
            self.other.broadcast_interruption()
            way = "push"
        self.sent.append(text)
        if way == "push":
            self.other.push_frame(Word(text=text))
        elif way == "same":
            self.other.broadcast_frame(Word(text=text))
        elif way == "queue":
            self.other.queue_frame(Word(text=text))
        elif way == "emit":
            self.other.emitter().push_frame(Word(text=text))
        else:
            self.other.create_task(self._later(text), name="later", bound=True)

    async def _later(self, text: str) -> None:
        self.other.push_frame(Word(text=text))


async def play(seed: int) -> tuple[list[str], int]:
    """Interrupts one conversation at random; says what the other has missed."""
    rng = random.Random(seed)
    mouth, ear = Mouth(), Ear()
    helper = Helper(mouth, rng)
    served = PipelineTask(Pipeline([mouth, ear]))
    serving = PipelineTask(Pipeline([helper]))
    running = [asyncio.create_task(task.run()) for task in (served, serving)]
    for number in range(10):
        await asyncio.sleep(rng.choice([0.0, 0.05, 2.0]))
        await serving.queue_frame(Word(text=f"word {number}"))
        if rng.random() < 0.5:
            await asyncio.sleep(rng.choice([0.01, 0.05]))
            await serving.queue_frame(InterruptionFrame())
    await asyncio.sleep(5)
    for task in (serving, served):
        await task.stop_when_done()
    await asyncio.gather(*running)
    wrong = []
    if ear.interrupted != helper.interruptions or len(ear.ended) != helper.interruptions:
        wrong.append(f"{ear.interrupted} interruptions of {helper.interruptions}")
    if not helper.interruptions and ear.heard != helper.sent:
        wrong.append(f"heard {ear.heard} of {helper.sent}")
    return wrong, helper.late


def test_work_for_another_conversation_is_not_void() -> None:
    """Its pushes, emitters, bound tasks and interruptions reach the other conversation."""
    runs = [run(play(seed)) for seed in range(SEEDS)]
    assert [wrong for wrong, _ in runs if wrong] == []
    assert sum(late for _, late in runs) > SEEDS / 2  # interrupted handlers did work for it


def ownerless(self: Epoch, work: Work | None) -> bool:
    """Planted: an interruption of any conversation makes work void."""
    return work is not None and not work.epoch.live


def one_owner(patch: pytest.MonkeyPatch) -> None:
    """Planted: all conversations count as one."""
    begin = Epoch.__init__

    def init(self: Epoch, number: int, owner: object = None) -> None:
        begin(self, number, "everybody")

    patch.setattr(Epoch, "__init__", init)


@pytest.mark.parametrize(
    "plant", [lambda patch: patch.setattr(Epoch, "voids", ownerless), one_owner]
)
def test_the_sweep_finds_another_sessions_interruption(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that vanishes because somebody else was interrupted shows."""
    plant(monkeypatch)
    assert any(run(play(seed))[0] for seed in range(SEEDS))
