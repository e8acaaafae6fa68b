"""A processor's place in a pipeline: its mailbox, its two lanes, its neighbours.

Frames reach a station by `deliver` and leave it by `push` (a handler's frames, subject to the epoch
of the handler's work) or `route` (frames passed by). For each direction and frame type a station
remembers the next one that handles the type: whoever does not handle it, and has nothing queued in
that lane, is passed by without a queue. If one in between is busy the frame queues there, so order
always holds.

`near_down` and `near_up` hold the neighbours that may be handed a type without any further
question: they stand next to this one, nobody observes, and the type has no meaning to the kernel.
They are emptied when the session closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.errors import AlreadyInPipelineError, KernelError
from antiphon.frames.base import Frame, not_a_frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    InterruptionFrame,
    StopFrame,
)
from antiphon.kernel.epoch import Envelope, Epoch, FrameDirection, Work, current_work
from antiphon.kernel.handlers import Handler
from antiphon.kernel.interruption import interrupt
from antiphon.kernel.lane import Lane
from antiphon.kernel.life import Life
from antiphon.kernel.mailbox import Mailbox
from antiphon.kernel.tasks import failure_of

if TYPE_CHECKING:
    from antiphon.kernel.chain import Chain, Node
    from antiphon.kernel.processor import FrameProcessor
    from antiphon.kernel.session import Session

URGENT_LIMIT = 10.0
"""Seconds an urgent handler may take while other urgent frames wait behind it."""

_DOWN = FrameDirection.DOWNSTREAM


def _frame_of(envelope: Envelope) -> Frame:
    return envelope[0]


async def _live(processor: FrameProcessor, frame: Frame, direction: FrameDirection) -> None:
    """The handler of `EndFrame` and `StopFrame` at every station."""
    await processor.station.life.end(frame, direction)


def take_place(station: Station) -> None:
    """Gives a processor its place; `AlreadyInPipelineError` if it has one."""
    processor = station.processor
    if processor._station is not None:
        raise AlreadyInPipelineError(
            f"{processor.name} is in a pipeline already: make one processor for each place"
        )
    processor._station = station


def leave_place(station: Station) -> None:
    """The conversation is over: the processor may be put into another pipeline."""
    processor = station.processor
    if processor._station is station:
        processor._name = station.name
        processor._station = None
        processor._over = True


class Station:
    """One processor, wired."""

    __slots__ = (
        "after",
        "before",
        "chain",
        "downstream",
        "epoch",
        "handler_of",
        "index",
        "life",
        "mailbox",
        "name",
        "near_down",
        "near_up",
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
        self.epoch = session.epoch
        """The epoch in which its handlers start."""
        self.index = 0
        self.before: Node = chain.upper
        self.after: Node = chain.lower
        self.handler_of: dict[type[Frame], Handler | None] = processor.handlers.cache
        self.mailbox: Mailbox[Envelope] = Mailbox(
            owner=self.name, capacity=processor.mailbox_capacity, getter=_frame_of
        )
        self.mailbox.on_loss = self.report
        self.urgent = Lane(self, urgent=True, limit=URGENT_LIMIT)
        self.ordered = Lane(self, urgent=False, limit=None)
        self.downstream: dict[type[Frame], Node] = {}
        self.upstream: dict[type[Frame], Node] = {}
        self.near_down: dict[type[Frame], Node] = {}
        self.near_up: dict[type[Frame], Node] = {}
        self.life = Life(self)

    def present_epoch(self) -> Epoch:
        """The epoch of the work being done for this session, else the station's."""
        work = current_work.get()
        return work.epoch if work is not None and self.epoch.owns(work) else self.epoch

    def begin_epoch(self, epoch: Epoch) -> None:
        """The session has begun an epoch."""
        self.epoch = epoch

    def void(self, epoch: Epoch) -> list[BaseException]:
        """Tells the processor and its parts that an epoch is over; returns what they raised."""
        processor = self.processor
        failures = [failure_of(tell, epoch) for tell in (processor.voided, *processor.also_voided)]
        return [error for error in failures if error is not None]

    # ---- what a node of a chain does ----------------------------------------------------------

    def handles(self, kind: type[Frame]) -> bool:
        """Whether the processor wants frames of this type."""
        handler = self.resolve(kind)
        if handler is _live:
            return self.processor.handlers.find(kind) is not None
        return handler is not None

    def is_busy(self, urgent: bool) -> bool:
        """Whether frames must queue here to keep their order."""
        return self.urgent.busy if urgent else self.ordered.busy

    @property
    def owes(self) -> bool:
        """Whether a frame that may not be dropped waits or is handled here. Live audio may be."""
        current, urgent = self.ordered.current, self.urgent.current
        if self.mailbox.has_uninterruptible or self.mailbox.has_vital_urgent:
            return True
        return (current is not None and not current[0].interruptible) or (
            urgent is not None and not urgent[0].lossy
        )

    def deliver(self, frame: Frame, direction: FrameDirection) -> None:
        """Puts a frame into the mailbox. Raises `MailboxFullError`."""
        if frame.urgent:
            self.mailbox.put_urgent((frame, direction, self.session.epoch), frame)
            if self.urgent.busy:
                self.urgent.watch.start()
            else:
                self.urgent.wake()
            return
        mailbox = self.mailbox
        if frame.interruptible and len(mailbox.ordered) < mailbox.capacity:
            mailbox.ordered.append((frame, direction, self.session.epoch))  # put_ordered, in short
        elif frame.lifecycle:
            mailbox.put_always((frame, direction, self.session.epoch))
        else:
            mailbox.put_ordered((frame, direction, self.session.epoch), frame)
        ordered = self.ordered
        if not ordered.busy:
            ordered.wake()
        if frame.lifecycle:
            self.life.announce_end()

    def deliver_always(self, frame: Frame) -> None:
        """Puts an urgent frame of the kernel's own, whatever waits."""
        self.mailbox.put_always((frame, _DOWN, self.session.epoch))
        if self.urgent.busy:
            self.urgent.watch.start()
        else:
            self.urgent.wake()

    # ---- what a processor does ----------------------------------------------------------------

    def push(self, frame: Frame, direction: FrameDirection) -> None:
        """A frame from the processor, on behalf of the work it is doing."""
        work = current_work.get()
        try:
            interruptible = frame.interruptible
        except AttributeError:
            raise not_a_frame(self.name, frame) from None
        if interruptible:
            if self.epoch.voids(work):
                self.session.voided += 1
                return
        elif frame.lifecycle:
            self._push_lifecycle(frame, direction, work)
            return
        elif isinstance(frame, InterruptionFrame):
            if work is None or work.frame is not frame or not self.epoch.owns(work):
                self.interrupt(frame)
            return
        self.route(frame, direction)

    def receive(self, frame: Frame, direction: FrameDirection) -> None:
        """A frame for this processor itself, from the code that runs."""
        if not isinstance(frame, Frame):
            raise not_a_frame(self.name, frame)
        work = current_work.get()
        if frame.interruptible and self.epoch.voids(work):
            self.session.voided += 1
        elif frame.lifecycle or isinstance(frame, InterruptionFrame):
            self.push(frame, direction)
        elif self.session.closed:
            return
        elif self.handles(type(frame)) or self.is_busy(frame.urgent):
            self.deliver(frame, direction)
        else:
            self.route(frame, direction)

    def emit(self, frame: Frame, direction: FrameDirection) -> None:
        """A frame from the processor, on behalf of a request that is not void."""
        if frame.lifecycle or isinstance(frame, InterruptionFrame):
            self.push(frame, direction)
        else:
            self.route(frame, direction)

    def interrupt(self, frame: InterruptionFrame) -> None:
        """Interrupts the session; the handler that does it goes on, in the new epoch."""
        interrupt(self.session, frame, source=self.name)

    def route(self, frame: Frame, direction: FrameDirection) -> None:
        """Hands a frame to the next station that handles it, or that must keep it in order."""
        session = self.session
        if session.closed:
            return
        kind = type(frame)
        down = direction is _DOWN
        node = (self.downstream if down else self.upstream).get(kind)
        if node is None:
            node = self._look_up(frame, down)
        if node is not (self.after if down else self.before):
            own = self.urgent if frame.urgent else self.ordered
            if self.chain.busy[frame.urgent] > own.busy or frame.lifecycle:
                node = self.chain.first_busy(self.index, node, down, frame)
        if session.observers is not None:
            session.observers.pushed(self.name, node.name, frame, direction)
        node.deliver(frame, direction)

    def report(self, message: str, error: BaseException) -> None:
        """Makes an error of this processor known, upstream as an `ErrorFrame`."""
        self.session.report_error(message, error, self)

    def resolve(self, kind: type[Frame]) -> Handler | None:
        """What handles a frame type here."""
        handler_of = self.handler_of
        if kind not in handler_of:
            ends = issubclass(kind, EndFrame | StopFrame)
            handler_of[kind] = _live if ends else self.processor.handlers.find(kind)
        return handler_of[kind]

    # ---- life cycle ---------------------------------------------------------------------------

    def open(self) -> None:
        """Starts handling what has been delivered."""
        self.life.begun = True
        self.urgent.open()
        self.ordered.open()

    def end(self) -> None:
        """Nothing is handled any more; what waits is discarded."""
        self.mailbox.clear()
        self.urgent.end()
        self.ordered.end()
        self.near_down.clear()
        self.near_up.clear()

    def _push_lifecycle(self, frame: Frame, direction: FrameDirection, work: Work | None) -> None:
        if work is not None and work.frame is frame and self.epoch.owns(work):
            if not frame.urgent:
                self.life.pass_on(frame, direction)
        elif isinstance(frame, EndFrame | StopFrame):
            self.session.request_end(frame)
        elif isinstance(frame, CancelFrame):
            self.session.request_cancel(frame)
        else:
            raise KernelError(f"{self.name} pushed a {type(frame).__name__}: only a task starts")

    def _look_up(self, frame: Frame, down: bool) -> Node:
        session, kind = self.session, type(frame)
        if not issubclass(kind, Frame):
            raise not_a_frame(self.name, frame)
        node = self.chain.next_handling(self.index, kind, down)
        if session.watched and issubclass(kind, session.watched):
            session.note_activity()
            return node
        (self.downstream if down else self.upstream)[kind] = node
        special = kind.lifecycle or issubclass(kind, InterruptionFrame)
        neighbour = self.after if down else self.before
        if node is neighbour and not special and session.observers is None:
            (self.near_down if down else self.near_up)[kind] = node
        return node
