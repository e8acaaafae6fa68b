"""What a task watches: has everybody gone, do frames still flow, which frames reach an end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from antiphon.errors import MailboxFullError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import HeartbeatFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import BoundEvent
from antiphon.kernel.params import PipelineParams

logger = logging.getLogger("antiphon")


class FrameFilter:
    """Fires an event for frames of the chosen types."""

    def __init__(self, event: BoundEvent[[Frame]]) -> None:
        self.types: tuple[type[Frame], ...] = ()
        self._event = event

    def see(self, frame: Frame) -> None:
        """A frame came by."""
        if self.types and isinstance(frame, self.types):
            self._event.emit(frame)


class LateFrames:
    """Counts the frames that the program queues after the end, and reports them once."""

    def __init__(self) -> None:
        self._first: Frame | None = None
        self._count = 0
        self._told: bool = False
        self._over: bool = False

    def note(self, frame: Frame) -> None:
        """One came."""
        self._first = self._first or frame
        self._count += 1
        if self._over and self._count == 1:
            with contextlib.suppress(RuntimeError):  # outside a loop
                asyncio.get_running_loop().call_soon(self.report)

    def report(self) -> None:
        """The conversation is over."""
        self._over = True
        if self._first is not None and not self._told:
            self._told = True
            logger.warning(
                "%d frames were queued after the end of the conversation, beginning with %s: what "
                "comes after an EndFrame or a cancel is not handled",
                self._count,
                self._first.name,
            )


class IdleWatch:
    """Calls back whenever `timeout` seconds have passed without `touch`."""

    def __init__(self, timeout: float | None, expired: Callable[[], None]) -> None:
        self._timeout = timeout
        self._expired = expired
        self._last = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Starts counting."""
        if self._timeout is not None:
            self.touch()
            self._handle = asyncio.get_running_loop().call_later(self._timeout, self._check)

    def stop(self) -> None:
        """Stops counting."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def touch(self) -> None:
        """Somebody is there."""
        if self._handle is not None or self._timeout is not None:
            self._last = asyncio.get_running_loop().time()

    def _check(self) -> None:
        if self._timeout is None:
            return
        loop = asyncio.get_running_loop()
        due = self._last + self._timeout
        if loop.time() >= due:
            self._last = loop.time()
            due = self._last + self._timeout
            self._handle = loop.call_at(due, self._check)
            self._expired()
        else:
            self._handle = loop.call_at(due, self._check)


class Heartbeat:
    """Sends a beat every period; fires when none has returned for the monitor time."""

    def __init__(
        self,
        params: PipelineParams,
        send: Callable[[Frame, FrameDirection], None],
        timed_out: BoundEvent[[]],
    ) -> None:
        self._enabled = params.enable_heartbeats
        self._period = params.heartbeats_period_secs
        self._monitor = params.heartbeats_monitor_secs
        self._send = send
        self._timed_out = timed_out
        self._last = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Starts beating, if the parameters say so."""
        if self._enabled:
            self._last = asyncio.get_running_loop().time()
            self._tick()

    def stop(self) -> None:
        """Stops beating."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def returned(self) -> None:
        """A beat came through."""
        self._last = asyncio.get_running_loop().time()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now - self._last >= self._monitor:
            logger.warning("no heartbeat came through the pipeline for %g s", now - self._last)
            self._timed_out.emit()
            self._last = now
        self._handle = loop.call_later(self._period, self._tick)
        # A pipeline that is full takes no beat: then it misses one, and the monitor will tell.
        with contextlib.suppress(MailboxFullError):
            self._send(HeartbeatFrame(round(now * 1e9)), FrameDirection.DOWNSTREAM)
