"""The place of one service of a switch: a station whose work can be taken away from it.

Its handlers run in a part of the session's epoch, so that a switch can end what this service does
and leave the others alone. What the ordered handler at work has let out decides what becomes of its
frame when it is taken away:

* Nothing yet: another service may do it from the beginning. That boundaries (`ControlFrame`s that
  an interruption may drop) do not stand in the way, they are held back until content follows them,
  or the handler has returned.
* Something: it is cut off. It may still push its closing boundaries until it has stopped.
* An uninterruptible frame's handler is never taken away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from antiphon.frames.base import ControlFrame, Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame, MetricsFrame
from antiphon.kernel.call_frames import CallFrame
from antiphon.kernel.chain import Chain
from antiphon.kernel.epoch import Envelope, Epoch, FrameDirection, Work, current_work
from antiphon.kernel.handlers import Handler
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.session import Session
from antiphon.kernel.station import Station
from antiphon.kernel.tasks import described


class Closing:
    """A handler that is being cut off: until `settled` it may push boundaries."""

    def __init__(self, work: Work, task: asyncio.Task[Any], timeout: float) -> None:
        self.work = work
        self._task = task
        self._then: Callable[[], None] | None = None
        self._handle = asyncio.get_running_loop().call_later(timeout, self._settle)
        task.add_done_callback(self._settle)

    def then(self, settled: Callable[[], None]) -> None:
        """What to do when it has stopped, or has taken too long to."""
        self._then = settled

    def _settle(self, _: object = None) -> None:
        self._handle.cancel()
        self._task.remove_done_callback(self._settle)
        self.work.epoch.end()
        if self._then is not None:
            self._then()


class ServedStation(Station):
    """The place of one service. `let_out` takes what has been held back."""

    __slots__ = ("_held", "_let_out", "began")

    def __init__(
        self,
        processor: FrameProcessor,
        session: Session,
        chain: Chain,
        let_out: Callable[[Frame, FrameDirection], None],
    ) -> None:
        self._let_out = let_out
        self._held: list[tuple[Frame, FrameDirection]] = []
        self.began = False
        """Whether the ordered handler at work has let something out."""
        super().__init__(processor, session, chain)
        self.begin_epoch(session.epoch)
        for lane in (self.ordered, self.urgent):
            lane.renew(self.epoch, None, None)
        self.handler_of = {}  # not the one that all processors of the class share

    def begin_epoch(self, epoch: Epoch) -> None:
        """The service is at work in a part of the session's epoch; what was held back is void."""
        self._held.clear()
        self.epoch = epoch.part()

    def resolve(self, kind: type[Frame]) -> Handler | None:
        """As everywhere; the handlers of ordered frames are watched."""
        if kind not in self.handler_of:
            handler = super().resolve(kind)
            if handler is not None and not kind.urgent and not kind.lifecycle:
                self.handler_of[kind] = self._watched(handler)
        return self.handler_of[kind]

    def _watched(self, handler: Handler) -> Handler:
        async def handle(processor: Any, frame: Frame, direction: FrameDirection) -> None:
            self.release()
            self.began = False
            await handler(processor, frame, direction)
            self.release()  # one that failed keeps it back until its error has been told

        return handle

    def holds(self, frame: Frame, direction: FrameDirection) -> bool:
        """Whether a frame that wants to leave is held back; else it counts as something let out."""
        current = self.ordered.current
        if current is None or isinstance(frame, MetricsFrame | ErrorFrame):
            return False
        work = self.ordered.work
        own = current_work.get() is work
        if frame.urgent and not own:
            return False
        boundary = isinstance(frame, ControlFrame) and frame.interruptible
        if boundary and own and not self.began and frame is not current[0]:
            self._held.append((frame, direction))
            return True
        self.release()
        self.began = True
        return False

    def release(self) -> None:
        """Lets out what is held back."""
        if not self._held:
            return
        held, self._held = self._held, []
        for frame, direction in held:
            self.began = True
            self._let_out(frame, direction)

    def take_away(self, stays: Callable[[Frame], bool]) -> tuple[list[Envelope], Closing | None]:
        """Ends its work, in one step.

        Returns the frames that nobody has begun with, in their order, and the handler that is being
        cut off, if one is. Frames that `stays` names are not handed out, nor are the kernel's.
        """
        lane, session = self.ordered, self.session
        current, work, task = lane.current, lane.work, lane.task
        over = self.epoch
        over.end()
        self.begin_epoch(session.epoch)
        again: list[Envelope] = []
        closing: Closing | None = None
        if current is not None and current[0].interruptible:
            if not self.began:
                again += [] if stays(current[0]) else [current]
            elif task is not None:
                work.epoch = session.epoch.part()
                closing = Closing(work, task, self.processor.stop_timeout_secs)
        lane.interrupt(self.epoch, None, None)
        self.urgent.renew(self.epoch, None, None)
        session.void_bound_tasks_of(self)
        self.began = False
        for error in self.void(over):
            self.report(f"{self.name} failed in voided(): {described(error)}", error)

        def kept(envelope: Envelope) -> bool:
            frame = envelope[0]
            own = frame.lifecycle or isinstance(frame, CallFrame | InterruptionFrame)
            return own or stays(frame)

        again += self.mailbox.withdraw(kept)
        self.mailbox.reset()
        return again, closing

    def take_over(self, envelopes: list[Envelope]) -> None:
        """Gets what was another's, behind what waits here already."""
        for envelope in envelopes:
            if envelope[0].lossy:
                self.mailbox.put(envelope)
            else:
                self.mailbox.put_always(envelope)
        if self.mailbox.urgent_waiting and not self.urgent.busy:
            self.urgent.wake()
        if self.mailbox.ordered_waiting and not self.ordered.busy:
            self.ordered.wake()
