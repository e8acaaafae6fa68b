"""Watching a conversation of a simulation without taking part in it.

An observer is told in a task of its own, which makes another schedule of a seed. A tap is told at
the hand-over itself: a seed means the same run with it and without it. It is put into a task that
was built by others, before it runs, and passes everything on to the observers that task has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon.frames.base import Frame
from antiphon.kernel.chain import Chain
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import FramePushed, Observers
from antiphon.kernel.task import PipelineTask

if TYPE_CHECKING:
    from antiphon.clock import Clock
    from antiphon.kernel.tasks import TaskGroup

Listener = Callable[[FramePushed], None]


class Tap(Observers):
    """Tells `listeners` of every hand-over, at once. They must not touch the conversation."""

    def __init__(self, inner: Observers | None) -> None:
        super().__init__(())
        self.listeners: list[Listener] = []
        self._inner = inner
        self.wants_processed: bool = inner is not None and inner.wants_processed

    def start(self, tasks: TaskGroup, clock: Clock) -> None:
        super().start(tasks, clock)
        if self._inner is not None:
            self._inner.start(tasks, clock)

    def pushed(
        self, source: str, destination: str, frame: Frame, direction: FrameDirection
    ) -> None:
        event = FramePushed(source, destination, frame, direction, self._now())
        for listener in self.listeners:
            listener(event)
        if self._inner is not None:
            self._inner.pushed(source, destination, frame, direction)

    def processed(self, processor: str, frame: Frame, direction: FrameDirection) -> None:
        if self._inner is not None:
            self._inner.processed(processor, frame, direction)

    async def finish(self, timeout: float) -> None:
        if self._inner is not None:
            await self._inner.finish(timeout)


def tap(task: PipelineTask, listener: Listener) -> None:
    """Lets `listener` see every hand-over of `task`, which must not have run yet."""
    session = task._session
    if not isinstance(session.observers, Tap):
        found = Tap(session.observers)
        chains: set[Chain] = {task._chain, *(station.chain for station in session.stations)}
        for chain in chains:
            chain._observers = found
        session.observers = found
    assert isinstance(session.observers, Tap)
    session.observers.listeners.append(listener)
