"""The one place that knows what time it is.

Everything that decides reads the time of the event loop through a `Clock`, so that a conversation
can run in virtual time. The wall clock is read once, when the conversation starts, and only to put
dates on messages; a loop with a wall clock of its own (the virtual one) is asked instead.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class WallClock(Protocol):
    """A loop that brings its own wall clock."""

    def wall_time(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class Clock:
    """Time as one conversation sees it. Create it while the loop runs."""

    __slots__ = ("_loop", "_started", "_wall_started")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._wall_started = (
            self._loop.wall_time() if isinstance(self._loop, WallClock) else time.time()
        )

    def now(self) -> float:
        """Seconds on the loop's clock: what deadlines are counted in."""
        return self._loop.time()

    def get_time(self) -> int:
        """Nanoseconds since the conversation started: what a frame's `pts` is counted in."""
        return round((self._loop.time() - self._started) * 1_000_000_000)

    def wall(self) -> datetime.datetime:
        """The date and time, in UTC."""
        seconds = self._wall_started + self._loop.time() - self._started
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)

    def timestamp(self) -> str:
        """The date and time as ISO 8601 with milliseconds."""
        return self.wall().isoformat(timespec="milliseconds")
