"""Where a task waits, in words: the awaits from its coroutine down to the innermost one, and the
innermost line that is not asyncio's own.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def describe_task(task: asyncio.Task[Any]) -> str:
    """One line: the task's name, its coroutine, and file, line and function where it waits."""
    names: list[str] = []
    place = "running"
    awaited: Any = task.get_coro()
    while awaited is not None:
        if inspect.iscoroutine(awaited):
            frame, inner = awaited.cr_frame, awaited.cr_await
        elif inspect.isgenerator(awaited):
            frame, inner = awaited.gi_frame, awaited.gi_yieldfrom
        elif inspect.isasyncgen(awaited):
            frame, inner = awaited.ag_frame, awaited.ag_await
        else:
            break
        names.append(awaited.__qualname__)
        if frame is not None:
            path = Path(frame.f_code.co_filename)
            if place == "running" or path.parent.name != "asyncio":
                place = f"{path.name}:{frame.f_lineno}"
        awaited = inner
    chain = " > ".join(names) or repr(task.get_coro())
    return f"{task.get_name()}: {chain} at {place}"


def describe_tasks(tasks: Iterable[asyncio.Task[Any]]) -> tuple[str, ...]:
    """One line per task, in the order of their creation as far as their hashes tell."""
    return tuple(describe_task(task) for task in sorted(tasks, key=hash))
