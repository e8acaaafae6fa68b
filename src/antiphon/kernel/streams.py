"""Reading a stream that may misbehave: whoever waits for it can stop waiting, whatever it does.

A provider's stream runs in a task of its own and its items are handed over. So a stream that
swallows its cancellation, or never answers it, costs its reader a deadline and no more: it is
abandoned and reported, as a handler would be.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic, TypeVar

T = TypeVar("T")

logger = logging.getLogger("antiphon")


class StreamTimeoutError(TimeoutError):
    """A stream gave nothing in time; a `TimeoutError` of its own is another matter."""


class StreamReader(Generic[T]):
    """Reads `stream`, in order, for one consumer. `name` says whose it is, in reports.

    `grace_secs`: how long the stream may take to stop once it is closed.
    """

    def __init__(
        self, stream: AsyncGenerator[T, None], *, name: str, grace_secs: float = 1.0
    ) -> None:
        self._name = name
        self._grace = grace_secs
        self._items: deque[T] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._task = asyncio.get_running_loop().create_task(self._read(stream), name=name)
        self._task.add_done_callback(self._ended)

    async def next(self, timeout: float) -> T:
        """The next item, waited for at most `timeout` seconds.

        Raises:
            StreamTimeoutError: there was none in time. The stream goes on: close it.
            StopAsyncIteration: the stream is over.
            Exception: what the stream raised, after everything it gave before.

        """
        try:
            async with asyncio.timeout(timeout):
                while not self._items and not self._task.done():
                    self._waiter = asyncio.get_running_loop().create_future()
                    await self._waiter
        except TimeoutError as error:  # no stream has raised it: only the waiter was awaited
            raise StreamTimeoutError(f"{self._name} gave nothing for {timeout:g} s") from error
        if self._items:
            return self._items.popleft()
        if self._task.cancelled():
            raise asyncio.CancelledError(f"{self._name} was cancelled")
        self._task.result()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stops the stream: waits for it for `grace_secs`, and no longer."""
        if self._task.done():
            return
        self._task.cancel()
        _, running = await asyncio.wait({self._task}, timeout=self._grace)
        if running:
            logger.error(
                "%s did not stop within %g s of being closed: it is abandoned. Let "
                "asyncio.CancelledError through, and do not block in `finally`.",
                self._name,
                self._grace,
            )

    async def _read(self, stream: AsyncGenerator[T, None]) -> None:
        async with aclosing(stream):
            async for item in stream:
                self._items.append(item)
                self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # seen: the consumer raises it, if one is left
        self._wake()
