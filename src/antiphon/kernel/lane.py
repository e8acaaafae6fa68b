"""One lane of one processor: a task that hands frames to a handler, one after the other.

States                         left by
  closed   not started yet     `open`
  resting  nothing to do       `wake` (a frame came)
  busy     handling, or held   the mailbox is empty and nothing is handled -> resting
  ended    `end`               never

Who may do what
* Only the lane's own task takes frames from the mailbox and sets `current`.
* Only `void` (an interruption) and `_expired` (a deadline) take a handler away from it: they clear
  `current`, cancel the task, and start a successor that first waits, bounded, until the old one has
  stopped. So a processor runs one handler per lane at a time, unless a handler refuses to stop:
  that one is abandoned and reported.

Invariants
* A lane is `busy` from the moment a frame is put until nothing is left: whoever wants to pass the
  processor by looks at this flag.
* While a frame waits behind a running handler that somebody must not wait for without bound (urgent
  frames always, ordered ones once the end has been announced) a watch is armed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from antiphon.errors import HandlerTimeoutError
from antiphon.kernel.epoch import Envelope, FrameDirection, current_work, free_context

if TYPE_CHECKING:
    from antiphon.kernel.station import Station

FRAMES_PER_STEP = 64
"""How many frames a lane handles before it lets the rest of the loop run."""


async def _nothing(processor: Any, frame: Any, direction: FrameDirection) -> None:
    """Handles a life-cycle frame for a processor that does not."""


class Lane:
    """Drains one lane of a station's mailbox."""

    __slots__ = (
        "_opened",
        "_take",
        "_task",
        "_waiter",
        "_watch",
        "busy",
        "current",
        "held",
        "limit",
        "station",
        "urgent",
    )

    def __init__(self, station: Station, *, urgent: bool, limit: float | None) -> None:
        mailbox = station.mailbox
        self.station = station
        self.urgent = urgent
        self.limit = limit
        """Seconds a handler may take while something waits behind it; None: as long as it likes."""
        self.busy = True
        self.current: Envelope | None = None
        self.held = False
        self._opened = False
        self._take: Callable[[], Envelope | None] = (
            mailbox.take_urgent if urgent else mailbox.take_ordered
        )
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._watch: asyncio.TimerHandle | None = None

    @property
    def opened(self) -> bool:
        """Whether frames are handled yet."""
        return self._opened

    def open(self) -> None:
        """From now on frames are handled."""
        self._opened = True
        if self._waiting():
            self._run()
        else:
            self._rest()

    def wake(self) -> None:
        """A frame was put while the lane rested."""
        self.busy = True
        self.station.chain.busy[self.urgent] += 1
        self._run()

    def hold(self) -> None:
        """Handle nothing further until `release`; what is being handled goes on."""
        self.held = True
        if not self.busy:
            self.busy = True
            self.station.chain.busy[self.urgent] += 1

    def release(self) -> None:
        """Undoes `hold`."""
        self.held = False
        if self._opened:
            self._run()

    def void(self, initiator: Envelope | None) -> None:
        """An interruption: stops the handler of an interruptible frame, unless it interrupted."""
        current = self.current
        if current is None or current is initiator or not current.frame.interruptible:
            return
        self._replace()

    def watch(self) -> None:
        """Something waits: from now on the running handler has `limit` seconds."""
        if self._watch is None and self.limit is not None and self._opened:
            loop = asyncio.get_running_loop()
            self._watch = loop.call_later(self.limit, self._expired, self.current)

    def end(self) -> None:
        """Stops without waiting; the session cancels the task."""
        self.current = None
        self._opened = False
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    # ---- the task -----------------------------------------------------------------------------

    def _run(self) -> None:
        if self._waiter is not None:
            if not self._waiter.done():
                self._waiter.set_result(None)
        elif self._task is None:
            self._task = self._start(self._drain())

    def _start(self, coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        station = self.station
        lane = "urgent" if self.urgent else "ordered"
        return station.session.tasks.create(
            coro,
            name=f"{station.name} {lane}",
            owner=station.name,
            context=free_context(),
        )

    async def _drain(self) -> None:
        station, take = self.station, self._take
        session, processor, handler_of = station.session, station.processor, station.handler_of
        begin = current_work.set
        budget = FRAMES_PER_STEP
        while True:
            envelope = None if self.held else take()
            if envelope is None:
                await self._wait()
                budget = FRAMES_PER_STEP
                continue
            frame = envelope.frame
            if frame.interruptible and not envelope.epoch.live:
                continue
            kind = type(frame)
            handler = handler_of[kind] if kind in handler_of else station.resolve(kind)
            if handler is None and not frame.lifecycle:
                station.route(frame, envelope.direction)
                continue
            envelope.epoch = session.epoch
            self.current = envelope
            begin(envelope)
            if session.watch_processing is not None:
                session.watch_processing(station.name, frame, envelope.direction)
            try:
                if frame.lifecycle:
                    self.watch()
                    await station.settled()
                await (handler or _nothing)(processor, frame, envelope.direction)
            except BaseException as error:
                self._failed(envelope, error)
            if self.current is not envelope:
                return  # the lane has a successor meanwhile
            self.current = None
            if frame.lifecycle:
                station.pass_on(envelope)
            budget -= 1
            if not budget:
                budget = FRAMES_PER_STEP
                await asyncio.sleep(0)

    def _failed(self, envelope: Envelope, error: BaseException) -> None:
        """Reports what a handler raised, or raises it again if it is the end of this task."""
        station, name = self.station, envelope.frame.name
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if self.current is not envelope or (task is not None and task.cancelling()):
                raise error
            station.report(f"{station.name} gave up on {name}: it was cancelled", error)
        elif isinstance(error, Exception):
            station.report(f"{station.name} failed on {name}: {error!r}", error)
        else:
            raise error

    async def _wait(self) -> None:
        if not self.held:
            self._rest()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _waiting(self) -> bool:
        mailbox = self.station.mailbox
        return bool(mailbox.urgent_waiting if self.urgent else mailbox.ordered_waiting)

    def _rest(self) -> None:
        if self.busy:
            self.busy = False
            self.station.chain.busy[self.urgent] -= 1

    # ---- taking a handler away ----------------------------------------------------------------

    def _replace(self) -> None:
        old = self._task
        self.current = None
        if old is None:
            return
        old.cancel()
        self._task = self._start(self._succeed(old))

    async def _succeed(self, old: asyncio.Task[None]) -> None:
        """Waits for the old task to stop, within the processor's deadline, then goes on."""
        station = self.station
        timeout = station.processor.stop_timeout_secs
        _, running = await asyncio.wait({old}, timeout=timeout)
        if running:
            message = (
                f"{station.name} did not stop within {timeout:g} s of being cancelled: its handler "
                f"is abandoned. Let asyncio.CancelledError through, and do not block in `finally`."
            )
            station.report(message, HandlerTimeoutError(message))
        await self._drain()

    def _expired(self, watched: Envelope | None) -> None:
        self._watch = None
        current = self.current
        needed = self._waiting() or (current is not None and not self.urgent)
        if not self._opened or self.limit is None or not needed:
            return
        loop = asyncio.get_running_loop()
        if current is not None and current.until > loop.time():
            self._watch = loop.call_at(current.until, self._expired, current)
        elif current is watched and (current is not None or self.held):
            self._give_up(current)
            self.watch()
        else:
            self._watch = loop.call_later(self.limit, self._expired, current)

    def _give_up(self, current: Envelope | None) -> None:
        station = self.station
        if current is None:
            message = (
                f"{station.name} was still paused {self.limit:g} s after the end was announced"
            )
            self.release()
        else:
            message = (
                f"{station.name} did not return from {current.frame.name} within {self.limit:g} s "
                f"while other frames waited: its handler is cancelled"
            )
            self._replace()
        if not self.urgent:
            dropped = station.mailbox.reset()
            message += f"; {dropped} frames that waited behind it are dropped" if dropped else ""
        station.report(message, HandlerTimeoutError(message))
        if current is not None and current.frame.lifecycle:
            station.pass_on(current)
