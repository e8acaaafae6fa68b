"""Speaking and listening at once over one connection of a vendor's SDK.

An adapter says how a connection is opened and what goes over it; an `Exchange` has the tasks,
queues and timers:

* `converse`: one connection for one conversation; sends what the inputs bring while it listens.
* `request`: several requests in flight over one connection, which is opened with the first and
  kept; replies are told apart by their key.

A connection on which nothing was sent for `keep_alive_secs` gets `keep_alive()`. One that is *half
open* (we send, and hear nothing of the other end for `quiet_secs`) has failed. When a connection
fails, every request on it fails, and the next one opens another.

`ThreadFeed` is for SDKs that call back from threads of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from antiphon.errors import AntiphonError, ConnectivityError, MailboxFullError
from antiphon.kernel.mailbox import Feed
from antiphon.services.connection import as_failure, failures_of

S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)
S_contra = TypeVar("S_contra", contravariant=True)
R = TypeVar("R")
T = TypeVar("T")

_LIMIT = 5_000
_CLOSE_SECS = 1.0


class Duplex(Protocol[S_contra, R_co]):
    """One connection of an SDK: send, iterate, close."""

    async def send(self, message: S_contra) -> None:
        """Sends one message."""

    def __aiter__(self) -> AsyncIterator[R_co]:
        """What comes in, until the other end closes."""
        ...

    async def close(self) -> None:
        """Hangs up. Idempotent."""


class Liveness(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection is kept and watched. Seconds.

    `keep_alive`: makes the message that is sent when nothing else was for `keep_alive_secs`.
    `quiet_secs`: how long the other end may be silent after we have sent something; only where it
    answers all that it is sent, keep-alives too.
    """

    keep_alive: Callable[[], Any] | None = None
    keep_alive_secs: float = 5.0
    quiet_secs: float | None = None


class Channel(AsyncIterator[R], Generic[S, R]):
    """The replies to one request, and the way to send more for it."""

    def __init__(self, link: _Link[S, R], who: str) -> None:
        self._link = link
        self.replies: Feed[R | AntiphonError] = Feed(limit=_LIMIT, name=f"replies of {who}")

    async def send(self, message: S) -> None:
        """Sends a message on the connection of the request."""
        await self._link.send(message)

    async def __anext__(self) -> R:
        reply = await anext(self.replies)
        if isinstance(reply, AntiphonError):
            raise reply
        return reply


class _Link(Generic[S, R]):
    """One connection, its listener, and its timer."""

    def __init__(
        self,
        who: str,
        duplex: Duplex[S, R],
        liveness: Liveness,
        route: Callable[[R], str | None],
    ) -> None:
        self._who, self._duplex, self._liveness, self._route = who, duplex, liveness, route
        self._loop = asyncio.get_running_loop()
        self.channels: dict[str | None, Channel[S, R]] = {}
        self.over = False
        self._sent = self._loop.time()
        self._unanswered_since: float | None = None
        self._tasks = [self._loop.create_task(self._listen(), name=f"listening to {who}")]
        if liveness.keep_alive is not None or liveness.quiet_secs is not None:
            self._tasks.append(self._loop.create_task(self._watch(), name=f"watching {who}"))

    async def send(self, message: S) -> None:
        """Sends a message; raises `AntiphonError` if the connection has failed."""
        if self.over:
            raise ConnectivityError(f"{self._who} has closed the connection")
        self._sent = self._loop.time()
        if self._unanswered_since is None:
            self._unanswered_since = self._sent
        with failures_of(self._who):
            await self._duplex.send(message)

    async def close(self) -> None:
        """Hangs up, within a second."""
        self.over = True
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=_CLOSE_SECS)
        try:
            async with asyncio.timeout(_CLOSE_SECS):
                with failures_of(self._who):
                    await self._duplex.close()
        except (TimeoutError, AntiphonError):
            return

    def fail(self, error: AntiphonError | None) -> None:
        """The connection is over: every channel ends, or fails."""
        self.over = True
        for channel in self.channels.values():
            if error is not None:
                channel.replies.put(error)
            channel.replies.close()

    async def _listen(self) -> None:
        try:
            with failures_of(self._who):
                async for message in self._duplex:
                    self._unanswered_since = None
                    channel = self.channels.get(self._route(message))
                    if channel is not None:
                        channel.replies.put(message)
        except AntiphonError as error:
            self.fail(error)
        else:
            self.fail(None)

    async def _watch(self) -> None:
        rules = self._liveness
        while not self.over:
            now, due = self._loop.time(), list[float]()
            if rules.quiet_secs is not None and self._unanswered_since is not None:
                due.append(self._unanswered_since + rules.quiet_secs)
                if due[0] <= now:
                    secs = now - self._unanswered_since
                    self.fail(ConnectivityError(f"{self._who} has been silent for {secs:.3g} s"))
                    return
            if rules.keep_alive is not None and self._sent + rules.keep_alive_secs <= now:
                try:
                    await self.send(rules.keep_alive())
                except AntiphonError as error:
                    self.fail(error)
                    return
            due.append(self._sent + rules.keep_alive_secs)
            await asyncio.sleep(max(0.01, min(due) - now))


class Exchange(Generic[S, R]):
    """The conversations and requests of one adapter; see the module's docstring.

    `open` makes a connection; `key_of` says to which request a message belongs.
    """

    def __init__(
        self,
        who: str,
        open: Callable[[], Any],  # what it does
        *,
        key_of: Callable[[R], str | None] | None = None,
        liveness: Liveness | None = None,
    ) -> None:
        self._who, self._open = who, open
        self._key_of = key_of or (lambda _: None)
        self._liveness = liveness or Liveness()
        self._link: _Link[S, R] | None = None
        self._opening = asyncio.Lock()

    async def _opened(self, key_of: Callable[[R], str | None]) -> _Link[S, R]:
        with failures_of(self._who):
            duplex: Duplex[S, R] = await self._open()
        return _Link(self._who, duplex, self._liveness, key_of)

    async def converse(
        self,
        inputs: AsyncIterator[T],
        encode: Callable[[T], Iterable[S]],
        *,
        last: Sequence[S] = (),
    ) -> AsyncGenerator[R, None]:
        """Sends what the inputs bring, then `last`, and yields what comes until the other end
        closes. Closing the iterator hangs up.

        Raises:
            AntiphonError: the connection, an input or the encoding failed.

        """
        link = await self._opened(lambda _: None)
        channel = link.channels[None] = Channel(link, self._who)

        async def speak() -> None:
            try:
                with failures_of(self._who):
                    async for item in inputs:
                        for message in encode(item):
                            await link.send(message)
                    for message in last:
                        await link.send(message)
            except AntiphonError as error:
                link.fail(error)

        speaking = asyncio.get_running_loop().create_task(speak(), name=f"speaking to {self._who}")
        try:
            async for message in channel:
                yield message
        finally:
            speaking.cancel()
            await asyncio.wait({speaking}, timeout=_CLOSE_SECS)
            await link.close()

    @asynccontextmanager
    async def request(self, key: str) -> AsyncGenerator[Channel[S, R], None]:
        """The channel of one request, which ends with the block.

        Raises:
            AntiphonError: there is no connection.

        """
        async with self._opening:
            if self._link is None or self._link.over:
                stale, self._link = self._link, None
                if stale is not None:
                    await stale.close()
                self._link = await self._opened(self._key_of)
            link = self._link
        channel = link.channels[key] = Channel(link, self._who)
        try:
            yield channel
        finally:
            del link.channels[key]

    async def close(self) -> None:
        """Hangs up. Idempotent."""
        link, self._link = self._link, None
        if link is not None:
            link.fail(ConnectivityError(f"{self._who} is closed"))
            await link.close()


class ThreadFeed(AsyncIterator[T], Generic[T]):
    """A feed that threads may put into; read by one task of the loop it is made in."""

    def __init__(self, *, limit: int = _LIMIT, name: str = "feed") -> None:
        self._loop = asyncio.get_running_loop()
        self._feed: Feed[T] = Feed(limit=limit, name=name)
        self._failure: AntiphonError | None = None

    def put(self, item: T) -> None:
        """Adds an item, from any thread; too many fail the feed."""
        self._soon(self._put, item)

    def fail(self, error: BaseException) -> None:
        """Ends the feed with an error, from any thread."""
        self._soon(self._fail, as_failure(error, self._feed.name))

    def close(self) -> None:
        """Ends the feed, from any thread. Idempotent."""
        self._soon(self._feed.close)

    async def __anext__(self) -> T:
        try:
            return await anext(self._feed)
        except StopAsyncIteration:
            if self._failure is not None:
                raise self._failure from None
            raise

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        if not self._loop.is_closed():  # the conversation is over, and the thread has not noticed
            self._loop.call_soon_threadsafe(call, *arguments)

    def _put(self, item: T) -> None:
        try:
            self._feed.put(item)
        except MailboxFullError as error:
            self._fail(error)

    def _fail(self, error: AntiphonError) -> None:
        self._failure = self._failure or error
        self._feed.close()
