"""Interruption: the only place that discards frames and cancels handlers because of a caller.

One synchronous step, whatever the number of processors and however long their handlers take to
stop:

1. The epoch is over, and the next one begins. From here on nothing interruptible of the old one can
   be handled or pushed: handlers, bound tasks and emitters all look at the same flag.
2. In every mailbox the interruptible frames are dropped; every ordered handler at work on such a
   frame is cancelled; bound tasks are cancelled. Nobody waits for them here: each lane waits for
   its own.
3. Whoever keeps state for the epoch is told by a call: `voided(epoch)` of every processor, and
   what it has registered. By now nothing of the old epoch runs or waits. What such a call raises
   is reported when the step is done.
4. Everybody who handles `InterruptionFrame` is told, beside whatever they are doing, and before
   they are given any frame of the new epoch.

The code that interrupts, a handler or a bound task or a hook, goes on, in the new epoch. Code whose
own epoch is over has no say: its interruption is void. Code of another conversation goes on in the
epoch of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.errors import KernelError
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import Epoch, FrameDirection, Work, current_work
from antiphon.kernel.tasks import described

if TYPE_CHECKING:
    from antiphon.kernel.session import Session
    from antiphon.kernel.station import Station


def interrupt(session: Session, frame: InterruptionFrame, *, source: str) -> None:
    """Ends the session's epoch, on behalf of the running code; `source` names it to observers."""
    work = current_work.get()
    if session.closed or _is_void(work, session.epoch):
        return
    if session.in_step:
        raise KernelError(f"{source} interrupted in voided(): an interruption is under way")
    session.epoch.end()
    epoch = session.epoch = session.epoch.next()
    adopted: Work | None = None
    if work is not None and epoch.owns(work):
        adopted = Work(epoch, work.frame)
        adopted.patience = work.patience
        current_work.set(adopted)
    initiator = _running_task()
    over: list[Epoch] = []
    for station in session.stations:
        over.append(station.epoch)
        station.mailbox.reset()
        station.begin_epoch(epoch)
        station.ordered.interrupt(station.epoch, initiator, adopted)
        station.urgent.renew(station.epoch, initiator, adopted)
    session.void_bound_tasks(initiator)
    session.in_step = True
    try:
        failures = _tell(session, over)
    finally:
        session.in_step = False
    observers = session.observers
    for station in session.stations:
        if station.handles(InterruptionFrame):
            if observers is not None:
                observers.pushed(source, station.name, frame, FrameDirection.DOWNSTREAM)
            station.ordered.wait_for(epoch)
            station.deliver_always(frame)
            station.urgent.watch.start()
    session.interrupted(frame)
    for station, error in failures:
        station.report(f"{station.name} failed in voided(): {described(error)}", error)


def _tell(session: Session, over: Sequence[Epoch]) -> list[tuple[Station, BaseException]]:
    """Calls all that keep state for an epoch; `over` holds that of each station."""
    return [
        (station, error)
        for station, epoch in zip(session.stations, over, strict=True)
        for error in station.void(epoch)
    ]


def _is_void(work: Work | None, epoch: Epoch) -> bool:
    if work is None or not epoch.voids(work):
        return False
    return work.frame is None or work.frame.interruptible


def _running_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # before the loop runs
        return None
