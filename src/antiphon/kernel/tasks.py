"""The asyncio tasks of one session: each has an owner's name, and none outlives the session unseen.

A task that does not end within its deadline after being cancelled is *abandoned*: nobody waits for
it any longer, and its owner is reported.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

Report = Callable[[str, BaseException], None]
"""Called with the owner's name and what its task raised."""


class TaskGroup:
    """Tasks that end together, within a deadline."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._owners: dict[asyncio.Task[Any], str] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def __contains__(self, task: object) -> bool:
        return task in self._owners

    def create(
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str,
        owner: str,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        """Starts a task that belongs to `owner`."""
        task = asyncio.get_running_loop().create_task(coro, name=name, context=context)
        self._owners[task] = owner
        task.add_done_callback(self._done)
        return task

    def running(self) -> list[asyncio.Task[Any]]:
        """The tasks that have not ended, oldest first."""
        return list(self._owners)

    async def cancel(self, tasks: Iterable[asyncio.Task[Any]], timeout: float) -> set[str]:
        """Cancels tasks and waits at most `timeout` seconds; returns the owners of those left.

        The task that calls this is cancelled too, but not waited for.
        """
        pending = {task for task in tasks if not task.done()}
        for task in pending:
            task.cancel()
        pending.discard(asyncio.current_task())
        if pending:
            _, pending = await asyncio.wait(pending, timeout=timeout)
        return {self._owners.get(task, task.get_name()) for task in pending}

    async def close(self, timeout: float) -> set[str]:
        """Ends every task; returns the owners of those that did not stop in time."""
        left = await self.cancel(list(self._owners), timeout)
        self._owners.clear()
        return left

    def _done(self, task: asyncio.Task[Any]) -> None:
        owner = self._owners.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(owner or task.get_name(), error)
