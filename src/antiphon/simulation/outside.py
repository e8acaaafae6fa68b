"""Work that asyncio gives to executors: inline at a modelled cost, or in real threads."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_PATIENCE_SECS = 60.0
"""Real seconds to wait for a thread before giving the run up."""


class _Loop(Protocol):
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
            return func(*args)

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
            return self._news.wait_for(lambda: self.arrived, _PATIENCE_SECS)
