"""A processor's place in a pipeline: its mailbox, its two lanes, its neighbours.

Frames reach a station by `deliver` and leave it by `push` (a handler's frames, subject to the
epoch of the handler's work) or `route` (frames passed by). Each station keeps, per direction and
frame type, the next station that handles the type: whoever does not handle it, and has nothing
queued in that lane, is passed by without a queue. If one in between is busy the frame queues
there, so order always holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from antiphon.errors import KernelError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from antiphon.kernel.calls import CallFrame
from antiphon.kernel.epoch import Envelope, FrameDirection, current_work
from antiphon.kernel.interruption import interrupt
from antiphon.kernel.lane import Lane
from antiphon.kernel.mailbox import Mailbox

if TYPE_CHECKING:
    from antiphon.kernel.chain import Chain, Node
    from antiphon.kernel.processor import FrameProcessor
    from antiphon.kernel.session import Session

Handler = Callable[[Any, Any, FrameDirection], Awaitable[None]]

URGENT_LIMIT = 10.0
"""Seconds an urgent handler may take while other urgent frames wait behind it."""


_DOWN = FrameDirection.DOWNSTREAM


def _frame_of(envelope: Envelope) -> Frame:
    return envelope.frame


class Station:
    """One processor, wired."""

    __slots__ = (
        "_settled",
        "after",
        "before",
        "chain",
        "downstream",
        "handler_of",
        "index",
        "mailbox",
        "name",
        "ordered",
        "processor",
        "session",
        "upstream",
        "urgent",
    )

    def __init__(self, processor: FrameProcessor, session: Session, chain: Chain) -> None:
        self.processor = processor
        self.session = session
        self.chain = chain
        self.name = session.name_for(processor)
        self.index = 0
        self.before: Node = chain.upper
        self.after: Node = chain.lower
        self.handler_of: dict[type[Frame], Handler | None] = processor.handler_cache()
        self.mailbox: Mailbox[Envelope] = Mailbox(
            owner=self.name, capacity=processor.mailbox_capacity, getter=_frame_of
        )
        self.urgent = Lane(self, urgent=True, limit=URGENT_LIMIT)
        self.ordered = Lane(self, urgent=False, limit=None)
        self.downstream: dict[type[Frame], Node] = {}
        self.upstream: dict[type[Frame], Node] = {}
        self._settled: asyncio.Future[None] | None = None

    # ---- what a node of a chain does ----------------------------------------------------------

    def handles(self, kind: type[Frame]) -> bool:
        """Whether the processor wants frames of this type."""
        return self.resolve(kind) is not None

    def is_busy(self, urgent: bool) -> bool:
        """Whether frames must queue here to keep their order."""
        return self.urgent.busy if urgent else self.ordered.busy

    def deliver(self, frame: Frame, direction: FrameDirection) -> None:
        """Puts a frame into the mailbox. Raises `MailboxFullError`."""
        envelope = Envelope(frame, direction, self.session.epoch)
        if frame.urgent:
            self.mailbox.put_urgent(envelope, frame)
            if self.urgent.busy:
                self.urgent.watch()
            else:
                self.urgent.wake()
            return
        self.mailbox.put_ordered(envelope, frame)
        if frame.lifecycle:
            self._announce_end()
        if not self.ordered.busy:
            self.ordered.wake()
        elif frame.lifecycle:
            self.ordered.watch()

    def deliver_always(self, frame: Frame) -> None:
        """Puts an urgent frame of the kernel's own, whatever waits."""
        self.mailbox.put_always(Envelope(frame, FrameDirection.DOWNSTREAM, self.session.epoch))
        if self.urgent.busy:
            self.urgent.watch()
        else:
            self.urgent.wake()

    # ---- what a processor does ----------------------------------------------------------------

    def push(self, frame: Frame, direction: FrameDirection) -> None:
        """A frame from the processor, on behalf of the work it is doing."""
        work = current_work.get()
        if frame.interruptible:
            if work is not None and not work.epoch.live:
                self.session.voided += 1
                return
        elif frame.lifecycle:
            self._push_lifecycle(frame, work)
            return
        elif isinstance(frame, InterruptionFrame):
            if work is None or work.frame is not frame:
                self.interrupt(frame)
            return
        self.route(frame, direction)

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        """A frame for this processor itself, from the code that runs."""
        work = current_work.get()
        if frame.interruptible and work is not None and not work.epoch.live:
            self.session.voided += 1
        elif frame.lifecycle or isinstance(frame, InterruptionFrame):
            self.push(frame, direction)
        elif self.handles(type(frame)) or self.is_busy(frame.urgent):
            self.deliver(frame, direction)
        else:
            self.route(frame, direction)

    def interrupt(self, frame: InterruptionFrame) -> None:
        """Interrupts the session; the handler that does it goes on, in the new epoch."""
        work = current_work.get()
        if work is not None and not work.epoch.live and work.frame.interruptible:
            self.session.voided += 1
            return
        interrupt(self.session, frame, initiator=work, source=self.name)

    def route(self, frame: Frame, direction: FrameDirection) -> None:
        """Hands a frame to the next station that handles it, or that must keep it in order."""
        session = self.session
        if session.closed:
            return
        kind = type(frame)
        down = direction is _DOWN
        node = (self.downstream if down else self.upstream).get(kind)
        if node is None:
            node = self._look_up(kind, down)
        if node is not (self.after if down else self.before) and self.chain.busy[frame.urgent]:
            node = self.chain.first_busy(self.index, node, down, frame.urgent)
        if session.observers is not None:
            session.observers.pushed(self.name, node.name, frame, direction)
        node.deliver(frame, direction)

    def report(self, message: str, error: BaseException) -> None:
        """Makes an error of this processor known: logged, and upstream as an `ErrorFrame`."""
        self.session.report_error(message, error, self)

    def resolve(self, kind: type[Frame]) -> Handler | None:
        """The processor's handler for a frame type."""
        if kind not in self.handler_of:
            self.handler_of[kind] = self.processor.find_handler(kind)
        return self.handler_of[kind]

    # ---- life cycle ---------------------------------------------------------------------------

    def open(self) -> None:
        """Starts handling what has been delivered."""
        self.urgent.open()
        self.ordered.open()

    async def start(self, frame: StartFrame) -> None:
        """Lets the processor handle the `StartFrame`, then opens its lanes."""
        if (handler := self.resolve(StartFrame)) is not None:
            envelope = Envelope(frame, FrameDirection.DOWNSTREAM, self.session.epoch)
            await self._run_alone(handler, envelope)
        self.open()

    async def cancel(self, frame: CancelFrame) -> None:
        """Lets the processor handle the `CancelFrame`, when nothing else runs any more."""
        if (handler := self.resolve(CancelFrame)) is not None:
            envelope = Envelope(frame, FrameDirection.DOWNSTREAM, self.session.epoch)
            await self._run_alone(handler, envelope)

    async def cleanup(self) -> None:
        """Lets the processor release what it holds."""
        try:
            await self.processor.cleanup()
        except Exception as error:
            self.report(f"{self.name} failed to clean up: {error!r}", error)

    def end(self) -> None:
        """Nothing is handled any more."""
        self.urgent.end()
        self.ordered.end()

    async def settled(self) -> None:
        """Waits until the urgent frames that came before the end have been handled."""
        if self._settled is not None:
            await self._settled

    def pass_on(self, envelope: Envelope) -> None:
        """Passes the life-cycle frame of an envelope on to the next processor, once."""
        if not envelope.passed_on:
            envelope.passed_on = True
            self.route(envelope.frame, envelope.direction)

    async def _run_alone(self, handler: Handler, envelope: Envelope) -> None:
        current_work.set(envelope)
        try:
            await handler(self.processor, envelope.frame, envelope.direction)
        except Exception as error:
            name = envelope.frame.name
            self.report(f"{self.name} failed on {name}: {error!r}", error)
        finally:
            current_work.set(None)

    def _announce_end(self) -> None:
        self.ordered.limit = self.session.end_timeout_secs
        if self.urgent.busy and self.urgent.opened:
            settled = self._settled = asyncio.get_running_loop().create_future()

            async def settle() -> None:
                settled.set_result(None)

            self.deliver_always(CallFrame(settle))

    def _push_lifecycle(self, frame: Frame, work: Envelope | None) -> None:
        if work is not None and work.frame is frame:
            if not frame.urgent:
                self.pass_on(work)
        elif isinstance(frame, EndFrame | StopFrame):
            self.session.request_end(frame)
        elif isinstance(frame, CancelFrame):
            self.session.request_cancel(frame)
        else:
            raise KernelError(f"{self.name} pushed a {type(frame).__name__}: only a task starts")

    def _look_up(self, kind: type[Frame], down: bool) -> Node:
        node = self.chain.next_handling(self.index, kind, down)
        if self.session.watched and issubclass(kind, self.session.watched):
            self.session.note_activity()
        else:
            (self.downstream if down else self.upstream)[kind] = node
        return node
