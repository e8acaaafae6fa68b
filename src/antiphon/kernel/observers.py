"""Observers: they see every hand-over, and can neither slow nor change it.

Each observer has a queue and a task of its own. One that falls more than `OBSERVER_BACKLOG` events
behind loses the oldest, counted and reported once. Without observers a hand-over costs one
comparison.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from antiphon.frames.base import Frame
from antiphon.kernel.epoch import FrameDirection, free_context
from antiphon.kernel.tasks import ends_the_task, running_task

if TYPE_CHECKING:
    from antiphon.clock import Clock
    from antiphon.kernel.tasks import TaskGroup

logger = logging.getLogger("antiphon")

OBSERVER_BACKLOG = 50_000


class FramePushed(msgspec.Struct, frozen=True):
    """A frame was handed over. Names of processors; `timestamp` in ns since the start."""

    source: str
    destination: str
    frame: Frame
    direction: FrameDirection
    timestamp: int


class FrameProcessed(msgspec.Struct, frozen=True):
    """A processor begins to handle a frame. `timestamp` in ns since the start."""

    processor: str
    frame: Frame
    direction: FrameDirection
    timestamp: int


class BaseObserver:
    """Override what you want to see."""

    async def on_push_frame(self, data: FramePushed) -> None:
        """A frame was handed over."""

    async def on_process_frame(self, data: FrameProcessed) -> None:
        """A processor begins to handle a frame."""

    async def on_pipeline_finished(self) -> None:
        """The conversation is over and everything before has been seen."""


class _Desk:
    """One observer's queue."""

    __slots__ = ("events", "lost", "observer", "told", "waiter")

    def __init__(self, observer: BaseObserver) -> None:
        self.observer = observer
        self.events: deque[FramePushed | FrameProcessed] = deque()
        self.lost = 0
        self.told = asyncio.Event()
        self.told.set()
        self.waiter: asyncio.Future[None] | None = None


class Observers:
    """The observers of one session."""

    def __init__(self, observers: Iterable[BaseObserver]) -> None:
        self._desks = [_Desk(observer) for observer in observers]
        self._clock: Clock | None = None
        self.wants_processed = any(
            type(desk.observer).on_process_frame is not BaseObserver.on_process_frame
            for desk in self._desks
        )

    def start(self, tasks: TaskGroup, clock: Clock) -> None:
        """Starts telling."""
        self._clock = clock
        for desk in self._desks:
            name = type(desk.observer).__name__
            tasks.create(
                self._tell(desk), name=f"{name} observer", owner=name, context=free_context()
            )

    def pushed(
        self, source: str, destination: str, frame: Frame, direction: FrameDirection
    ) -> None:
        """Notes a hand-over."""
        self._note(FramePushed(source, destination, frame, direction, self._now()))

    def processed(self, processor: str, frame: Frame, direction: FrameDirection) -> None:
        """Notes that a processor begins to handle a frame."""
        self._note(FrameProcessed(processor, frame, direction, self._now()))

    async def finish(self, timeout: float) -> None:
        """Waits, at most `timeout` seconds each, until everything noted has been told."""
        task = running_task()
        for desk in self._desks:
            try:
                async with asyncio.timeout(timeout):
                    await desk.told.wait()
                    await desk.observer.on_pipeline_finished()
            except BaseException as error:
                if ends_the_task(error, task):
                    raise
                logger.exception("%s failed", type(desk.observer).__name__)

    def _now(self) -> int:
        return 0 if self._clock is None else self._clock.get_time()

    def _note(self, event: FramePushed | FrameProcessed) -> None:
        for desk in self._desks:
            if len(desk.events) >= OBSERVER_BACKLOG:
                desk.events.popleft()
                desk.lost += 1
                if desk.lost == 1:
                    name = type(desk.observer).__name__
                    logger.error("%s does not keep up: it loses the oldest events", name)
            desk.events.append(event)
            desk.told.clear()
            if desk.waiter is not None and not desk.waiter.done():
                desk.waiter.set_result(None)

    async def _tell(self, desk: _Desk) -> None:
        loop = asyncio.get_running_loop()
        observer = desk.observer
        task = running_task()
        while True:
            while desk.events:
                event = desk.events[0]
                try:
                    if isinstance(event, FramePushed):
                        await observer.on_push_frame(event)
                    else:
                        await observer.on_process_frame(event)
                except BaseException as error:
                    if ends_the_task(error, task):
                        raise
                    logger.exception("%s failed on %s", type(observer).__name__, event.frame.name)
                if desk.events and desk.events[0] is event:
                    desk.events.popleft()
            desk.told.set()
            desk.waiter = loop.create_future()
            await desk.waiter
            desk.waiter = None
