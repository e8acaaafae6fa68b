"""What an interruption ends: the stretch of a conversation that frames and handlers belong to.

Everything a handler does belongs to the epoch in which it started. An interruption marks the
session's epoch as over and begins the next, in one assignment: whatever still holds the old one
is void from that instant, wherever it is.

`current_work` says on whose behalf the running code acts; tasks that a handler starts inherit it.
It is None in code that acts for itself, such as a transport's reader or the program.
"""

from __future__ import annotations

import contextvars
import enum

from antiphon.frames.base import Frame


class FrameDirection(enum.Enum):
    """Which way a frame travels: downstream is from the caller's voice to the agent's."""

    DOWNSTREAM = 1
    UPSTREAM = 2


class Epoch:
    """The time between two interruptions of one session, which `owner` stands for.

    A part of it may end earlier: that of a service which is no longer the active one of its switch.
    """

    __slots__ = ("_parts", "live", "number", "owner")

    def __init__(self, number: int, owner: object = None) -> None:
        self.number = number
        self.owner = owner
        self.live = True
        self._parts: list[Epoch] = []

    def part(self) -> Epoch:
        """An epoch that ends with this one, or before."""
        part = Epoch(self.number, self.owner)
        part.live = self.live
        self._parts = [one for one in self._parts if one.live]
        self._parts.append(part)
        return part

    def voids(self, work: Work | None) -> bool:
        """Whether what `work` makes for this epoch's session comes too late.

        Work for another session does not: its epochs end for reasons of its own.
        """
        return work is not None and not work.epoch.live and self.owns(work)

    def owns(self, work: Work) -> bool:
        """Whether it is work for this epoch's session."""
        return work.epoch.owner is self.owner

    def next(self) -> Epoch:
        """The one after it, of the same session."""
        return Epoch(self.number + 1, self.owner)

    def end(self) -> None:
        """It is over, and its parts are."""
        self.live = False
        for part in self._parts:
            part.end()
        self._parts.clear()

    def __repr__(self) -> str:
        return f"<Epoch {self.number}{'' if self.live else ' over'}>"


Envelope = tuple[Frame, FrameDirection, Epoch]
"""A frame waiting for one processor."""


class Work:
    """On whose behalf code acts: an epoch, and the frame being handled at the moment.

    A lane uses one for all its handlers of an epoch. `patience`: a frame whose handler asked for
    its deadline to be extended, and until when (loop seconds).
    """

    __slots__ = ("epoch", "frame", "patience")

    def __init__(self, epoch: Epoch, frame: Frame | None = None) -> None:
        self.epoch = epoch
        self.frame = frame
        self.patience: tuple[Frame | None, float] = (None, 0.0)


current_work: contextvars.ContextVar[Work | None] = contextvars.ContextVar(
    "antiphon_work", default=None
)


def free_context() -> contextvars.Context:
    """A copy of the running context in which code acts for itself."""
    return context_of(None)


def context_of(work: Work | None) -> contextvars.Context:
    """A copy of the running context in which code acts on behalf of `work`."""
    context = contextvars.copy_context()
    context.run(current_work.set, work)
    return context
