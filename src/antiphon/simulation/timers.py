"""The timers of a virtual-time loop, ordered by time and then by creation."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque

_CANCELLED = 100
"""Cancelled timers that may lie around before they are swept out."""


class Timers:
    """`heap` is never replaced: the loop looks at its top before every step."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = itertools.count()
        self._cancelled = 0

    def add(self, when: float, handle: asyncio.TimerHandle) -> None:
        """Sets a timer."""
        handle._scheduled = True  # type: ignore[attr-defined]  # its cancel() tells the loop then
        heapq.heappush(self.heap, (when, next(self._order), handle))

    def one_was_cancelled(self) -> None:
        """Sweeps when most of them are."""
        self._cancelled += 1
        if self._cancelled > _CANCELLED and 2 * self._cancelled > len(self.heap):
            self.heap[:] = [entry for entry in self.heap if not entry[2].cancelled()]
            heapq.heapify(self.heap)
            self._cancelled = 0

    def fire(self, now: float, callbacks: deque[asyncio.Handle]) -> None:
        """Those that are due become callbacks."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            if timer.cancelled():
                self._cancelled = max(0, self._cancelled - 1)
            else:
                callbacks.append(timer)

    def next_at(self) -> float | None:
        """When the next one is due; None: there is none."""
        heap = self.heap
        while heap and heap[0][2].cancelled():
            heapq.heappop(heap)
            self._cancelled = max(0, self._cancelled - 1)
        return heap[0][0] if heap else None
