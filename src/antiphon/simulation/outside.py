"""What comes from outside the loop's thread: work that asyncio gives to executors, done inline at a
modelled cost or in real threads, and real sockets.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import threading
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

PATIENCE_SECS = 60.0
"""Real seconds to wait for the outside before giving the run up."""


class _Loop(Protocol):
    may_take_long: bool

    def create_task(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]: ...
    def stream(self, name: str) -> random.Random: ...


class InlineExecutor:
    """Runs a function in the loop's own thread at the moment its result is due.

    The delay is 0 to 2 x `secs` virtual seconds, drawn from the loop's stream "executor".
    """

    def __init__(self, loop: _Loop, secs: float) -> None:
        self._loop, self._secs = loop, secs

    def submit(self, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """The future of `func(*args)`."""
        delay = self._loop.stream("executor").uniform(0.0, 2.0 * self._secs)

        async def work() -> T:
            await asyncio.sleep(delay)
            self._loop.may_take_long = True
            try:
                return func(*args)
            finally:
                self._loop.may_take_long = False

        return self._loop.create_task(work())


class OutsideWork:
    """Handles that other threads put, and how many answers are still to come."""

    def __init__(self) -> None:
        self.arrived = False
        self.pending = 0
        self._handles: list[asyncio.Handle] = []
        self._news = threading.Condition()

    def put(self, handle: asyncio.Handle) -> None:
        """Called in another thread."""
        with self._news:
            self._handles.append(handle)
            self.arrived = True
            self._news.notify()

    def take(self) -> list[asyncio.Handle]:
        """What has arrived."""
        with self._news:
            handles, self._handles, self.arrived = self._handles, [], False
        return handles

    def started(self) -> None:
        """One more answer is awaited."""
        self.pending += 1

    def ended(self, _: asyncio.Future[Any]) -> None:
        """An answer has come."""
        self.pending -= 1

    def wait(self) -> bool:
        """Waits in real time until something arrives; False if nothing does for a minute."""
        with self._news:
            return self._news.wait_for(lambda: self.arrived, PATIENCE_SECS)


SelectorEvents = list[tuple[selectors.SelectorKey, int]]


class RealSockets:
    """The sockets that somebody listens to, or waits to write to.

    While there is one, time is real: nobody can know what comes from outside, and when. So a
    timeout fires when it would for real, and an answer that comes in time is in time.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    def __bool__(self) -> bool:
        """Whether there is one, beside the loop's own."""
        return len(self._selector.get_map()) > 1

    def poll(self) -> SelectorEvents:
        """What has come."""
        return self._selector.select(0)

    def wait(self, secs: float) -> tuple[SelectorEvents, float]:
        """What comes within so many real seconds, and after how many."""
        began = monotonic()
        events = self._selector.select(max(0.0, secs))
        return events, monotonic() - began
