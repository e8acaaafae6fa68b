"""A call in place of a frame: how timers and barriers take their turn among urgent frames."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from antiphon.frames.base import SystemFrame

if TYPE_CHECKING:
    from antiphon.kernel.station import Station


class CallFrame(SystemFrame):
    """Awaits `call` when its turn comes. Never leaves the processor it was put into."""

    call: Callable[[], Awaitable[None]]


class Timer:
    """A deadline of one processor. The callback runs on its urgent lane, in order with its frames.

    Arming replaces the former deadline. A call that is already queued when the timer is disarmed or
    armed anew is dropped.
    """

    __slots__ = ("_callback", "_handle", "_round", "_station", "deadline")

    def __init__(self, station: Station, callback: Callable[[], Awaitable[None]]) -> None:
        self._station = station
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._round = 0
        self.deadline: float | None = None

    def arm(self, deadline: float | None) -> None:
        """Calls back at `deadline` (seconds on the loop's clock); None: not at all."""
        if deadline == self.deadline:
            return
        self.deadline = deadline
        self._round += 1
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if deadline is not None:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_at(deadline, self._due, self._round)

    def _due(self, number: int) -> None:
        async def call() -> None:
            if number == self._round:
                self.deadline = None
                await self._callback()

        if not self._station.session.closed:
            self._station.deliver_always(CallFrame(call))
