"""Ends a step that never does: `while True: pass` between two awaits.

No loop can take control back from such code, so the operating system's timer of CPU time does: a
signal comes every quarter of the limit, and looks whether the loop has gone on meanwhile. If it is
in the same step after the whole limit, the step is ended by an exception that only `except
BaseException` can catch; the loop raises `EndlessStepError` as soon as it has control.

It counts CPU time, so that a busy machine makes no difference, and touches nothing as long as steps
end: runs stay as they are. On Unix and in the main thread only, and not where a profiler uses the
same timer (SIGPROF), or under a debugger.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from antiphon.simulation.errors import EndlessStepError

_LOOKS = 4
_DEBUGGERS = {"bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy"}
_SHOWN = 5


class StepEnded(BaseException):
    """What the endless step sees."""


class WatchedStep(Protocol):
    """What the watchdog needs of the loop."""

    steps: int
    may_take_long: bool
    """It waits, or does what was given to an executor."""


class Watchdog:
    """`limit_secs`: CPU seconds that one step may take; None: any number.

    `endless` is the place of the step that was ended, if one was.
    """

    def __init__(self, limit_secs: float | None) -> None:
        self.limit_secs = limit_secs
        self.endless: str | None = None

    def complain(self) -> None:
        """Raises `EndlessStepError` if a step was ended since this was last asked."""
        if self.endless is not None:
            where, self.endless = self.endless, None
            raise EndlessStepError(f"a step did not end within {self.limit_secs:g} s: {where}")

    @contextmanager
    def watch(self, loop: WatchedStep) -> Iterator[None]:
        """Watches the loop while it runs."""
        if self.limit_secs is None or not _is_possible():
            yield
            return
        seen, looks = loop.steps, 0

        def look(_: int, frame: FrameType | None) -> None:
            nonlocal seen, looks
            stack = list(_stack_of(frame))
            if loop.steps != seen or loop.may_take_long or _is_debugged(stack):
                seen, looks = loop.steps, 0
                return
            looks += 1
            if looks >= _LOOKS:
                looks = 0
                self.endless = describe_step(frame)
                raise StepEnded

        period = self.limit_secs / _LOOKS
        signal.signal(signal.SIGPROF, look)
        signal.setitimer(signal.ITIMER_PROF, period, period)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            signal.signal(signal.SIGPROF, signal.SIG_DFL)


def _is_possible() -> bool:
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGPROF) is signal.SIG_DFL


def _stack_of(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_debugged(stack: list[FrameType]) -> bool:
    return any(str(frame.f_globals.get("__name__")).split(".")[0] in _DEBUGGERS for frame in stack)


def describe_step(frame: FrameType | None) -> str:
    """The task, and the innermost lines of its step."""
    task = asyncio.current_task()
    who = "a callback" if task is None else f"task {task.get_name()!r}"
    lines = []
    for one in itertools.islice(_stack_of(frame), _SHOWN):
        code = one.f_code
        if Path(code.co_filename).parent.name == "asyncio":
            break
        lines.append(f"{code.co_qualname} at {Path(code.co_filename).name}:{one.f_lineno}")
    return f"{who} in {', called by '.join(lines)}"
