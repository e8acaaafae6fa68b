"""Interruption: the only place that discards frames and cancels handlers because of a caller.

One synchronous step, whatever the number of processors and however long their handlers take to
stop:

1. The epoch is over, and the next one begins. From here on nothing interruptible of the old one
   can be handled or pushed: mailboxes, handlers, bound tasks and emitters all look at the same
   flag.
2. In every mailbox the interruptible frames are dropped; every ordered handler at work on such a
   frame is cancelled; bound tasks are cancelled. Nobody waits for them here: each lane waits for
   its own.
3. Everybody who handles `InterruptionFrame` is told, beside whatever they are doing.

The handler that interrupts is not cancelled: it goes on, in the new epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import Envelope, Epoch, FrameDirection

if TYPE_CHECKING:
    from antiphon.kernel.session import Session


def interrupt(
    session: Session, frame: InterruptionFrame, *, initiator: Envelope | None, source: str
) -> None:
    """Ends the session's epoch. `initiator` is the work that does it, if any."""
    if session.closed:
        return
    session.epoch.live = False
    session.epoch = Epoch(session.epoch.number + 1)
    if initiator is not None:
        initiator.epoch = session.epoch
    for station in session.stations:
        station.mailbox.reset()
        station.ordered.void(initiator)
    session.void_bound_tasks(initiator)
    observers = session.observers
    for station in session.stations:
        if station.handles(InterruptionFrame):
            if observers is not None:
                observers.pushed(source, station.name, frame, FrameDirection.DOWNSTREAM)
            station.deliver_always(frame)
    session.interrupted(frame)
