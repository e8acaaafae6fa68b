"""Interruption: the only place that discards frames and cancels handlers because of a caller.

One synchronous step, whatever the number of processors and however long their handlers take to
stop:

1. The epoch is over, and the next one begins. From here on nothing interruptible of the old one can
   be handled or pushed: handlers, bound tasks and emitters all look at the same flag.
2. In every mailbox the interruptible frames are dropped; every ordered handler at work on such a
   frame is cancelled; bound tasks are cancelled. Nobody waits for them here: each lane waits for
   its own.
3. Everybody who handles `InterruptionFrame` is told, beside whatever they are doing, and before
   they are given any frame of the new epoch.

The code that interrupts, a handler or a bound task or a hook, goes on, in the new epoch. Code whose
own epoch is over has no say: its interruption is void. Code of another conversation goes on in the
epoch of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import FrameDirection, Work, current_work

if TYPE_CHECKING:
    from antiphon.kernel.session import Session


def interrupt(session: Session, frame: InterruptionFrame, *, source: str) -> None:
    """Ends the session's epoch, on behalf of the running code; `source` names it to observers."""
    work = current_work.get()
    if session.closed or _is_void(work):
        return
    session.epoch.end()
    epoch = session.epoch = session.epoch.next()
    adopted: Work | None = None
    if work is not None and work.epoch.owner is epoch.owner:
        adopted = Work(epoch, work.frame)
        adopted.patience = work.patience
        current_work.set(adopted)
    initiator = _running_task()
    for station in session.stations:
        station.mailbox.reset()
        its_own = station.begin_epoch(epoch)
        station.ordered.interrupt(its_own, initiator, adopted)
        station.urgent.renew(its_own, initiator, adopted)
    session.void_bound_tasks(initiator)
    observers = session.observers
    for station in session.stations:
        if station.handles(InterruptionFrame):
            if observers is not None:
                observers.pushed(source, station.name, frame, FrameDirection.DOWNSTREAM)
            station.ordered.wait_for(frame)
            station.deliver_always(frame)
            station.urgent.watch.start()
    session.interrupted(frame)


def _is_void(work: Work | None) -> bool:
    if work is None or work.epoch.live:
        return False
    return work.frame is None or work.frame.interruptible


def _running_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # before the loop runs
        return None
