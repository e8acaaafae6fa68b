"""The asyncio tasks of one session: each has an owner's name, and none outlives the session unseen.

A task that does not end within its deadline after being cancelled is *abandoned*: nobody waits for
it any longer, and its owner is reported.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from antiphon.errors import KernelError

T = TypeVar("T")


def ends_the_task(error: BaseException, task: asyncio.Task[Any] | None = None) -> bool:
    """Whether what user code raised is the end of `task`, which runs it, or of the program.

    `task` is the one that was running before the code was called; the present one by default.

    Anything else is a failure of that code: also a `CancelledError` that was not sent to this task,
    such as that of another task it awaited, and exceptions outside `Exception`: a Rust panic, the
    `SystemExit` of an argument parser. A `GeneratorExit` counts when the coroutine is being closed:
    then the task is not the one that runs.
    """
    if isinstance(error, asyncio.CancelledError):
        task = task or running_task()
        return task is not None and task.cancelling() > 0
    if isinstance(error, GeneratorExit):
        return task is None or running_task() is not task
    return isinstance(error, KeyboardInterrupt)


def running_task() -> asyncio.Task[Any] | None:
    """The task that runs, None outside a loop."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def described(error: BaseException) -> str:
    """The error for a report; its own `__repr__` may fail too."""
    try:
        return repr(error)
    except KeyboardInterrupt:
        raise
    except BaseException as second:
        return f"{type(error).__name__} (whose __repr__ raises {type(second).__name__})"


async def contained(coro: Coroutine[Any, Any, T]) -> T:
    """Runs user code in a task of its own: what would end the process is its failure instead."""
    task = running_task()
    try:
        return await coro
    except (SystemExit, GeneratorExit) as error:
        if ends_the_task(error, task):
            raise
        raise KernelError(f"it raised {described(error)}") from error


def failure_of(hook: Callable[..., None], *args: Any) -> BaseException | None:
    """Calls user code that must not hurt its caller, and returns what it raises.

    Only the user's own `KeyboardInterrupt` goes through.
    """
    try:
        hook(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    return None


async def to_its_end(coro: Coroutine[Any, Any, None]) -> None:
    """Runs a bounded clean-up that no cancellation of the caller cuts short.

    The cancellation is raised when it is done.
    """
    job = asyncio.get_running_loop().create_task(coro)
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait({job})
        except asyncio.CancelledError as error:
            cancelled = error
    job.result()
    if cancelled is not None:
        raise cancelled


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
        if task.cancelled():
            if task.cancelling():
                return
            error: BaseException | None = asyncio.CancelledError("nobody cancelled this task")
        else:
            error = task.exception()
        if error is not None:
            self._report(owner or task.get_name(), error)
