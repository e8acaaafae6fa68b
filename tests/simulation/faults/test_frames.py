"""Faults of frames on their way, with processors that know no providers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.errors import ServerError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import DataFrame, Frame, UninterruptibleFrame
from antiphon.frames.lifecycle import EndFrame, ErrorFrame, InterruptionFrame
from antiphon.frames.speech import TTSStoppedFrame
from antiphon.frames.text import TextFrame
from antiphon.frames.turns import UserStartedSpeakingFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.contracts import check_processor
from antiphon.simulation.faults import FaultInjectedFrame, FaultPlan, FrameFaults
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test

UP = FrameDirection.UPSTREAM


class Vow(UninterruptibleFrame, DataFrame):
    """What must not get lost."""


class Shout(FrameProcessor):
    """A processor of somebody's, without a provider. Notes when it is handed what."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    @handles(TextFrame)
    async def shout(self, frame: TextFrame, direction: FrameDirection) -> None:
        self.times.append(asyncio.get_running_loop().time())
        await self.push_frame(TextFrame(frame.text.upper()), direction)


def texts(frames: list[Frame]) -> str:
    """What was said, as one word."""
    return "".join(frame.text for frame in frames if isinstance(frame, TextFrame))


def through(
    *faults: dict[str, Any], frames: list[Frame] | None = None, **options: Any
) -> tuple[list[Frame], list[Frame], list[float]]:
    """What comes out of a faulty `Shout`, both ways, and when it was handed its texts."""
    shout = Shout()

    async def main() -> tuple[list[Frame], list[Frame]]:
        sent = frames or [TextFrame(letter) for letter in "abcdef"]
        part = Pipeline([FrameFaults(*faults), shout])
        return await run_test(part, frames_to_send=sent, **options)

    down, up = run(main())
    return down, up, shout.times


def test_frames_are_dropped_doubled_and_fail() -> None:
    """Content is lost, comes twice (as another frame), or becomes an error upstream."""
    assert texts(through({"drop": True, "every": 3})[0]) == "BCEF"
    down, _, _ = through({"duplicate": True, "after": 4})
    assert texts(down) == "ABCDEEFF"
    assert len({frame.id for frame in down}) == 8
    down, up, _ = through({"error_once": "server", "after": 1})
    assert texts(down) == "ACDEF"
    (error,) = up
    assert isinstance(error, ErrorFrame)
    assert isinstance(error.exception, ServerError)
    assert error.retryable


def test_a_delay_is_a_long_way_and_slowness_a_long_stay() -> None:
    """Delayed frames come later, as close together as they were sent; slow ones one by one."""
    assert through({"delay": 2.0})[2] == [2.0] * 6
    assert through({"slow": 2.0})[2] == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    assert through({"delay": 2.0, "times": 1})[2] == [2.0] * 6, "nobody overtakes in a line"


def test_boundaries_keep_their_place_and_are_not_struck() -> None:
    """What is not content is not lost, and keeps its place behind what is delayed."""
    frames: list[Frame] = [TextFrame("a"), TTSStoppedFrame("x"), TextFrame("b")]
    down, _, _ = through({"delay": 1.0, "times": 1}, {"drop": True, "after": 5}, frames=frames)
    assert [type(frame) for frame in down] == [TextFrame, TTSStoppedFrame, TextFrame]
    down, _, _ = through({"drop": True}, frames=[*frames, UserStartedSpeakingFrame()])
    assert {type(frame) for frame in down} == {TTSStoppedFrame, UserStartedSpeakingFrame}
    only = {"drop": True, "frames": ["TTSStoppedFrame"]}
    assert texts(through(only, frames=frames)[0]) == "AB"
    assert len(through(only, frames=frames)[0]) == 2


def test_live_sound_is_content() -> None:
    """The caller's sound, though urgent, is struck; it keeps its order when it is delayed."""
    sound = [InputAudioRawFrame(bytes([n, 0]), 16_000) for n in range(6)]
    down, _, _ = through({"drop": True, "every": 2}, frames=list(sound))
    assert down == sound[1::2]
    down, _, _ = through({"delay": {"uniform": [0.1, 0.9]}}, frames=list(sound))
    assert down == sound


def test_an_interruption_voids_what_is_delayed() -> None:
    """Interruptible frames in line vanish with their epoch; vows and what comes later do not."""
    vow = Vow()
    frames: list[Frame] = [
        TextFrame("a"),
        vow,
        SleepFrame(sleep=0.5),
        InterruptionFrame(),
        TextFrame("b"),
    ]
    down, _, _ = through({"delay": 2.0}, frames=frames)
    assert texts(down) == "B"
    assert vow in down


def test_the_end_waits_for_what_is_delayed() -> None:
    """An end comes behind the content sent before it, however late that is."""
    assert texts(through({"delay": 30.0})[0]) == "ABCDEF"


def test_upstream_frames_are_struck_where_asked() -> None:
    """A direction chooses the frames that are struck; the other one is left alone."""

    async def main() -> str:
        part = FrameFaults({"drop": True}, direction=UP)
        down, up = await run_test(
            Pipeline([part]),
            frames_to_send=[TextFrame("a")],
            frames_to_send_direction=UP,
        )
        assert not up
        down, up = await run_test(
            FrameFaults({"drop": True}, direction=UP), frames_to_send=[TextFrame("a")]
        )
        return texts(down)

    assert run(main()) == "a"


class Watcher(BaseObserver):
    """Keeps the faults it is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def on_push_frame(self, data: FramePushed) -> None:
        if isinstance(data.frame, FaultInjectedFrame):
            shown = f"{data.timestamp / 1e9:g} {data.source} {data.destination} {data.frame.what}"
            self.shown.append(shown)


def injected(plan: dict[str, Any], *, frames: str = "abcdef") -> tuple[Shout, list[str], list[str]]:
    """A conversation with a built task: the processor, what observers saw, and the events."""
    shout, watcher = Shout(), Watcher()

    async def main() -> list[str]:
        task = PipelineTask(Pipeline([shout]), observers=[watcher], idle_timeout_secs=None)
        injection = FaultPlan.of(plan).inject(task)
        for letter in frames:
            await task.queue_frame(TextFrame(letter))
        await task.queue_frame(EndFrame())
        await task.run()
        return [str(event) for event in injection.events]

    return shout, watcher.shown, run(main())


def test_a_plan_reaches_into_a_pipeline_that_is_built() -> None:
    """Faults are put before and behind a processor by its name, also by that of its type."""
    shout, shown, events = injected({"into.Shout": {"delay": 1.5, "after": 3}})
    assert shout.times == [0.0, 0.0, 0.0, 1.5, 1.5, 1.5]
    assert shown == ["0 faults into.Shout delay 1.5, after 3"] * 3
    assert events == ["fault injected: into.Shout: delay 1.5, after 3"] * 3
    shout, _, events = injected({"into.Shout#0": {"drop": True, "times": 4}})
    assert len(shout.times) == 2
    assert len(events) == 4
    shout, _, events = injected({"from.Shout": {"drop": True}})
    assert (len(shout.times), len(events)) == (6, 6)


def test_what_goes_past_a_processor_is_left_alone() -> None:
    """Faults into a processor strike frames that it handles, and others where they are named."""

    async def main(plan: dict[str, Any]) -> tuple[int, int]:
        sound = InputAudioRawFrame(bytes(640), 16_000)
        down: list[Frame] = []
        task = PipelineTask(Pipeline([Shout()]), idle_timeout_secs=None)
        injection = FaultPlan.of(plan).inject(task)
        task.set_reached_downstream_filter((InputAudioRawFrame, TextFrame))
        task.add_event_handler("on_frame_reached_downstream", lambda _, frame: down.append(frame))
        await task.queue_frames([TextFrame("a"), sound, EndFrame()])
        await task.run()
        return len(down), len(injection.events)

    assert run(main({"into.Shout": {"drop": True}})) == (1, 1)
    assert run(main({"into.Shout": {"drop": True, "frames": ["InputAudioRawFrame"]}})) == (1, 1)
    assert run(main({"from.Shout": {"drop": True}})) == (0, 2)


def test_errors_are_reported_in_the_processors_name() -> None:
    """An injected failure looks as if the processor itself had failed."""

    async def main() -> list[str | None]:
        task = PipelineTask(Pipeline([Shout()]), idle_timeout_secs=None)
        FaultPlan.of({"into.Shout": {"error_once": "quota"}}).inject(task)
        failed: list[str | None] = []
        task.add_event_handler("on_pipeline_error", lambda _, frame: failed.append(frame.processor))
        await task.queue_frames([TextFrame("a"), EndFrame()])
        await task.run()
        return failed

    assert run(main()) == ["Shout#0"]


def test_a_target_that_is_not_there_is_named() -> None:
    """A processor that the pipeline does not have is an error that names those it has."""
    with pytest.raises(Exception, match=r"into\.Whisper: .* there are Shout#0"):
        injected({"into.Whisper": {"drop": 0.5}})


def test_a_hanging_processor_is_the_kernels_to_bound() -> None:
    """Somebody who hangs holds up what comes behind; the end is bounded all the same."""

    async def main() -> float:
        task = PipelineTask(Pipeline([Shout()]), idle_timeout_secs=None, end_timeout_secs=5.0)
        FaultPlan.of({"into.Shout": {"hang": True}}).inject(task)
        await task.queue_frames([TextFrame("a"), EndFrame()])
        await task.run()
        return asyncio.get_running_loop().time()

    assert 5.0 <= run(main()) <= 10.0


def test_a_processor_full_of_faults_keeps_the_contract() -> None:
    """Delays, slowness and copies leave everything else as every processor has to."""
    check_processor(
        lambda: Pipeline(
            [
                FrameFaults({"delay": {"uniform": [0.0, 0.2]}}, {"slow": 0.01, "chance": 0.3}),
                Shout(),
                FrameFaults(
                    {"duplicate": 0.2, "frames": ["TextFrame"]}, {"delay": 0.1, "every": 2}
                ),
            ]
        ),
        frames=[TextFrame("a"), TextFrame("b"), Vow()],
        seeds=2,
        moments=40,
    )
