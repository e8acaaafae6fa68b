"""The line to a model that holds a conversation: held, and held anew when it breaks.

States                       left by
  down   no conversation     `start`; after a wait that grows with each failure in a row
  held   inputs go in        the stream fails, ends or is given up (`renew`) -> down
  dead   nobody there        never: an error that will not go away, or too many in a row

What is put while the line is down is lost: a new conversation begins with all that the model has to
know (`begin`), and whoever asks for an answer waits until the line is `held`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol, cast

from antiphon.errors import ConnectivityError, MailboxFullError, ServiceError
from antiphon.kernel.mailbox import Feed
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.contracts import RealtimeEvent, RealtimeInput, RealtimeProvider
from antiphon.services.realtime_answer import RealtimePolicy

_FEED_LIMIT = 5_000
"""Inputs; more than a minute of audio in pieces of 20 ms."""
_LONGEST_WAIT_SECS = 5.0


class RealtimeListener(Protocol):
    """What a service does about its conversation."""

    def begin(self) -> None:
        """A new conversation begins: puts what the model has to know."""

    async def received(self, event: RealtimeEvent) -> None:
        """An event came."""

    def broken(self, error: ServiceError) -> None:
        """The conversation is over."""


class RealtimeConnection:
    """Belongs to one processor. `usable` is False when it is dead."""

    def __init__(
        self,
        processor: FrameProcessor,
        provider: RealtimeProvider,
        policy: RealtimePolicy,
        talk: RealtimeListener,
        tell: Callable[[str], Awaitable[None]],
    ) -> None:
        self.provider = provider
        self.usable: bool = True
        self._processor, self._policy, self._talk = processor, policy, talk
        self._tell = tell
        self._inputs: Feed[RealtimeInput] = Feed(limit=_FEED_LIMIT, name="inputs of the model")
        self._held = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connected = self._ending = False
        self._failures = 0

    async def start(self) -> None:
        """Connects, and holds a conversation from now on."""
        try:
            await self._connect()
        except ServiceError as error:
            await self._failed(error)
        if self.usable:
            self._processor.create_task(self._supervise(), name="conversation")

    def close(self) -> None:
        """The conversation may end. Idempotent."""
        self._ending = True
        self._inputs.close()

    def put(self, item: RealtimeInput) -> None:
        """An input of the model's; one that takes none is given up."""
        if not self.usable:
            return
        try:
            self._inputs.put(item)
        except MailboxFullError as error:
            message = f"{self.provider.name} takes no input"
            _ = self._processor.push_error(message, exception=error)
            self.renew()

    def renew(self) -> None:
        """The model does not react: the conversation is ended, and held anew."""
        if self._task is not None and self._held.is_set():
            self._held.clear()
            stopping = self._processor.cancel_task(self._task)
            self._processor.create_task(stopping, name="end of a conversation")

    def answered(self) -> None:
        """The model works: failures so far count no longer."""
        self._failures = 0

    async def until_held(self) -> bool:
        """Waits, as long as for an answer, until there is a conversation; False if there is none
        and will be none.
        """
        try:
            async with asyncio.timeout(self._policy.first_event_secs):
                await self._held.wait()
        except TimeoutError:
            pass
        return self.usable

    async def _connect(self) -> None:
        if not self._connected:
            await self.provider.connect()
            self._connected = True

    async def _supervise(self) -> None:
        while self.usable:
            self._task = held = self._processor.create_task(self._hold(), name="provider stream")
            await asyncio.wait([held])
            self._held.clear()
            if self._ending:
                return
            error = None if held.cancelled() else held.exception()
            if not isinstance(error, ServiceError):
                error = ConnectivityError(f"{self.provider.name} ended the conversation")
            self._talk.broken(error)
            await self._failed(error, reported=not held.cancelled())
            if self._failures > 1:
                wait = self._policy.backoff_secs * 2**self._failures
                await asyncio.sleep(min(_LONGEST_WAIT_SECS, wait))

    async def _hold(self) -> None:
        self._inputs = feed = Feed[RealtimeInput](limit=_FEED_LIMIT, name="inputs of the model")
        await self._connect()
        self._talk.begin()
        # The contract says that closing the iterator is the cancellation: it is a generator.
        stream = cast("AsyncGenerator[RealtimeEvent, None]", self.provider.converse(feed))
        async with aclosing(stream) as events:
            self._held.set()
            async for event in events:
                await self._talk.received(event)
        if not feed.closed:
            raise ConnectivityError(f"{self.provider.name} ended the conversation")

    async def _failed(self, error: ServiceError, *, reported: bool = False) -> None:
        """Counts a failure. What a task of ours raised has been reported by the kernel."""
        push, name = self._processor.push_error, self._processor.name
        if not reported:
            await push(f"{name} lost {self.provider.name}: {error}", exception=error)
        await self._tell(str(error))
        self._failures += 1
        if not error.retryable or self._failures >= self._policy.max_failures:
            self.usable = False
            self._held.set()  # nobody need wait for it
            await push(f"{name} gives up on {self.provider.name}: it is silent now")
