"""The life of one station: its processor starts, ends, is cancelled and cleans up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, StartFrame
from antiphon.kernel.call_frames import CallFrame
from antiphon.kernel.epoch import FrameDirection, Work, current_work
from antiphon.kernel.tasks import described, ends_the_task, running_task

if TYPE_CHECKING:
    from antiphon.kernel.station import Station


class Life:
    """What the kernel does at a station for the frames of the life cycle."""

    __slots__ = ("_passed", "_settled", "_station", "begun")

    def __init__(self, station: Station) -> None:
        self._station = station
        self.begun = False
        """Whether the processor has been given its `StartFrame`."""
        self._passed: Frame | None = None
        self._settled: asyncio.Future[None] | None = None

    async def start(self, frame: StartFrame) -> None:
        """Lets the processor handle the `StartFrame`, then opens its lanes."""
        self.begun = True
        await self._handle_alone(frame)
        if not self._station.session.closed:
            self._station.open()

    async def cancel(self, frame: CancelFrame) -> None:
        """Lets the processor handle the `CancelFrame`, when nothing else runs any more.

        One that has not been started is spared.
        """
        if self.begun:
            await self._handle_alone(frame)

    async def cleanup(self) -> None:
        """Lets the processor release what it holds."""
        station = self._station
        task = running_task()
        try:
            await station.processor.cleanup()
        except BaseException as error:
            if ends_the_task(error, task):
                raise
            station.report(f"{station.name} failed to clean up: {described(error)}", error)

    def announce_end(self) -> None:
        """The end was queued: from now on handlers in front of it have a deadline."""
        station = self._station
        station.ordered.watch.limit = station.session.end_timeout_secs
        if station.urgent.busy:
            settled = self._settled = asyncio.get_running_loop().create_future()

            async def settle() -> None:
                if not settled.done():
                    settled.set_result(None)

            station.deliver_always(CallFrame(settle))
        station.ordered.watch.start()

    async def end(self, frame: Frame, direction: FrameDirection) -> None:
        """Handles an end in its turn: after all urgent frames that came before it."""
        station = self._station
        if self._settled is not None:
            await self._settled
        task = running_task()
        try:
            if (handler := station.processor.handlers.find(type(frame))) is not None:
                await handler(station.processor, frame, direction)
        except BaseException as error:
            if ends_the_task(error, task):
                raise
            station.report(f"{station.name} failed on {frame.name}: {described(error)}", error)
        self.pass_on(frame, direction)

    def pass_on(self, frame: Frame, direction: FrameDirection) -> None:
        """Passes a life-cycle frame on to the next processor, once."""
        if self._passed is not frame:
            self._passed = frame
            self._station.route(frame, direction)

    async def _handle_alone(self, frame: Frame) -> None:
        station = self._station
        if (handler := station.processor.handlers.find(type(frame))) is None:
            return
        current_work.set(Work(station.epoch, frame))
        task = running_task()
        try:
            await handler(station.processor, frame, FrameDirection.DOWNSTREAM)
        except BaseException as error:
            if ends_the_task(error, task):
                raise
            station.report(f"{station.name} failed on {frame.name}: {described(error)}", error)
        finally:
            current_work.set(None)
