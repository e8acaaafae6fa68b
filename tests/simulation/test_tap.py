"""A tap sees every hand-over at the hand-over, and changes nothing."""

from __future__ import annotations

import asyncio

from antiphon.frames.text import TextFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver, FrameProcessed, FramePushed
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.loop.virtual_time import run_on
from antiphon.simulation.tap import tap


class Shout(FrameProcessor):
    """Takes a moment."""

    @handles(TextFrame)
    async def shout(self, frame: TextFrame, direction: FrameDirection) -> None:
        await asyncio.sleep(0.01)
        await self.push_frame(TextFrame(frame.text.upper()), direction)


class Eyes(BaseObserver):
    """An observer that the program has of its own."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, str, str]] = []
        self.processed: list[str] = []
        self.finished = False

    async def on_push_frame(self, data: FramePushed) -> None:
        self.pushed.append((data.source, data.destination, type(data.frame).__name__))

    async def on_process_frame(self, data: FrameProcessed) -> None:
        self.processed.append(data.processor)

    async def on_pipeline_finished(self) -> None:
        self.finished = True


def hold(
    observers: tuple[BaseObserver, ...], seen: list[FramePushed] | None, seed: int = 3
) -> tuple[str, float]:
    """Fingerprint and length of a session in two branches."""

    async def main() -> None:
        branches = ParallelPipeline([Shout(name="left")], [Shout(name="right")])
        task = PipelineTask(Pipeline([Shout(), branches]), observers=observers)
        if seen is not None:
            tap(task, seen.append)
        for number in range(5):
            await task.queue_frame(TextFrame(f"hello {number}"))
        await task.stop_when_done()
        await task.run()

    outcome = run_on(VirtualTimeLoop(seed), main())
    outcome.result()
    return outcome.fingerprint, outcome.virtual_secs


def test_a_tap_sees_what_an_observer_sees() -> None:
    """Every hand-over, those in branches included, in their order; the program's observers too."""
    eyes, seen = Eyes(), list[FramePushed]()
    hold((eyes,), seen)
    told = [(each.source, each.destination, type(each.frame).__name__) for each in seen]
    assert told == eyes.pushed
    assert {"left", "right", "Shout#0"} <= {each.source for each in seen}
    assert eyes.processed
    assert eyes.finished


def test_a_tap_is_no_part_of_the_schedule() -> None:
    """With a tap a seed is the same run to the step, with the program's observers or without."""
    for seed in range(10):
        assert hold((), [], seed) == hold((), None, seed)
        assert hold((Eyes(),), [], seed) == hold((Eyes(),), None, seed)


def test_a_second_tap_joins_the_first() -> None:
    """Two listeners are told the same."""
    one, two = list[FramePushed](), list[FramePushed]()

    async def main() -> None:
        task = PipelineTask(Pipeline([Shout()]))
        tap(task, one.append)
        tap(task, two.append)
        await task.queue_frame(TextFrame("hello"))
        await task.stop_when_done()
        await task.run()

    run_on(VirtualTimeLoop(1), main()).result()
    assert one
    assert one == two
