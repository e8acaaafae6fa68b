"""The handles of a virtual-time loop, and its timers, ordered by time and then by creation.

asyncio's own handles ask the loop for its debug mode whenever they are made and cancelled, which is
a fifth of the price of a step. These have the same fields, and no tracebacks of where they were
made.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

_CANCELLED = 100
"""Cancelled timers that may lie around before they are swept out."""


class VirtualHandle(asyncio.Handle):
    """A callback that is ready."""

    __slots__ = ()
    _callback: Any
    _args: Any

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback, self._args = callback, args
        self._cancelled = False
        self._repr = self._source_traceback = None

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = self._args = None


class VirtualTimer(asyncio.TimerHandle):
    """A callback that is due at a time."""

    __slots__ = ("timers",)
    _callback: Any
    _args: Any

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
        timers: Timers,
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback, self._args = callback, args
        self._cancelled, self._scheduled = False, True
        self._repr = self._source_traceback = None
        self._when = when
        self.timers: Timers = timers

    def cancel(self) -> None:
        if self._scheduled and not self._cancelled:
            self.timers.one_is_cancelled()
        self._cancelled = True
        self._callback = self._args = None


class Timers:
    """`heap` is never replaced: the loop looks at its top before every step."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, VirtualTimer]] = []
        self.order: itertools.count[int] = itertools.count()
        self._cancelled = 0

    def one_is_cancelled(self) -> None:
        """Sweeps when most of them are."""
        self._cancelled += 1
        if self._cancelled > _CANCELLED and 2 * self._cancelled > len(self.heap):
            self.heap[:] = [entry for entry in self.heap if not entry[2]._cancelled]
            heapq.heapify(self.heap)
            self._cancelled = 0

    def fire(self, now: float, callbacks: deque[asyncio.Handle]) -> None:
        """Those that are due become callbacks."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            timer._scheduled = False
            if timer._cancelled:
                self._cancelled -= 1
            else:
                callbacks.append(timer)

    def next_at(self) -> float | None:
        """When the next one is due; None: there is none."""
        heap = self.heap
        while heap and heap[0][2]._cancelled:
            heapq.heappop(heap)[2]._scheduled = False
            self._cancelled -= 1
        return heap[0][0] if heap else None
