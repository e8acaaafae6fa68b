"""What was injected when: for assertions, for timelines, and for whoever wonders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from antiphon.frames.base import SystemFrame


class FaultInjectedFrame(SystemFrame):
    """Observers are shown it when a fault strikes. It flows through no pipeline."""

    target: str
    what: str


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """A fault struck `target`, `at` loop seconds; `what` is the fault as it was written."""

    at: float
    target: str
    what: str

    def __str__(self) -> str:
        """For people."""
        return f"fault injected: {self.target}: {self.what}"


class FaultLog:
    """The faults that struck, in order; `tell` is called with each."""

    def __init__(self, tell: Callable[[FaultEvent], None] | None = None) -> None:
        self.events: list[FaultEvent] = []
        self._tell = tell

    def record(self, target: str, what: str) -> None:
        """A fault strikes now."""
        event = FaultEvent(asyncio.get_running_loop().time(), target, what)
        self.events.append(event)
        if self._tell is not None:
            self._tell(event)
