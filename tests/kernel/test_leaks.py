"""Conversations leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Ear, Relay, Shout, Slow, Vow, Word, conversation


def test_five_hundred_conversations_leave_nothing_behind() -> None:
    """After them no task is left, and the number of live objects is what it was."""

    async def one(number: int) -> None:
        parts = ParallelPipeline([Relay()], [Slow(0.01)])
        task = PipelineTask(Pipeline([Relay(), parts, Ear()]))
        async with conversation(task, end=bool(number % 3)) as talk:
            await talk.say(Word("a"), Vow("b"), Shout("c"))
            await talk.interrupt()

    def census() -> Counter[str]:
        gc.collect()
        return Counter(type(thing).__module__ for thing in gc.get_objects())

    async def main() -> tuple[Counter[str], Counter[str], int]:
        running = asyncio.all_tasks()
        for number in range(20):
            await one(number)
        before = census()
        for number in range(500):
            await one(number)
        return before, census(), len(asyncio.all_tasks() - running)

    before, after, tasks = run(main())
    assert tasks == 0
    # One object a conversation would be 500; a loop keeps up to a hundred cancelled timers.
    grown = {name: more for name in after if (more := after[name] - before[name]) > 250}
    assert grown == {}


def test_a_long_conversation_keeps_nothing_of_what_is_over() -> None:
    """A thousand requests, each with tasks, an emitter and an event, leave no object behind."""

    class Works(FrameProcessor):
        on_word = Event[[str]]()

        @handles(Word)
        async def work(self, frame: Word, direction: FrameDirection) -> None:
            async def answer() -> None:
                await self.emitter().push_frame(Vow("answer"))

            self.create_task(answer(), name="bound", bound=True)
            self.create_task(answer(), name="free")
            await self.on_word.emit(frame.text)

    async def main() -> dict[str, int]:
        works = Works()
        works.add_event_handler("on_word", lambda processor, text: None)
        counts: list[Counter[str]] = []
        branches = ParallelPipeline([Relay()], [Relay()])
        async with conversation(
            PipelineTask(Pipeline([works, branches]), idle_timeout_secs=None)
        ) as talk:
            for number in range(1_050):
                await talk.say(Word("question"))
                await asyncio.sleep(1)
                await talk.interrupt()
                if number in {49, 1_049}:
                    gc.collect()
                    counts.append(Counter(type(thing).__name__ for thing in gc.get_objects()))
        before, after = counts
        return {name: more for name in after if (more := after[name] - before[name]) > 250}

    assert run(main()) == {}
