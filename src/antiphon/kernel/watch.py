"""The deadline of a lane: how long a handler may take while something waits behind it.

A watch is started when a frame begins to wait, and looks at the lane when `limit` seconds have
passed. If the same handler is still at work it is given up: taken from the lane, and reported. If
another one is, that one gets `limit` seconds of its own. Nothing is timed while nothing waits.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.errors import HandlerTimeoutError
from antiphon.kernel.epoch import Envelope

if TYPE_CHECKING:
    from antiphon.kernel.lane import Lane


class Watch:
    """Watches one lane. `limit` in seconds; None: handlers may take as long as they like."""

    __slots__ = ("_lane", "_timer", "limit")

    def __init__(self, lane: Lane, limit: float | None) -> None:
        self._lane = lane
        self.limit = limit
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Something waits: from now on the running handler has `limit` seconds."""
        if self._timer is None and self.limit is not None and self._lane.opened:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.limit, self._expired, self._lane.current)

    def stop(self) -> None:
        """The lane has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expired(self, watched: Envelope | None) -> None:
        self._timer = None
        lane = self._lane
        current = lane.current
        owed = not lane.urgent or lane.station.ordered.barrier is not None
        needed = lane.waiting() > 0 or (current is not None and owed)
        if not lane.opened or self.limit is None or not needed:
            return
        loop = asyncio.get_running_loop()
        patient, until = lane.work.patience
        if current is not None and patient is current[0] and until > loop.time():
            self._timer = loop.call_at(until, self._expired, current)
        elif current is watched and (current is not None or lane.blocked):
            self._give_up(current)
            self.start()
        else:
            self._timer = loop.call_later(self.limit, self._expired, current)

    def _give_up(self, current: Envelope | None) -> None:
        lane, station = self._lane, self._lane.station
        if current is None:
            message = f"{station.name} was still paused {self.limit:g} s after the end came"
            lane.held, lane.barrier = False, None
            lane.lift(None)
        else:
            message = (
                f"{station.name} did not return from {current[0].name} within {self.limit:g} s "
                f"while other frames waited: its handler is cancelled"
            )
            lane.replace()
            station.ordered.interruption_handled(current[0], current[2])
        if not lane.urgent:
            dropped = station.mailbox.reset()
            message += f"; {dropped} frames that waited behind it are dropped" if dropped else ""
        station.report(message, HandlerTimeoutError(message))
        if current is not None and current[0].lifecycle:
            station.life.pass_on(current[0], current[1])
