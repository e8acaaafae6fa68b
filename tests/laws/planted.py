"""Bugs planted in the kernel, one at a time, to show that the sweeps find each.

Each takes a `MonkeyPatch` and breaks one promise of the kernel by replacing one of its functions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel import interruption, station, task
from antiphon.kernel.branches import Passage
from antiphon.kernel.chain import Chain, Node
from antiphon.kernel.epoch import Envelope, Epoch, FrameDirection
from antiphon.kernel.event_source import DONE
from antiphon.kernel.lane import Lane
from antiphon.kernel.life import Life
from antiphon.kernel.mailbox import Mailbox
from antiphon.kernel.processor import Emitter
from antiphon.kernel.session import Session
from antiphon.kernel.station import Station
from antiphon.kernel.tasks import TaskGroup

Plant = Callable[[pytest.MonkeyPatch], None]


def queues_survive(patch: pytest.MonkeyPatch) -> None:
    """An interruption leaves queued frames where they are."""
    patch.setattr(Mailbox, "reset", lambda self: 0)


def queues_lose_everything(patch: pytest.MonkeyPatch) -> None:
    """An interruption drops uninterruptible frames too."""

    def reset(self: Mailbox[Any]) -> int:
        self.ordered.clear()
        self._kept = 0
        return 0

    patch.setattr(Mailbox, "reset", reset)


def handlers_go_on(patch: pytest.MonkeyPatch) -> None:
    """An interruption cancels no handler."""

    def interrupt(self: Lane, epoch: Epoch, initiator: Any, adopted: Any) -> None:
        self.renew(epoch, initiator, adopted)

    patch.setattr(Lane, "interrupt", interrupt)


def handlers_of_vows_are_cancelled(patch: pytest.MonkeyPatch) -> None:
    """An interruption cancels the handler of an uninterruptible frame."""

    def interrupt(self: Lane, epoch: Epoch, initiator: Any, adopted: Any) -> None:
        if not self.renew(epoch, initiator, adopted) and self.current is not None:
            self.replace()

    patch.setattr(Lane, "interrupt", interrupt)


def the_initiator_is_cancelled(patch: pytest.MonkeyPatch) -> None:
    """The handler that interrupts is cancelled like the others."""

    def interrupt(self: Lane, epoch: Epoch, initiator: Any, adopted: Any) -> None:
        self.renew(epoch, initiator, adopted)
        if self.current is not None and self.current[0].interruptible:
            self.replace()

    patch.setattr(Lane, "interrupt", interrupt)


def stale_pushes_count(patch: pytest.MonkeyPatch) -> None:
    """What cancelled handlers still push is delivered."""

    def always(self: Epoch) -> bool:
        return True

    patch.setattr(Epoch, "live", property(always, lambda self, value: None), raising=False)


def late_answers_count(patch: pytest.MonkeyPatch) -> None:
    """An emitter pushes for a request that an interruption has made void."""

    def push_frame(self: Emitter, frame: Frame, direction: FrameDirection = station._DOWN) -> Any:
        self._station.route(frame, direction)
        return DONE

    patch.setattr(Emitter, "push_frame", push_frame)


def bound_tasks_survive(patch: pytest.MonkeyPatch) -> None:
    """An interruption does not cancel bound tasks."""
    patch.setattr(Session, "void_bound_tasks", lambda self, initiator: None)


def lanes_stay_in_the_old_epoch(patch: pytest.MonkeyPatch) -> None:
    """After an interruption what new handlers push is void as well."""
    patch.setattr(Lane, "renew", lambda self, epoch, initiator, adopted: False)


def stale_code_interrupts(patch: pytest.MonkeyPatch) -> None:
    """A cancelled handler's interruption ends the new epoch."""
    patch.setattr(interruption, "_is_void", lambda work: False)


def interruptions_come_later(patch: pytest.MonkeyPatch) -> None:
    """An interruption is not one step: it takes effect when the loop comes round to it."""
    at_once = interruption.interrupt

    def interrupt(session: Session, frame: InterruptionFrame, *, source: str) -> None:
        asyncio.get_running_loop().call_later(0.01, lambda: at_once(session, frame, source=source))

    patch.setattr(station, "interrupt", interrupt)
    patch.setattr(task, "interrupt", interrupt)


def one_is_not_told_in_the_step(patch: pytest.MonkeyPatch) -> None:
    """`voided` is not called for one processor."""
    tell = interruption._tell

    def forgetful(session: Session, over: list[Epoch]) -> Any:
        everybody = session.stations
        session.stations = everybody[:-1]
        failures = tell(session, over[:-1])
        session.stations = everybody
        return failures

    patch.setattr(interruption, "_tell", forgetful)


def the_busy_are_not_told(patch: pytest.MonkeyPatch) -> None:
    """A processor that handles an urgent frame does not hear of an interruption."""
    deliver = Station.deliver_always

    def deliver_always(self: Station, frame: Frame) -> None:
        if self.urgent.current is None or not isinstance(frame, InterruptionFrame):
            deliver(self, frame)

    patch.setattr(Station, "deliver_always", deliver_always)


def frames_overtake(patch: pytest.MonkeyPatch) -> None:
    """A frame passes a busy processor by that still has frames queued before it."""

    def first_busy(self: Chain, index: int, target: Node, down: bool, frame: Frame) -> Node:
        return target

    patch.setattr(Chain, "first_busy", first_busy)


def branches_release_twice(patch: pytest.MonkeyPatch) -> None:
    """What passes two branches comes out twice."""
    patch.setattr(Passage, "leaves", lambda self, number: True)


def successors_do_nothing(patch: pytest.MonkeyPatch) -> None:
    """After a cancelled handler the lane handles nothing any more."""

    async def succeed(self: Lane, old: asyncio.Task[None]) -> None:
        await asyncio.wait({old})

    patch.setattr(Lane, "_succeed", succeed)


def successors_do_not_wait(patch: pytest.MonkeyPatch) -> None:
    """The next handler begins while the cancelled one is still stopping."""

    async def succeed(self: Lane, old: asyncio.Task[None]) -> None:
        await self._drain()

    patch.setattr(Lane, "_succeed", succeed)


def starts_are_not_awaited(patch: pytest.MonkeyPatch) -> None:
    """A processor handles frames before its StartFrame handler has returned."""

    async def start(self: Life, frame: Any) -> None:
        self._station.open()
        await self._handle_alone(frame)

    patch.setattr(Life, "start", start)


def stopping_has_no_deadline(patch: pytest.MonkeyPatch) -> None:
    """The end waits for cancelled tasks as long as they like."""
    cancel = TaskGroup.cancel

    async def wait(self: TaskGroup, tasks: Any, timeout: float) -> set[str]:
        return await cancel(self, tasks, 1e6)

    patch.setattr(TaskGroup, "cancel", wait)


def cancels_wait_for_the_start(patch: pytest.MonkeyPatch) -> None:
    """A cancel is noticed when the start is over."""
    stop = Session.stop_lanes

    def stop_lanes(self: Session) -> None:
        halted, self._halted = self._halted, None
        stop(self)
        self._halted = halted

    patch.setattr(Session, "stop_lanes", stop_lanes)


def cancels_leave_the_queues(patch: pytest.MonkeyPatch) -> None:
    """After a cancel, what waits is still handled."""
    patch.setattr(Mailbox, "clear", lambda self: None)


def errors_are_swallowed(patch: pytest.MonkeyPatch) -> None:
    """What a handler raises is not reported."""
    failed = Lane._failed

    def swallow(self: Lane, envelope: Envelope, error: BaseException, task: Any) -> None:
        if not isinstance(error, Exception):
            failed(self, envelope, error, task)

    patch.setattr(Lane, "_failed", swallow)


PLANTS: tuple[Plant, ...] = (
    queues_survive,
    queues_lose_everything,
    handlers_go_on,
    handlers_of_vows_are_cancelled,
    the_initiator_is_cancelled,
    stale_pushes_count,
    late_answers_count,
    bound_tasks_survive,
    lanes_stay_in_the_old_epoch,
    stale_code_interrupts,
    interruptions_come_later,
    one_is_not_told_in_the_step,
    the_busy_are_not_told,
    frames_overtake,
    branches_release_twice,
    successors_do_nothing,
    successors_do_not_wait,
    starts_are_not_awaited,
    stopping_has_no_deadline,
    cancels_wait_for_the_start,
    cancels_leave_the_queues,
    errors_are_swallowed,
)
