"""Processors that are put beside one that is wired, before the conversation begins."""

from __future__ import annotations

import pytest

from antiphon.errors import AlreadyInPipelineError, ConfigurationError, NotInPipelineError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame, StartFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline, insert
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run

UP = FrameDirection.UPSTREAM


class Letter(FrameProcessor):
    """Appends its letter to every text, and notes that it was started and ended."""

    def __init__(self, letter: str) -> None:
        super().__init__(name=letter)
        self.lived: list[str] = []

    @handles(TextFrame)
    async def append(self, frame: TextFrame, direction: FrameDirection) -> None:
        await self.push_frame(TextFrame(frame.text + self.name), direction)

    @handles(StartFrame, EndFrame)
    async def live(self, frame: Frame, direction: FrameDirection) -> None:
        self.lived.append(type(frame).__name__)


def said(task: PipelineTask, *, upstream: bool = False) -> list[str]:
    """What comes out of a task when an empty text goes in."""
    out: list[str] = []

    def came(_: PipelineTask, frame: Frame) -> None:
        assert isinstance(frame, TextFrame)
        out.append(frame.text)

    async def main() -> None:
        task.set_reached_downstream_filter((TextFrame,))
        task.set_reached_upstream_filter((TextFrame,))
        task.add_event_handler("on_frame_reached_downstream", came)
        task.add_event_handler("on_frame_reached_upstream", came)
        direction = UP if upstream else FrameDirection.DOWNSTREAM
        await task.queue_frame(TextFrame(""), direction)
        await task.queue_frame(EndFrame())
        await task.run()

    run(main())
    return out


@pytest.mark.parametrize("upstream", [False, True])
def test_a_processor_takes_its_place(upstream: bool) -> None:
    """Before and after, at both ends and in the middle, both ways; it lives like the others."""
    a, b, c = Letter("a"), Letter("b"), Letter("c")
    task = PipelineTask(Pipeline([a, b, c]), idle_timeout_secs=None)
    new = [Letter(letter) for letter in "vxyz"]
    insert(new[0], beside=a)
    insert(new[1], beside=b)
    insert(new[2], beside=b, after=True)
    insert(new[3], beside=c, after=True)
    (text,) = said(task, upstream=upstream)
    assert text == ("zcybxav" if upstream else "vaxbycz")
    assert all(one.lived == ["StartFrame", "EndFrame"] for one in new)


def test_a_branch_has_places_too() -> None:
    """Beside a processor of a branch, and beside one behind a fork."""
    a, b, c, d = (Letter(letter) for letter in "abcd")
    task = PipelineTask(Pipeline([a, ParallelPipeline([b], [c]), d]), idle_timeout_secs=None)
    insert(Letter("x"), beside=b)
    insert(Letter("y"), beside=a, after=True)
    insert(Letter("z"), beside=d, after=True)
    assert sorted(said(task)) == ["aycdz", "ayxbdz"]
    assert [one.name for one in task.processors] == ["a", "b", "c", "d"]


def test_what_was_queued_before_finds_its_way() -> None:
    """A frame that is in the pipeline already goes through what is put behind it."""
    a, b = Letter("a"), Letter("b")
    task = PipelineTask(Pipeline([a, b]), idle_timeout_secs=None)
    task.queue_frame(TextFrame("early "))
    insert(Letter("x"), beside=b)
    assert said(task) == ["early axb", "axb"]


def test_there_are_places_where_nothing_can_be_put() -> None:
    """Outside of a pipeline, twice, and beside a service of a switch, it is one clear error."""
    a, x = Letter("a"), Letter("x")
    with pytest.raises(NotInPipelineError, match="a is in no pipeline"):
        insert(x, beside=a)
    task = PipelineTask(Pipeline([a, ServiceSwitcher([Letter("s"), Letter("t")])]))
    insert(x, beside=a)
    with pytest.raises(AlreadyInPipelineError):
        insert(x, beside=a)
    with pytest.raises(ConfigurationError, match="s is one of a ServiceSwitcher"):
        insert(Letter("y"), beside=task.processors[1])
