"""The floor: the same work with bare asyncio, a queue and a task per stage and nothing else.

What the kernel adds is the difference. Absolute figures belong to the machine and the minute; both
sides are measured in one run, so their ratio does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Chain:
    """`stages` queues in a row, each emptied into the next by a task of its own."""

    def __init__(self, stages: int) -> None:
        self.queues: list[asyncio.Queue[object]] = [asyncio.Queue() for _ in range(stages + 1)]

    async def _stage(self, index: int) -> None:
        source, target = self.queues[index], self.queues[index + 1]
        while True:
            target.put_nowait(await source.get())

    async def push(self, count: int) -> None:
        """Sends `count` items through and returns when the last has come out."""
        for number in range(count):
            self.queues[0].put_nowait(number)
        for _ in range(count):
            await self.queues[-1].get()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Chain]:
        """Runs the stages."""
        tasks = [asyncio.create_task(self._stage(i)) for i in range(len(self.queues) - 1)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
