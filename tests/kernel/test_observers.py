"""Observers see every hand-over, in order, and can neither slow nor break anything."""

from __future__ import annotations

import asyncio
import logging

import pytest

from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.observers import BaseObserver, FrameProcessed, FramePushed
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import DOWN, Ear, OddError, Relay, Word, conversation


class Witness(BaseObserver):
    """Notes hand-overs of words."""

    def __init__(self, slowness: float = 0.0) -> None:
        self.slowness = slowness
        self.pushed: list[tuple[str, str]] = []
        self.processed: list[str] = []
        self.times: list[int] = []
        self.finished = False

    async def on_push_frame(self, data: FramePushed) -> None:
        await asyncio.sleep(self.slowness)
        if isinstance(data.frame, Word):
            assert data.direction is DOWN
            self.pushed.append((data.source, data.destination))
            self.times.append(data.timestamp)

    async def on_process_frame(self, data: FrameProcessed) -> None:
        if isinstance(data.frame, Word):
            self.processed.append(data.processor)

    async def on_pipeline_finished(self) -> None:
        self.finished = True


def test_every_hand_over_is_seen_with_its_ends_and_time() -> None:
    """From the task through the processors that handle it to the task, passed-by ones left out."""

    async def main() -> Witness:
        witness = Witness()
        parts = [Relay(), FrameProcessor(), Relay()]
        task = PipelineTask(Pipeline(parts), observers=[witness])
        async with conversation(task) as talk:
            await asyncio.sleep(1)
            await talk.say(Word("a"))
            await asyncio.sleep(1)
        return witness

    witness = run(main())
    assert witness.pushed == [
        ("task", "Relay#0"),
        ("Relay#0", "Relay#1"),
        ("Relay#1", "task (downstream end)"),
    ]
    assert witness.processed == ["Relay#0", "Relay#1"]
    assert witness.times == [1_001_000_000] * 3
    assert witness.finished


def test_hand_overs_in_branches_are_seen() -> None:
    """What goes into a branch, passes it and comes out is told at each step."""

    async def main() -> list[tuple[str, str]]:
        witness = Witness()
        parts = ParallelPipeline([Relay()], [])
        task = PipelineTask(Pipeline([Relay(), parts, Relay()]), observers=[witness])
        async with conversation(task) as talk:
            await talk.say(Word("a"))
        return witness.pushed

    assert run(main()) == [
        ("task", "Relay#0"),
        ("Relay#0", "ParallelPipeline#1"),
        ("ParallelPipeline#1/0 in", "Relay#1"),
        ("ParallelPipeline#1/1 in", "ParallelPipeline#1/1 out"),
        ("ParallelPipeline#1", "Relay#2"),
        ("Relay#1", "ParallelPipeline#1/0 out"),
        ("Relay#2", "task (downstream end)"),
    ]


def test_a_slow_observer_delays_nothing_and_still_sees_everything() -> None:
    """The pipeline runs ahead; the observer catches up before the conversation is closed."""

    async def main() -> tuple[list[float], Witness]:
        witness, ear = Witness(slowness=0.1), Ear()
        task = PipelineTask(Pipeline([Relay(), ear]), observers=[witness])
        async with conversation(task) as talk:
            await talk.say(*(Word(str(n)) for n in range(10)))
            await asyncio.sleep(0.001)
            times = list(ear.times)
        return times, witness

    times, witness = run(main())
    assert len(times) == 10
    assert len(set(times)) == 1
    assert len(witness.pushed) == 20


@pytest.mark.parametrize("error", [RuntimeError, OddError, asyncio.CancelledError])
def test_a_failing_observer_breaks_nothing(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Its exception, of any kind, is logged with its name, and it goes on observing."""

    class Broken(BaseObserver):
        seen = 0

        async def on_push_frame(self, data: FramePushed) -> None:
            Broken.seen += 1
            raise error("cannot look")

        async def on_pipeline_finished(self) -> None:
            raise error("cannot finish")

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(PipelineTask(Pipeline([ear]), observers=[Broken()])) as talk:
            await talk.say(Word("a"), Word("b"))
        return ear.texts

    with caplog.at_level(logging.ERROR, "antiphon"):
        assert run(main()) == ["a", "b"]
    assert Broken.seen >= 2
    assert "Broken failed on Word#" in caplog.text
    assert caplog.text.count("Broken failed\n") == 1
