"""Every wait of a life has a deadline, however the frames of its end come in."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from antiphon.frames.base import DataFrame, Frame
from antiphon.frames.lifecycle import EndFrame, HeartbeatFrame, InterruptionFrame, StartFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import UP, Custom, Ear, Relay, Shout, Vow, Word, conversation


async def hangs(self: Custom, frame: Word | Vow) -> None:
    """A handler that never returns."""
    await asyncio.get_running_loop().create_future()


def test_an_end_queued_before_the_start_is_bounded_too() -> None:
    """A handler in front of it that never returns is cancelled after the deadline, and named."""

    async def main() -> tuple[float, list[str]]:
        complaints: list[str] = []
        task = PipelineTask(Pipeline([Custom(hangs)]), end_timeout_secs=3, idle_timeout_secs=None)
        task.add_event_handler("on_pipeline_error", lambda _, frame: complaints.append(frame.error))
        await task.queue_frames([Word("a"), EndFrame()])
        async with asyncio.timeout(100):
            await task.run()
        return asyncio.get_running_loop().time(), complaints

    took, complaints = run(main())
    assert took < 10
    assert "Custom#0 did not return from Word#" in complaints[0]


def test_urgent_frames_queued_before_the_start_are_bounded_too() -> None:
    """Those behind a handler that never returns are handled after its deadline."""

    class Hanging(Relay):
        @handles(Shout)
        async def shout(self, frame: Shout, direction: FrameDirection) -> None:
            if frame.text == "a":
                await asyncio.get_running_loop().create_future()
            await self.relay(frame, direction)

    async def main() -> list[str]:
        hanging = Hanging()
        task = PipelineTask(Pipeline([hanging]))
        await task.queue_frames([Shout("a"), Shout("b")])
        async with conversation(task):
            await asyncio.sleep(30)
            return list(hanging.seen)

    assert run(main()) == ["b"]


def test_an_end_queued_upstream_is_an_end() -> None:
    """Whatever direction it is queued in, it goes through the pipeline once, downstream."""

    async def main() -> list[str]:
        ear = Ear()
        task = PipelineTask(Pipeline([Relay(), ear]), idle_timeout_secs=None)
        await task.queue_frame(Word("a"))
        await task.queue_frame(EndFrame(), UP)
        async with asyncio.timeout(100):
            await task.run()
        return ear.texts

    assert run(main()) == ["a"]


def test_the_end_is_passed_on_once_whatever_falls_between() -> None:
    """Also where a catch-all pushes it on itself and an interruption comes before it returns."""

    class CatchAll(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            await self.push_frame(frame, direction)
            if isinstance(frame, EndFrame):
                await asyncio.sleep(1)

    class Counting(FrameProcessor):
        ends = 0

        @handles(EndFrame)
        async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
            self.ends += 1
            await asyncio.sleep(3)

    async def main() -> int:
        last = Counting()
        async with conversation(CatchAll(), last) as talk:
            await talk.task.stop_when_done()
            await asyncio.sleep(0.5)
            await talk.interrupt()
        return last.ends

    assert run(main()) == 1


def test_the_end_waits_for_urgent_work_it_would_otherwise_pass_by() -> None:
    """What an urgent handler makes of an earlier frame comes before the end, everywhere."""

    class Answers(FrameProcessor):
        @handles(Shout)
        async def answer(self, frame: Shout, direction: FrameDirection) -> None:
            await asyncio.sleep(1)
            await self.push_frame(Vow(frame.text))

    class Last(FrameProcessor):
        def __init__(self) -> None:
            super().__init__()
            self.got: list[str] = []

        @handles(Vow, EndFrame)
        async def take(self, frame: Vow | EndFrame, direction: FrameDirection) -> None:
            self.got.append(frame.text if isinstance(frame, Vow) else "end")

    async def main(seed: int | None) -> list[str]:
        last = Last()
        async with conversation(Relay(), Answers(), Relay(), last) as talk:
            await talk.say(Shout("a"), Shout("b"))
        return last.got

    for seed in (None, *range(10)):
        assert run(main(seed), seed=seed) == ["a", "b", "end"]


def test_a_processor_that_never_started_is_not_told_of_the_cancel() -> None:
    """Nothing is handled before the StartFrame, a CancelFrame included; clean-up is called."""
    # The opposite, of one that has started: test_lifecycle.test_a_cancelled_life.

    class Strict(FrameProcessor):
        log: tuple[str, ...] = ()

        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            self.log += (type(frame).__name__,)

        async def cleanup(self) -> None:
            self.log += ("cleanup",)

    async def main() -> tuple[str, ...]:
        strict = Strict()
        task = PipelineTask(Pipeline([strict]))
        await task.cancel()
        await task.cancel()
        await task.run()
        return strict.log

    assert run(main()) == ("cleanup",)


def test_a_second_cancellation_does_not_cut_the_clean_up_short() -> None:
    """run() is bounded, so it may finish; then the cancellation is passed on."""

    class Tidy(FrameProcessor):
        tidy = False

        async def cleanup(self) -> None:
            await asyncio.sleep(2)
            self.tidy = True

    async def main() -> tuple[bool, bool]:
        tidy = Tidy()
        task = PipelineTask(Pipeline([tidy]))
        running = asyncio.get_running_loop().create_task(task.run())
        for _ in range(3):
            await asyncio.sleep(1)
            running.cancel()
        async with asyncio.timeout(10):
            await task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return tidy.tidy, task.has_finished() and running.cancelled()

    assert run(main()) == (True, True)


def test_hooks_that_hang_cost_the_end_one_deadline_and_are_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ten processors with a handler that never returns do not add up."""

    class Calls(FrameProcessor):
        on_word = Event[[str]]()

        @handles(Word)
        async def call(self, frame: Word, direction: FrameDirection) -> None:
            await self.on_word.emit(frame.text)
            await self.push_frame(frame, direction)

    async def never(processor: Calls, text: str) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> float:
        parts = [Calls() for _ in range(10)]
        for part in parts:
            part.add_event_handler("on_word", never)
        loop = asyncio.get_running_loop()
        async with conversation(*parts) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
            start = loop.time()
        return loop.time() - start

    assert run(main()) < 6
    assert (
        caplog.text.count("never of on_word did not return within 5 s of the end: it is cancelled")
        == 10
    )


def test_a_full_pipeline_goes_on_missing_its_heartbeat() -> None:
    """The monitor tells again and again, and beats flow once there is room."""

    class Stuck(FrameProcessor):
        mailbox_capacity = 2

        @handles(HeartbeatFrame)
        async def beat(self, frame: HeartbeatFrame, direction: FrameDirection) -> None:
            await asyncio.sleep(30)
            await self.push_frame(frame, direction)

    async def main() -> int:
        missed: list[None] = []
        params = PipelineParams(enable_heartbeats=True, heartbeats_monitor_secs=5)
        task = PipelineTask(Pipeline([Stuck()]), params=params, end_timeout_secs=1)
        task.add_event_handler("on_heartbeat_timeout", lambda _: missed.append(None))
        async with conversation(task):
            await asyncio.sleep(60)
        return len(missed)

    assert run(main()) >= 8


def test_a_pause_in_the_start_holds_everything() -> None:
    """Who pauses in its StartFrame lets nothing past, not even what it does not handle."""

    class Other(DataFrame):
        """Nothing that the paused processor handles."""

    class Paused(FrameProcessor):
        @handles(StartFrame)
        async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
            await self.pause_processing_frames()

    class Counting(FrameProcessor):
        count = 0

        @handles(Other)
        async def take(self, frame: Other, direction: FrameDirection) -> None:
            self.count += 1

    async def main() -> tuple[int, int]:
        paused, counting = Paused(), Counting()
        async with conversation(paused, counting) as talk:
            await talk.say(Other())
            await asyncio.sleep(1)
            before = counting.count
            await paused.resume_processing_frames()
            await asyncio.sleep(1)
            return before, counting.count

    assert run(main()) == (0, 1)


class Deaf(FrameProcessor):
    """Hangs on the first urgent frame, or on interruptions; handles the others."""

    def __init__(self, *, in_interruption: bool = False) -> None:
        super().__init__(name="deaf")
        self.in_interruption = in_interruption
        self.seen: list[tuple[str, float]] = []

    @handles(Shout, Word)
    async def take(self, frame: Shout | Word, direction: FrameDirection) -> None:
        if frame.text == "hang":
            await asyncio.get_running_loop().create_future()
        self.note(frame.text)

    @handles(InterruptionFrame)
    async def stop(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        if self.in_interruption:
            await asyncio.get_running_loop().create_future()
        self.note("told")

    def note(self, what: str) -> None:
        self.seen.append((what, asyncio.get_running_loop().time()))


@pytest.mark.parametrize("what", ["urgent", "timer", "interruption", "word behind interruption"])
def test_what_waits_behind_an_urgent_handler_is_bounded(what: str) -> None:
    """After ten seconds (of its own, if it began later) the handler is given up and reported."""

    async def main() -> tuple[list[tuple[str, float]], list[str]]:
        deaf = Deaf(in_interruption=what == "word behind interruption")
        async with conversation(deaf) as talk:
            if not deaf.in_interruption:
                await talk.say(Shout("hang"))
            await asyncio.sleep(100 - asyncio.get_running_loop().time())
            if what == "urgent":
                await talk.say(Shout("next"))
            elif what == "timer":

                async def due() -> None:
                    deaf.note("due")

                deaf.timer(due).arm(100.0)
            else:
                await talk.interrupt()
            if deaf.in_interruption:
                await talk.say(Word("new"))
            await asyncio.sleep(60)
            return deaf.seen, talk.complaints

    seen, complaints = run(main())
    expected = {"urgent": "next", "timer": "due", "interruption": "told"}.get(what, "new")
    assert [name for name, _ in seen] == [expected]
    limit = 20 if what == "word behind interruption" else 10
    assert seen[0][1] == pytest.approx(100 + limit, abs=0.1)
    assert ["deaf did not return from" in text for text in complaints] == [True]


def test_an_urgent_handler_is_not_timed_while_nothing_waits() -> None:
    """It may take as long as it likes; an ordered frame beside it is handled at once."""

    async def main() -> tuple[list[str], list[str]]:
        deaf = Deaf()
        async with conversation(deaf, end=False) as talk:
            await talk.say(Shout("hang"), Word("beside"))
            await asyncio.sleep(1000)
            return [name for name, _ in deaf.seen], talk.complaints

    assert run(main()) == (["beside"], [])
