"""Faults of frames on their way into or out of any processor: a processor to be put before or
behind it.

    Pipeline([FrameFaults({"drop": 0.1}), Shout(), FrameFaults({"delay": 0.2}, name="late")])

Theory of operation. A frame that comes in is asked about once (`Armed`): it is dropped, becomes an
error, waits in the handler (slow, hang: what comes behind waits too), or joins a *line*. There is a
line for each lane, ordered and urgent; frames leave a line in their order, each not before it is
due. What is not delayed passes at once if nobody stands in its line, else it stands behind.

Struck are the frames that go in `direction`, and of those the content: data frames and live audio;
or, with `frames`, those of these types. Life-cycle frames and interruptions are never struck. An
interruption voids interruptible frames in line as it does everywhere; the end waits until both
lines are empty.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from antiphon.frames.base import DataFrame, Frame
from antiphon.frames.lifecycle import EndFrame, ErrorFrame, StartFrame, StopFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import Emitter, FrameProcessor, handles
from antiphon.simulation.faults.events import FaultEvent, FaultInjectedFrame, FaultLog
from antiphon.simulation.faults.fault import Armed, Fault, Hits
from antiphon.simulation.faults.spec import fault_of


class _Line:
    """Frames that wait to be due, in their order."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[float, Frame, FrameDirection, Emitter]] = deque()
        self.joined = asyncio.Event()

    def join(self, due: float, frame: Frame, direction: FrameDirection, sender: Emitter) -> None:
        """Stands behind the others, and is due no sooner than they are."""
        if self.waiting:
            due = max(due, self.waiting[-1][0])
        self.waiting.append((due, frame, direction, sender))
        self.joined.set()


class FrameFaults(FrameProcessor):
    """See the module's docstring. Faults are written as data or given as `Fault`s.

    `direction`: of the frames that are struck. `before`: the processor it stands before: only what
    that one handles is content. `stands_for`: in whose name errors are reported; by default its
    own. `events` are the faults that struck.
    """

    def __init__(
        self,
        *faults: Fault | Mapping[str, Any],
        direction: FrameDirection = FrameDirection.DOWNSTREAM,
        before: FrameProcessor | None = None,
        stands_for: str | None = None,
        target: str | None = None,
        log: FaultLog | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        made = [fault_of(fault, "into.it") for fault in faults]
        self._all_named = bool(made) and all(fault.frames for fault in made)
        self._named = tuple(kind for fault in made for kind in fault.frames)
        self._direction, self._before, self._stands_for = direction, before, stands_for
        self._log = log or FaultLog(self._tell)
        self._armed = Armed(target or name or "frames", made, self._log)
        self._lines = {urgent: _Line() for urgent in (False, True)}

    @property
    def events(self) -> list[FaultEvent]:
        """The faults that struck, in order."""
        return self._log.events

    @handles(StartFrame)
    async def _start(self, frame: StartFrame, direction: FrameDirection) -> None:
        for urgent, line in self._lines.items():
            self.create_task(self._serve(line), name="urgent line" if urgent else "line")

    @handles(EndFrame, StopFrame)
    async def _end(self, frame: Frame, direction: FrameDirection) -> None:
        for line in self._lines.values():
            while line.waiting:
                left = max(0.0, line.waiting[-1][0] - self.clock.now())
                self.allow(left + 1.0)
                await asyncio.sleep(left)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if direction is not self._direction or not self._concerns(frame):
            self._pass(frame, direction, Hits())
            return
        hits = self._armed.strike(frame=frame)
        if hits.slow > 0.0:
            await asyncio.sleep(hits.slow)
        if hits.hang:
            await asyncio.get_running_loop().create_future()
        if hits.error is not None:
            self._fail(frame, hits)
        elif not hits.drop:
            self._pass(frame, direction, hits)

    def _concerns(self, frame: Frame) -> bool:
        if isinstance(frame, self._named):
            return True
        content = isinstance(frame, DataFrame) or frame.lossy
        if self._before is not None:
            content = content and self._before.station.handles(type(frame))
        return content and not self._all_named

    def _pass(self, frame: Frame, direction: FrameDirection, hits: Hits) -> None:
        line = self._lines[frame.urgent]
        for copy in range(hits.copies):
            one = msgspec.structs.replace(frame, id=Frame().id) if copy else frame
            if hits.delay > 0.0 or line.waiting:
                line.join(self.clock.now() + hits.delay, one, direction, self.emitter())
            else:
                self.push_frame(one, direction)

    def _fail(self, frame: Frame, hits: Hits) -> None:
        error = hits.error
        assert error is not None
        name = self._stands_for or self.name
        told = ErrorFrame(
            error=f"{name} failed on {frame.name}: {error}",
            processor=name,
            exception=error,
            category=error.category,
            retryable=error.retryable,
        )
        self.push_frame(told, FrameDirection.UPSTREAM)

    async def _serve(self, line: _Line) -> None:
        while True:
            while line.waiting:
                due, frame, direction, sender = line.waiting[0]
                if (left := due - self.clock.now()) > 0.0:
                    await asyncio.sleep(left)
                line.waiting.popleft()
                await sender.push_frame(frame, direction)
            line.joined.clear()
            await line.joined.wait()

    def _tell(self, event: FaultEvent) -> None:
        observers = self.station.session.observers
        if observers is not None:
            told = FaultInjectedFrame(event.target, event.what)
            observers.pushed("faults", self.name, told, self._direction)
