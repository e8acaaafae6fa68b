"""What comes from outside the loop's thread: work that asyncio gives to executors, done inline at a
modelled cost or in real threads, and real sockets.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE_SECS = 60.0
"""Real seconds to wait for the outside before giving the run up."""


class _Loop(Protocol):
    may_take_long: bool
    slept_secs: float

    def create_task(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]: ...
    def stream(self, name: str) -> random.Random: ...


class InlineExecutor:
    """Runs a function in the loop's own thread at the moment its result is due.

    The delay is 0 to 2 x `secs` virtual seconds, drawn from the loop's stream "executor"; a
    function that sleeps is over so much later.
    """

    def __init__(self, loop: _Loop, secs: float) -> None:
        self._loop, self._secs = loop, secs

    def submit(self, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """The future of `func(*args)`."""
        delay = self._loop.stream("executor").uniform(0.0, 2.0 * self._secs)

        async def work() -> T:
            await asyncio.sleep(delay)
            self._loop.may_take_long, self._loop.slept_secs = True, 0.0
            try:
                return func(*args)
            finally:
                self._loop.may_take_long = False
                if self._loop.slept_secs > 0.0:
                    await asyncio.sleep(self._loop.slept_secs)

        return self._loop.create_task(work())


class OutsideWork:
    """Handles that other threads put, and how many answers are still to come."""

    def __init__(self) -> None:
        self.arrived: bool = False
        self.pending: int = 0
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
        with self._news:
            self.pending += 1

    def ended(self, *_: object) -> None:
        """An answer has come."""
        with self._news:
            self.pending -= 1

    def wait(self) -> bool:
        """Waits in real time until something arrives; False if nothing does for a minute."""
        with self._news:
            return self._news.wait_for(lambda: self.arrived, _PATIENCE_SECS)


@contextmanager
def counted(loop: asyncio.AbstractEventLoop, work: OutsideWork) -> Iterator[None]:
    """Counts what any pool of threads is given, not only asyncio's, as work still to come.

    Models bring pools of their own: the clock stands still for those as well.
    """
    original = ThreadPoolExecutor.submit

    def submit(
        pool: ThreadPoolExecutor, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        future = original(pool, function, *args, **kwargs)
        work.started()
        # Whoever waits for the result is told after this, so the work is counted one pass longer.
        ended = asyncio.Handle(loop.call_soon, (work.ended,), loop)
        future.add_done_callback(lambda _: work.put(ended))
        return future

    ThreadPoolExecutor.submit = submit  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ThreadPoolExecutor.submit = original  # type: ignore[method-assign]


class RealSockets:
    """The sockets that somebody listens to, or waits to write to; `process` does what a selector's
    events ask for.
    """

    def __init__(
        self, selector: selectors.BaseSelector, process: Callable[[list[Any]], None]
    ) -> None:
        self._selector, self._process = selector, process

    @property
    def awaited(self) -> bool:
        """Whether there is one, beside the loop's own."""
        return len(self._selector.get_map()) > 1

    def poll(self, secs: float = 0.0) -> bool:
        """Takes what comes within so many real seconds; whether something did."""
        events = self._selector.select(max(0.0, secs))
        self._process(events)
        return bool(events)


class OutsideWorld:
    """All that may come from outside the loop's thread, into `callbacks`.

    While threads work the clock stands still. While a real socket is open time is real: nobody can
    know what comes, and when. So a timeout fires when it would for real, and an answer that comes
    in time is in time.
    """

    def __init__(
        self,
        callbacks: deque[asyncio.Handle],
        work: OutsideWork,
        sockets: RealSockets | None,
        *,
        threads: bool,
    ) -> None:
        self._callbacks, self.work, self._sockets = callbacks, work, sockets
        self._threads = threads

    def take_news(self) -> bool:
        """Takes what has come; whether something had."""
        if self._sockets is not None:
            self._sockets.poll()
        if self.work.arrived:
            self._callbacks.extend(self.work.take())
        return bool(self._callbacks)

    def wait(self, now: float, when: float | None, deadline: float) -> float | None:
        """Waits, if anything is to come, and says at what time it did; None: it did not.

        All are times of the loop: `when` the next timer is due (None: there is none), and the end.
        """
        if self._sockets is not None and self._sockets.awaited:
            until = min(deadline, now + _PATIENCE_SECS if when is None else when)
            began = monotonic()
            came = self._sockets.poll(until - now)
            return min(until, now + monotonic() - began) if came else None
        if self.work.pending or (self._threads and when is None):
            return now if self.work.wait() else None
        return None
