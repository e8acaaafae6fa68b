"""What is hard about a connection: it fails, falls silent, does not stop, comes back.

`StreamReader` reads one stream of a provider's. It runs in a task of its own and its items are
handed over, so a stream that raises what none should, swallows its cancellation or never answers it
costs its reader a deadline and no more.

`Supervised` holds what a service has to do with one provider: it connects; opens streams, one that
is kept open for as long as the session lives (`keep`) or one for each request (`stream`); says
whether the provider is *usable*, and when it may be asked again (`Availability` decides).

    state of a kept stream     left by
      waiting                  its time has come, `hurry` or `revive` -> open
      open                     it fails, ends, or `renew` -> waiting (or open at once)
      closed                   never; `close`, or the end of the session
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from traceback import TracebackException
from typing import Any, Generic, Protocol, TypeVar

from antiphon.errors import AntiphonError, ConnectivityError, NotInPipelineError, ServerError
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.tasks import ends_the_task
from antiphon.services.connection_policy import (
    Availability,
    ConnectionPolicy,
    is_lasting,
    is_refusal,
)

T = TypeVar("T")
S = TypeVar("S")

logger = logging.getLogger("antiphon")


class Spawn(Protocol):
    """Starts a task."""

    def __call__(self, coro: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """A task that runs the coroutine."""
        ...


class SilenceError(ConnectivityError):
    """A stream gave nothing in time."""


def as_failure(error: BaseException, who: str) -> AntiphonError:
    """Our error for what a provider raised: its own where it is one of ours."""
    if isinstance(error, AntiphonError):
        return error
    # Not str(error): that is a stranger's code, too.
    text = str(TracebackException(type(error), error, None))
    if isinstance(error, TimeoutError | OSError):
        kind: type[AntiphonError] = ConnectivityError
    else:
        kind = ServerError
    failure = kind(f"{who} raised {type(error).__name__}{f': {text}' if text else ''}")
    failure.__cause__ = error
    return failure


@contextmanager
def failures_of(who: str) -> Iterator[None]:
    """Makes whatever is raised inside one of our errors, but for what ends the task."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, AntiphonError) or ends_the_task(error):
            raise
        raise as_failure(error, who) from error


class StreamReader(Generic[T]):
    """Reads what `make()` returns, in order, for one consumer, as far as `ahead` items ahead of it.

    With one item ahead, the stream goes on when the consumer asks for the next. `who` says whose it
    is, in reports; `grace_secs`: how long the stream may take to stop once it is closed; `spawn`
    starts its task.
    """

    def __init__(
        self,
        make: Callable[[], AsyncIterator[T]],
        *,
        who: str,
        grace_secs: float = 0.8,
        ahead: int = 16,
        spawn: Spawn | None = None,
    ) -> None:
        self._who, self._grace, self._ahead = who, grace_secs, ahead
        self._items: deque[T] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._limit: asyncio.Timeout | None = None
        self._failure: BaseException | None = None
        self._over = False
        self._loop = asyncio.get_running_loop()
        spawn = spawn or self._loop.create_task
        self._task = spawn(self._run(make), name=f"the stream of {who}")
        self._task.add_done_callback(self._ended)

    async def next(self, deadline: float | None = None) -> T:
        """The next item, waited for until `deadline` (loop seconds), which `move` may change.

        Raises:
            SilenceError: there was none in time. The stream goes on: close it.
            StopAsyncIteration: the stream is over.
            AntiphonError: what the stream raised, after everything it gave before, or `fail` said.

        """
        if self._room is not None and len(self._items) < self._ahead and not self._room.done():
            self._room.set_result(None)
        if not self._items and not self._over:
            began = self._loop.time()
            try:
                async with asyncio.timeout_at(deadline) as self._limit:
                    while not self._items and not self._over:
                        self._waiter = self._loop.create_future()
                        await self._waiter
            except TimeoutError as error:  # no stream has raised it: only the waiter was awaited
                waited = self._loop.time() - began
                raise SilenceError(f"{self._who} gave nothing for {waited:.3g} s") from error
            finally:
                self._limit = self._waiter = None
        if self._items:
            return self._items.popleft()
        if self._failure is not None:
            raise as_failure(self._failure, self._who)
        raise StopAsyncIteration

    def move(self, deadline: float | None) -> None:
        """Changes the deadline of the item that is being waited for, if one is."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(deadline)

    def fail(self, error: AntiphonError) -> None:
        """The consumer need not wait: it gets this error, behind the items that are there."""
        if not self._over:
            self._over, self._failure = True, error
            self._wake()

    async def aclose(self) -> None:
        """Stops the stream: waits for it for `grace_secs`, and no longer."""
        if self._task.done():
            return
        self._over = True
        self._task.cancel()
        _, running = await asyncio.wait({self._task}, timeout=self._grace)
        if running:
            logger.error(
                "the stream of %s did not stop within %g s of being closed: it is abandoned. Let "
                "asyncio.CancelledError through, and do not block in `finally`.",
                self._who,
                self._grace,
            )

    async def _run(self, make: Callable[[], AsyncIterator[T]]) -> None:
        try:
            stream = make()
            if isinstance(stream, AsyncGenerator):
                async with aclosing(stream):
                    await self._read(stream)
            else:
                await self._read(stream)
        except BaseException as error:
            # A CancelledError that nobody sent to this task is a failure like any other.
            if isinstance(error, asyncio.CancelledError) and self._is_cancelled():
                raise
            if isinstance(error, KeyboardInterrupt):
                raise
            if not self._over:
                self._failure = error

    def _is_cancelled(self) -> bool:
        return self._task.cancelling() > 0

    async def _read(self, stream: AsyncIterator[T]) -> None:
        async for item in stream:
            if self._over:
                return
            self._items.append(item)
            self._wake()
            while len(self._items) >= self._ahead:
                self._room = self._loop.create_future()
                await self._room

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._over = True
        if not task.cancelled():
            task.exception()
        self._wake()


class Connectable(Protocol):
    """What every provider has."""

    name: str

    async def connect(self) -> None:
        """Prepares what can be prepared before the first word."""


class KeptStream(Protocol[S]):
    """What a service does with a stream that is kept open."""

    def open(self) -> AsyncIterator[S]:
        """A new stream of the provider's, told what it has to know."""
        ...

    async def received(self, event: S) -> None:
        """An event came."""

    def broken(self, error: AntiphonError) -> None:
        """The stream is over; another will be opened if that is worth while."""


class _RenewedError(AntiphonError):
    """The stream is replaced, through no fault of its own."""


class Supervised:
    """One service's dealings with one provider. `told` is called with every error that is told.

    Whoever makes requests (`stream`) reports how they went (`worked`, `failed`) and waits between
    attempts (`until_due`); a kept stream does so itself, but for `worked`.
    """

    def __init__(
        self,
        processor: FrameProcessor,
        provider: Connectable,
        policy: ConnectionPolicy,
        told: Callable[[str], Awaitable[None]],
    ) -> None:
        self.provider, self.policy = provider, policy
        self._processor, self._told = processor, told
        self._availability = Availability(policy)
        self._connected = False
        self._connecting: asyncio.Lock | None = None
        self._changed = asyncio.Event()
        self._kept: asyncio.Task[None] | None = None
        self._reader: StreamReader[Any] | None = None
        self._opened: float | None = None
        self._failure_told = False
        self._closed = False

    @property
    def usable(self) -> bool:
        """False while the provider refuses, until something is changed."""
        return self._availability.usable

    @property
    def open(self) -> bool:
        """A kept stream is open."""
        return self._reader is not None

    # ---- what happened -------------------------------------------------------------------------

    def worked(self) -> None:
        """The provider answered."""
        if self._availability.down and (failures := self._availability.worked()):
            times = "once" if failures == 1 else f"{failures} times"
            logger.info("%s works again, having failed %s", self.provider.name, times)

    async def failed(
        self, error: AntiphonError, *, held_secs: float = 0.0, tell: bool = True
    ) -> None:
        """An attempt failed. It is told, unless its cause was told before or `tell` is off: then
        it counts when the cause is told next.
        """
        usable = self.usable
        refused = is_refusal(error) if self._kept is not None else is_lasting(error)
        news = self._availability.failed(
            error, self._now(), held_secs=held_secs, refused=refused, tell=tell
        )
        name, who = self.provider.name, self._processor.name
        if usable and not self.usable:
            message = f"{who} gives up on {name} until its settings change: {error}"
            await self.tell(message, error)
        elif news is not None:
            message = f"{who} has no answer from {name}: {news.error}"
            if news.count > 1:
                message += f" ({news.count} times in {news.secs:.3g} s)"
            await self.tell(message, error, count=news.count)

    async def tell(self, message: str, error: AntiphonError, *, count: int = 1) -> None:
        """Makes a failure known."""
        await self._processor.push_error(message, exception=error, count=count)
        await self._told(str(error))

    def hurry(self) -> None:
        """An answer is wanted: the next attempt need not wait."""
        self._availability.hurry(self._now())
        self._changed.set()

    def revive(self) -> None:
        """The settings are others now: what was refused may be granted."""
        self._availability.revive()
        self._changed.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def until_due(self, deadline: float | None = None) -> bool:
        """Waits until the provider may be asked, `deadline` (loop seconds) at most; False if that
        came first.
        """
        while not (self.usable and self._availability.retry_at <= self._now()):
            if self._closed or (deadline is not None and deadline <= self._now()):
                return False
            self._changed.clear()
            limits = [] if deadline is None else [deadline]
            limits += [self._availability.retry_at] if self.usable else []
            try:
                async with asyncio.timeout_at(min(limits, default=None)):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return True

    # ---- connecting and asking -----------------------------------------------------------------

    async def connect(self) -> None:
        """Connects, once; whatever the provider raises is a failed connect.

        Raises:
            AntiphonError: it failed, or took longer than `connect_secs`.

        """
        self._connecting = self._connecting or asyncio.Lock()
        async with self._connecting:
            if not self._connected:
                limit = self.policy.connect_secs
                await self.call(self.provider.connect, limit=limit, what="connect")
                self._connected = True

    async def call(
        self, make: Callable[[], Awaitable[None]], *, limit: float | None, what: str
    ) -> None:
        """Awaits what is no stream, such as `connect`, for at most `limit` seconds.

        Raises:
            AntiphonError: it failed, or did not `what` (in the report) in time.

        """

        async def stream() -> AsyncGenerator[None, None]:
            await make()
            events: tuple[None, ...] = ()
            for event in events:
                yield event

        async with aclosing(self._reads(stream, ahead=1)) as attempt:
            try:
                await attempt.next(None if limit is None else self._now() + limit)
            except StopAsyncIteration:
                return
            except SilenceError as error:
                message = f"{self.provider.name} did not {what} within {limit:g} s"
                raise ConnectivityError(message) from error

    def _reads(self, make: Callable[[], AsyncIterator[T]], *, ahead: int) -> StreamReader[T]:
        grace = self.policy.grace_secs
        try:
            self._processor.station  # noqa: B018  # out of band a model may be asked anywhere
            spawn: Spawn | None = self._processor.create_task
        except NotInPipelineError:
            spawn = None
        return StreamReader(
            make, who=self.provider.name, grace_secs=grace, ahead=ahead, spawn=spawn
        )

    async def stream(
        self, make: Callable[[], AsyncIterator[T]], *, ahead: int = 16
    ) -> StreamReader[T]:
        """The stream of one request, to be closed; connects first. Raises as `connect` does."""
        await self.connect()
        return self._reads(make, ahead=ahead)

    # ---- a stream for as long as the session lives ---------------------------------------------

    def keep(self, kept: KeptStream[S]) -> None:
        """Keeps a stream open from now on."""
        if self._kept is None:
            self._kept = self._processor.create_task(self._keep(kept), name="provider stream")

    def renew(self, error: AntiphonError | None = None, *, told: bool = False) -> None:
        """Replaces the open stream: it failed, or at once because its settings are old.

        `told`: the error need not be told any more.
        """
        if self._reader is not None:
            self._opened, self._failure_told = None, told
            self._reader.fail(error or _RenewedError("renewed"))

    def close(self) -> None:
        """No further stream is opened. Idempotent."""
        self._closed = True
        self._changed.set()

    async def until_ended(self, timeout: float) -> None:
        """Waits for the end of the last stream, which must have been told, at most so long."""
        if self._kept is not None and self.open:
            await asyncio.wait([self._kept], timeout=timeout)

    async def _keep(self, kept: KeptStream[S]) -> None:
        while await self.until_due():
            error = await self._hold(kept)
            if self._closed:
                return
            kept.broken(error)
            if not isinstance(error, _RenewedError):
                held = 0.0 if self._opened is None else self._now() - self._opened
                await self.failed(error, held_secs=held, tell=not self._failure_told)

    async def _hold(self, kept: KeptStream[S]) -> AntiphonError:
        """Holds one stream, and says why it is over."""
        self._opened, self._failure_told = None, False
        try:
            await self.connect()
            self._opened = self._now()
            async with aclosing(self._reads(kept.open, ahead=16)) as reader:
                self._reader = reader
                while True:
                    await kept.received(await reader.next())
        except StopAsyncIteration:
            return ConnectivityError(f"{self.provider.name} ended its stream")
        except AntiphonError as error:
            return error
        finally:
            self._reader = None
