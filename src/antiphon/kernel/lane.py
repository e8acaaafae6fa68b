"""One lane of one processor: a task that hands frames to a handler, one after the other.

States                         left by
  closed   not started yet     `open`
  resting  nothing to do       `wake` (a frame came)
  busy     handling, or held   the mailbox is empty and nothing is handled -> resting
  ended    `end`               never

Who may do what
* Only the lane's own task takes frames from the mailbox and sets `current`.
* Only `interrupt` and the lane's `Watch` (a deadline) take a handler away from it: `replace` clears
  `current`, cancels the task, and starts a successor that first waits, bounded, until the old one
  has stopped. So a processor runs one handler per lane at a time, unless a handler refuses to stop:
  that one is abandoned and reported.
* Only `renew` replaces `work`, so that whatever still holds the old one belongs to its epoch.

Invariants
* A lane is `busy` from the moment a frame is put until nothing is left: whoever wants to pass the
  processor by looks at this flag.
* After an interruption the ordered lane of a processor that handles `InterruptionFrame` hands out
  nothing before that handler has returned: it finds the processor as the old epoch left it.
* While a frame waits behind a running handler that somebody must not wait for without bound (urgent
  frames always, ordered ones once the end has been announced) a watch is armed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from antiphon.errors import AntiphonError, HandlerTimeoutError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import Envelope, Epoch, Work, current_work, free_context
from antiphon.kernel.tasks import described, ends_the_task
from antiphon.kernel.watch import Watch

if TYPE_CHECKING:
    from antiphon.kernel.station import Station

FRAMES_PER_STEP = 64
"""How many frames a lane handles before it lets the rest of the loop run."""


class Lane:
    """Drains one lane of a station's mailbox."""

    __slots__ = (
        "_waiter",
        "barrier",
        "blocked",
        "busy",
        "current",
        "held",
        "opened",
        "station",
        "task",
        "urgent",
        "watch",
        "work",
    )

    def __init__(self, station: Station, *, urgent: bool, limit: float | None) -> None:
        self.station = station
        self.urgent = urgent
        self.opened = False
        """Whether frames are handled yet, and still."""
        self.busy = True
        self.held = False
        self.barrier: Epoch | None = None
        """The epoch whose `InterruptionFrame` the processor must have handled before it goes on."""
        self.blocked = False
        """Held, or behind a barrier."""
        self.current: Envelope | None = None
        self.work = Work(station.epoch)
        """What the lane's handlers act on behalf of; another one after each interruption."""
        self.task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.watch = Watch(self, limit)

    def open(self) -> None:
        """From now on frames are handled."""
        self.opened = True
        if self.waiting():
            self._run()
            self.watch.start()
        elif not self.held:
            self._rest()

    def wake(self) -> None:
        """A frame was put while the lane rested."""
        self.busy = True
        self.station.chain.busy[self.urgent] += 1
        self._run()

    def hold(self) -> None:
        """Handle nothing further until `release`; what is being handled goes on."""
        self.held = self.blocked = True
        if not self.busy:
            self.busy = True
            self.station.chain.busy[self.urgent] += 1

    def release(self) -> None:
        """Undoes `hold`."""
        self.held = False
        self.lift(None)

    def lift(self, barrier: Epoch | None) -> None:
        """What frames waited for has been handled, or is not waited for any longer."""
        if self.barrier is barrier:
            self.barrier = None
        self.blocked = self.held or self.barrier is not None
        if self.opened and not self.blocked and self.busy:
            self._run()

    def interruption_handled(self, frame: Frame, begun: Epoch) -> None:
        """The processor has handled `frame`, put there when an epoch began: is it the barrier?"""
        if isinstance(frame, InterruptionFrame):
            self.lift(begun)

    def renew(
        self, epoch: Epoch, initiator: asyncio.Task[Any] | None, adopted: Work | None
    ) -> bool:
        """A new epoch: later handlers belong to it. True if this lane's handler began it."""
        if initiator is not None and self.task is initiator and adopted is not None:
            adopted.epoch = epoch
            self.work = adopted
            return True
        self.work = Work(epoch)
        return False

    def interrupt(
        self, epoch: Epoch, initiator: asyncio.Task[Any] | None, adopted: Work | None
    ) -> None:
        """`renew`, and stops the handler of an interruptible frame unless it interrupted."""
        goes_on = self.renew(epoch, initiator, adopted)
        if self.current is not None and self.current[0].interruptible and not goes_on:
            self.replace()

    def wait_for(self, barrier: Epoch) -> None:
        """Handle nothing further until the interruption that began the epoch has been handled."""
        self.barrier = barrier
        self.blocked = True

    def end(self) -> None:
        """Stops without waiting; the session cancels the task."""
        self.current = None
        self.opened = False
        self.watch.stop()

    # ---- the task -----------------------------------------------------------------------------

    def _run(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            if not waiter.done():
                waiter.set_result(None)
        elif self.task is None:
            self.task = self._start(self._drain())

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
        """Handles frame after frame: the hot path of the framework, hence written out."""
        station = self.station
        mailbox, processor, handler_of = station.mailbox, station.processor, station.handler_of
        watcher = station.session.watch_processing
        take = mailbox.take_urgent if self.urgent else mailbox.take_ordered
        behind = station.ordered if self.urgent else None
        create_future = asyncio.get_running_loop().create_future
        work: Work | None = None
        budget = FRAMES_PER_STEP
        task = asyncio.current_task()
        while True:
            envelope = None if self.blocked else take()
            if envelope is None:
                if self.busy and not self.blocked:
                    self._rest()
                waiter = self._waiter = create_future()
                try:
                    await waiter
                finally:
                    self._waiter = None
                budget = FRAMES_PER_STEP
                continue
            frame, direction, begun = envelope
            kind = type(frame)
            handler = handler_of[kind] if kind in handler_of else station.resolve(kind)
            if handler is None:
                try:
                    station.route(frame, direction)
                except AntiphonError as error:
                    station.report(
                        f"{station.name} could not pass on {frame.name}: {described(error)}", error
                    )
                continue
            if work is not self.work:
                work = self.work
                current_work.set(work)
            work.frame = frame
            self.current = envelope
            if watcher is not None:
                watcher(station.name, frame, direction)
            try:
                await handler(processor, frame, direction)
            except BaseException as error:
                self._failed(envelope, error, task)
            if self.current is not envelope:
                return  # the lane has a successor meanwhile
            self.current = None
            if (
                behind is not None
                and behind.barrier is begun
                and isinstance(frame, InterruptionFrame)
            ):
                behind.lift(begun)
            budget -= 1
            if not budget:
                budget = FRAMES_PER_STEP
                await asyncio.sleep(0)

    def _failed(
        self, envelope: Envelope, error: BaseException, task: asyncio.Task[Any] | None
    ) -> None:
        """Reports what a handler raised, or raises it again if it is the end of this task."""
        station, name = self.station, envelope[0].name
        cancelled = isinstance(error, asyncio.CancelledError)
        if ends_the_task(error, task) or (cancelled and self.current is not envelope):
            raise error
        if cancelled:
            station.report(f"{station.name} gave up on {name}: it was cancelled", error)
        else:
            station.report(f"{station.name} failed on {name}: {described(error)}", error)

    def waiting(self) -> int:
        """Frames in the mailbox for this lane."""
        mailbox = self.station.mailbox
        return mailbox.urgent_waiting if self.urgent else mailbox.ordered_waiting

    def _rest(self) -> None:
        if self.busy:
            self.busy = False
            self.station.chain.busy[self.urgent] -= 1

    # ---- taking a handler away ----------------------------------------------------------------

    def replace(self) -> None:
        """Takes the running handler away: cancels the task, and starts a successor."""
        old = self.task
        self.current = None
        if old is not None:
            old.cancel()
            self.task = self._start(self._succeed(old))

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
