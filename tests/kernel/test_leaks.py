"""Conversations leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.virtual_time import run
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
