"""Start, graceful end, cancel: in order, bounded, and nothing left behind."""

from __future__ import annotations

import asyncio
import logging

import pytest

from antiphon.errors import KernelError, StartTimeoutError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, StartFrame, StopFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Custom, Ear, Relay, Shout, Slow, Vow, Word, conversation


class Lives(FrameProcessor):
    """Notes the frames of its life, and its clean-up."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []

    @handles(StartFrame, EndFrame, StopFrame, CancelFrame)
    async def life(self, frame: Frame, direction: FrameDirection) -> None:
        self.log.append(type(frame).__name__)

    async def cleanup(self) -> None:
        self.log.append("cleanup")


def test_the_end_comes_after_everything_queued_before_it() -> None:
    """EndFrame waits for ordered and urgent frames in front of it, at every processor."""

    class SlowToShout(Relay):
        @handles(Shout)
        async def shout(self, frame: Shout, direction: FrameDirection) -> None:
            await asyncio.sleep(3)
            await self.relay(frame, direction)

    class Last(Ear):
        @handles(EndFrame)
        async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
            self.frames.append(Word("end"))

    async def main() -> list[str]:
        last = Last()
        async with conversation(Slow(1), SlowToShout(), last) as talk:
            await talk.say(Shout("urgent"), Word("a"), Shout("urgent too"), Vow("b"))
        return last.texts

    texts = run(main())
    assert texts[-1] == "end"
    assert sorted(texts[:-1]) == ["a", "b", "urgent", "urgent too"]


def test_a_graceful_life() -> None:
    """Start, end, clean-up: each once, in this order."""

    async def main() -> list[list[str]]:
        parts = [Lives(), Lives()]
        async with conversation(*parts):
            pass
        return [part.log for part in parts]

    assert run(main()) == [["StartFrame", "EndFrame", "cleanup"]] * 2


def test_a_cancelled_life() -> None:
    """Start, cancel, clean-up; what was queued is not handled."""

    async def main() -> tuple[list[str], list[str]]:
        lives, slow = Lives(), Slow(5)
        async with conversation(slow, lives, end=False) as talk:
            await talk.say(Vow("a"), Vow("b"))
            await asyncio.sleep(1)
        return lives.log, slow.begun

    assert run(main()) == (["StartFrame", "CancelFrame", "cleanup"], ["a"])


def test_stop_keeps_what_processors_hold() -> None:
    """StopFrame ends the conversation without calling cleanup."""

    async def main() -> list[str]:
        lives = Lives()
        task = PipelineTask(Pipeline([lives]))
        await task.queue_frame(StopFrame())
        await task.run()
        return lives.log

    assert run(main()) == ["StartFrame", "StopFrame"]


def test_a_task_runs_once() -> None:
    """Running a task a second time is refused."""

    async def main() -> None:
        task = PipelineTask(Pipeline([Ear()]))
        await task.queue_frame(EndFrame())
        await task.run()
        with pytest.raises(KernelError, match="runs once"):
            await task.run()

    run(main())


def test_frames_after_the_end_are_ignored() -> None:
    """Queueing into a finished conversation does nothing."""

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(ear) as talk:
            pass
        await talk.say(Word("late"))
        await talk.task.cancel()
        return ear.texts

    assert run(main()) == []


async def forever(self: Custom, frame: Word | Vow) -> None:
    """Never returns, whatever happens."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if self.params.audio_in_sample_rate == 0:
                raise


async def hangs(self: Custom, frame: Word | Vow) -> None:
    """Never returns, but lets itself be cancelled."""
    await asyncio.get_running_loop().create_future()


async def fails(self: Custom, frame: Word | Vow) -> None:
    """Raises."""
    raise RuntimeError("broken")


def test_a_handler_that_never_returns_does_not_block_the_end() -> None:
    """After the deadline it is cancelled and named, and the EndFrame goes on."""

    async def main() -> tuple[list[str], float]:
        lives = Lives()
        task = PipelineTask(Pipeline([Custom(hangs), lives]), end_timeout_secs=4)
        loop = asyncio.get_running_loop()
        async with conversation(task) as talk:
            await talk.say(Vow("stuck"))
            start = loop.time()
        assert lives.log == ["StartFrame", "EndFrame", "cleanup"]
        return talk.complaints, loop.time() - start

    complaints, took = run(main())
    assert took < 9
    assert "Custom#0 did not return from Vow#" in complaints[0]
    assert "within 4 s" in complaints[0]


def test_many_stuck_frames_cost_one_deadline() -> None:
    """The first expiry drops the interruptible frames behind the stuck one, and says so."""

    async def main() -> tuple[list[str], float]:
        task = PipelineTask(Pipeline([Custom(hangs)]), end_timeout_secs=4)
        loop = asyncio.get_running_loop()
        async with conversation(task) as talk:
            await talk.say(*(Word(str(n)) for n in range(100)))
            start = loop.time()
        return talk.complaints, loop.time() - start

    complaints, took = run(main())
    assert took < 9
    assert "99 frames that waited behind it are dropped" in complaints[0]


def test_an_end_handler_that_hangs_is_bounded() -> None:
    """A processor that never returns from its EndFrame does not keep the conversation."""

    class Clings(FrameProcessor):
        @handles(EndFrame)
        async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
            await asyncio.get_running_loop().create_future()

    async def main() -> tuple[list[str], list[str]]:
        lives = Lives()
        async with conversation(PipelineTask(Pipeline([Clings(), lives]))) as talk:
            pass
        return lives.log, talk.complaints

    log, complaints = run(main())
    assert log == ["StartFrame", "EndFrame", "cleanup"]
    assert "Clings#0 did not return from EndFrame#" in complaints[0]


def test_a_handler_may_ask_for_more_time_to_end() -> None:
    """allow() extends the deadline of the handler that calls it, such as one that plays audio."""

    class PlaysOut(Lives):
        @handles(EndFrame)
        async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
            self.allow(90)
            await asyncio.sleep(80)
            self.log.append("played out")

    async def main() -> tuple[list[str], list[str]]:
        player = PlaysOut()
        async with conversation(player) as talk:
            pass
        return player.log, talk.complaints

    log, complaints = run(main())
    assert "played out" in log
    assert complaints == []


def test_a_paused_processor_does_not_block_the_end() -> None:
    """A pause that nobody lifts is lifted by the deadline, and reported."""

    async def main() -> tuple[list[str], list[str]]:
        relay = Relay()
        async with conversation(relay) as talk:
            await relay.pause_processing_frames()
            await talk.say(Vow("held"))
        return relay.seen, talk.complaints

    seen, complaints = run(main())
    assert seen == ["held"]
    assert "Relay#0 was still paused" in complaints[0]


def test_a_stuck_urgent_handler_is_replaced_when_others_wait() -> None:
    """Urgent frames behind a handler that never returns are handled after its deadline."""

    class Stuck(Relay):
        @handles(Shout)
        async def shout(self, frame: Shout, direction: FrameDirection) -> None:
            if frame.text == "stuck":
                await asyncio.get_running_loop().create_future()
            await self.relay(frame, direction)

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        async with conversation(Stuck(), ear) as talk:
            await talk.say(Shout("stuck"), Shout("next"))
            await asyncio.sleep(30)
            await talk.say(Shout("last"))
            await asyncio.sleep(1)
        return ear.texts, talk.complaints

    texts, complaints = run(main())
    assert texts == ["next", "last"]
    assert "Stuck#0 did not return from Shout#" in complaints[0]


@pytest.mark.parametrize("work", [forever, hangs, fails])
def test_no_handler_can_block_a_cancel(work: object, caplog: pytest.LogCaptureFixture) -> None:
    """cancel() returns within its deadline whatever a handler does; a stubborn one is named."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        before = asyncio.all_tasks()
        custom = Custom(work)  # type: ignore[arg-type]
        task = PipelineTask(Pipeline([custom, Lives()]), cancel_timeout_secs=3)
        async with conversation(task) as talk:
            await talk.say(Word("stuck"))
            await asyncio.sleep(1)
            start = loop.time()
            await talk.task.cancel()
            took = loop.time() - start
        leftovers = asyncio.all_tasks() - before
        assert len(leftovers) == (1 if work is forever else 0)
        for leftover in leftovers:  # end the stubborn one for good
            custom.work = fails
            leftover.get_coro().close()
        return took

    with caplog.at_level(logging.ERROR, "antiphon"):
        took = run(main(), strict=False) if work is forever else run(main())
    assert took < 7
    if work is forever:
        assert "Custom#0 did not stop when the task ended: it is abandoned" in caplog.text


def test_a_start_that_takes_too_long_is_an_error_that_names_the_processor() -> None:
    """run() raises after the start's deadline, and everything is cleaned up."""

    class Sluggish(Lives):
        @handles(StartFrame)
        async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
            await asyncio.sleep(100)

    async def main() -> list[str]:
        sluggish, lives = Sluggish(), Lives()
        task = PipelineTask(Pipeline([lives, sluggish]), start_timeout_secs=2)
        with pytest.raises(StartTimeoutError, match="within 2 s: Sluggish#0"):
            await task.run()
        assert task.has_finished()
        return lives.log

    assert run(main()) == ["StartFrame", "CancelFrame", "cleanup"]


class Sleepy(Relay):
    """Starts after some seconds."""

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        await asyncio.sleep(10)


def test_a_cancel_does_not_wait_for_the_start() -> None:
    """A conversation cancelled while it starts is over at once, and handles nothing afterwards."""

    async def main() -> tuple[float, list[str]]:
        sleepy = Sleepy()
        task = PipelineTask(Pipeline([sleepy]))
        running = asyncio.get_running_loop().create_task(task.run())
        await task.queue_frames([Word("a"), Shout("b")])
        await asyncio.sleep(1)
        await task.cancel()
        took = asyncio.get_running_loop().time() - 1
        await running
        await asyncio.sleep(20)
        return took, sleepy.seen

    assert run(main()) == (0.0, [])


def test_the_end_waits_for_urgent_frames_that_came_before_the_start() -> None:
    """What was sent before the end is handled before it, also where the start takes long."""

    async def main() -> list[str]:
        sleepy = Sleepy()
        task = PipelineTask(Pipeline([sleepy]))
        running = asyncio.get_running_loop().create_task(task.run())
        await task.queue_frames([Shout("a"), Shout("b"), Word("c")])
        await task.stop_when_done()
        await running
        return sleepy.seen

    for seed in (None, *range(20)):
        assert sorted(run(main(), seed=seed)) == ["a", "b", "c"]


def test_a_cancel_discards_what_waits() -> None:
    """From the instant of a cancel no lane takes another frame, however the tasks are scheduled."""

    async def main() -> list[str]:
        relay = Relay()
        task = PipelineTask(Pipeline([relay]))
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(1)
        await task.queue_frames([Vow("a"), Word("b"), Shout("c"), CancelFrame()])
        await running
        return relay.seen

    for seed in (None, *range(50)):
        assert run(main(), seed=seed) == []


def test_a_conversation_cancelled_before_it_runs_handles_nothing() -> None:
    """Such a conversation ends as soon as it is run; its processors are neither started nor fed."""

    async def main() -> tuple[list[str], list[str]]:
        relay, lives = Relay(), Lives()
        task = PipelineTask(Pipeline([relay, lives]))
        await task.queue_frames([Vow("a"), Shout("b")])
        await task.cancel()
        await task.run()
        return relay.seen, lives.log

    assert run(main()) == ([], ["cleanup"])


def test_a_start_that_fails_is_reported_and_the_conversation_goes_on() -> None:
    """The error names the processor; the others work."""

    class Broken(FrameProcessor):
        @handles(StartFrame)
        async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
            raise RuntimeError("no connection")

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        async with conversation(Broken(), ear) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
        return ear.texts, talk.complaints

    texts, complaints = run(main())
    assert texts == ["a"]
    assert "Broken#0 failed on StartFrame" in complaints[0]


def test_cancelling_the_task_that_runs_a_conversation_cancels_the_conversation() -> None:
    """The cancellation is passed on after everything is cleaned up."""

    async def main() -> list[str]:
        lives = Lives()
        running = asyncio.get_running_loop().create_task(PipelineTask(Pipeline([lives])).run())
        await asyncio.sleep(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return lives.log

    assert run(main()) == ["StartFrame", "CancelFrame", "cleanup"]


def test_a_processor_may_cancel_the_conversation_it_is_in() -> None:
    """Pushing a CancelFrame, or calling cancel() in a handler or hook, does not deadlock."""

    async def by_frame(self: Custom, frame: Word | Vow) -> None:
        await self.push_frame(CancelFrame(reason="enough"))

    async def main() -> list[object]:
        finished: list[object] = []
        task = PipelineTask(Pipeline([Custom(by_frame)]))
        task.add_event_handler("on_pipeline_finished", lambda t, frame: finished.append(frame))
        await task.queue_frame(Word("go"))
        await task.run()

        other = PipelineTask(Pipeline([Lives()]))

        @other.event_handler("on_pipeline_started")
        async def started(task: PipelineTask, frame: StartFrame) -> None:
            await task.cancel("enough too")

        other.add_event_handler("on_pipeline_finished", lambda t, frame: finished.append(frame))
        await other.run()
        return finished

    reasons = [frame.reason for frame in run(main()) if isinstance(frame, CancelFrame)]
    assert reasons == ["enough", "enough too"]


def test_a_clean_up_that_hangs_or_fails_is_bounded_and_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each processor's cleanup has a deadline, and its failure touches nobody else."""

    class Hangs(FrameProcessor):
        async def cleanup(self) -> None:
            await asyncio.sleep(1000)

    class Fails(FrameProcessor):
        async def cleanup(self) -> None:
            raise RuntimeError("cannot clean up")

    async def main() -> list[str]:
        lives = Lives()
        async with conversation(Hangs(), Fails(), lives):
            pass
        return lives.log

    with caplog.at_level(logging.ERROR, "antiphon"):
        assert run(main())[-1] == "cleanup"
    assert "Hangs#0 is still busy with its cleanup" in caplog.text
    assert "Fails#0 failed to clean up" in caplog.text


def test_the_end_waits_for_all_branches() -> None:
    """EndFrame comes out of a ParallelPipeline once, after everything in every branch."""

    class Last(Ear):
        @handles(EndFrame)
        async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
            self.frames.append(Word("end"))

    async def main() -> list[str]:
        last = Last()
        branches = ParallelPipeline([Slow(1)], [Relay(), Slow(7)], [])
        async with conversation(branches, last) as talk:
            await talk.say(Word("a"))
        return last.texts

    assert run(main()) == ["a", "end"]
