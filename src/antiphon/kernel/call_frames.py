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
    armed anew is dropped. A deadline that is put off costs nothing: the loop's timer stays where it
    is, and is set anew when it fires.
    """

    __slots__ = ("_callback", "_handle", "_round", "_set_for", "_station", "deadline")

    def __init__(self, station: Station, callback: Callable[[], Awaitable[None]]) -> None:
        self._station = station
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._set_for = 0.0
        self._round = 0
        self.deadline: float | None = None

    def arm(self, deadline: float | None) -> None:
        """Calls back at `deadline` (seconds on the loop's clock); None: not at all."""
        if deadline == self.deadline:
            return
        self.deadline = deadline
        self._round += 1
        if self._handle is not None:
            if deadline is not None and deadline >= self._set_for:
                return
            self._handle.cancel()
            self._handle = None
        if deadline is not None:
            self._set(deadline)

    def _set(self, deadline: float) -> None:
        self._set_for = deadline
        self._handle = asyncio.get_running_loop().call_at(deadline, self._due)

    def _due(self) -> None:
        self._handle = None
        if self.deadline is None:
            return
        if self.deadline > self._set_for:
            self._set(self.deadline)
            return
        number = self._round

        async def call() -> None:
            if number == self._round:
                self.deadline = None
                await self._callback()

        if not self._station.session.closed:
            self._station.deliver_always(CallFrame(call))
