"""`run_test`: sends frames through one processor and compares what comes out on either side.

def test_shout() -> None:
    run(run_test(Shout(), frames_to_send=[TextFrame("hi")], expected_down_frames=[TextFrame]))
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from antiphon.frames.base import Frame, SystemFrame
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame, StartFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.record.frame_text import describe_frame, same_content

Expected = Sequence[type[Frame] | Frame]
"""Types, or frames that are compared field by field (but for their ids)."""


class SleepFrame(SystemFrame):
    """Makes `run_test` wait for `sleep` seconds of the loop's clock. Never enters the pipeline."""

    sleep: float = 0.2


class Recorder(FrameProcessor):
    """Keeps every frame that passes in one direction, and passes all on."""

    def __init__(self, direction: FrameDirection, *, name: str) -> None:
        super().__init__(name=name)
        self.frames: list[Frame] = []
        self._direction = direction

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if direction is self._direction:
            self.frames.append(frame)
        if not frame.lifecycle and not isinstance(frame, InterruptionFrame):
            await self.push_frame(frame, direction)


async def run_test(
    processor: FrameProcessor | Pipeline | ParallelPipeline,
    *,
    frames_to_send: Iterable[Frame],
    expected_down_frames: Expected | None = None,
    expected_up_frames: Expected | None = None,
    frames_to_send_direction: FrameDirection = FrameDirection.DOWNSTREAM,
    ignore_start: bool = True,
    observers: Iterable[BaseObserver] = (),
    pipeline_params: PipelineParams | None = None,
    send_end_frame: bool = True,
    start_timeout_secs: float = 20.0,
    end_timeout_secs: float = 60.0,
) -> tuple[list[Frame], list[Frame]]:
    """Runs a conversation through `processor` and returns what left it (downstream, upstream).

    Frames go in as soon as the pipeline has started; a `SleepFrame` waits instead. Without
    `send_end_frame` one of them, or the processor, must end the conversation within
    `end_timeout_secs`, or it is an `AssertionError`. So is a frame that differs from what is
    expected in its direction; the order between the directions is not compared. The `StartFrame`
    (unless `ignore_start` is False) and the `EndFrame` that `run_test` sends are left out.
    """
    up = Recorder(FrameDirection.UPSTREAM, name="upstream recorder")
    down = Recorder(FrameDirection.DOWNSTREAM, name="downstream recorder")
    task = PipelineTask(
        Pipeline([up, processor, down]),
        params=pipeline_params,
        observers=observers,
        idle_timeout_secs=None,
        start_timeout_secs=start_timeout_secs,
    )
    loop = asyncio.get_running_loop()
    job = loop.create_task(task.run(), name="run_test pipeline")
    try:
        await _send(task, job, frames_to_send, frames_to_send_direction)
        if send_end_frame:
            await task.stop_when_done("run_test has sent everything")
        await asyncio.wait({job}, timeout=end_timeout_secs)
        if not job.done():
            raise AssertionError(
                f"the conversation did not end within {end_timeout_secs:g} s: "
                f"send an EndFrame, or let run_test do it (send_end_frame=True)"
            )
        await job
    finally:
        if not job.done():
            await task.cancel("run_test was given up")
            await asyncio.wait({job})
    down_frames = [f for f in down.frames if not (ignore_start and isinstance(f, StartFrame))]
    if send_end_frame and down_frames and isinstance(down_frames[-1], EndFrame):
        down_frames.pop()
    _compare("downstream", expected_down_frames, down_frames)
    _compare("upstream", expected_up_frames, up.frames)
    return down_frames, up.frames


async def _send(
    task: PipelineTask,
    job: asyncio.Task[None],
    frames: Iterable[Frame],
    direction: FrameDirection,
) -> None:
    """Waits for the start, then queues the frames; returns early if the conversation ends."""
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_started(_: PipelineTask, __: StartFrame) -> None:
        started.set_result(None)

    task.add_event_handler("on_pipeline_started", on_started)
    await asyncio.wait({job, started}, return_when=asyncio.FIRST_COMPLETED)
    for frame in frames:
        if isinstance(frame, SleepFrame):
            await asyncio.sleep(frame.sleep)
        else:
            await task.queue_frame(frame, direction)


def _compare(which: str, expected: Expected | None, received: Sequence[Frame]) -> None:
    if expected is None:
        return
    fits = [_fits(want, got) for want, got in zip(expected, received, strict=False)]
    if all(fits) and len(expected) == len(received):
        return
    lines = [f"the {which} frames are not the expected ones:"]
    for index in range(max(len(expected), len(received))):
        want = _describe(expected[index]) if index < len(expected) else "nothing"
        got = describe_frame(received[index]) if index < len(received) else "nothing"
        ok = index < len(fits) and fits[index]
        lines.append(f"  {index}: {got}" if ok else f"! {index}: {got}, expected {want}")
    raise AssertionError("\n".join(lines))


def _fits(want: type[Frame] | Frame, got: Frame) -> bool:
    return isinstance(got, want) if isinstance(want, type) else same_content(want, got)


def _describe(want: type[Frame] | Frame) -> str:
    return want.__name__ if isinstance(want, type) else describe_frame(want)
