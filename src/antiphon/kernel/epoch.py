"""What an interruption ends: the stretch of a conversation that frames and handlers belong to.

Everything a handler does belongs to the epoch in which it started. An interruption marks the
session's epoch as over and begins the next, in one assignment: whatever still holds the old one is
void from that instant, wherever it is.

`current_work` says on whose behalf the running code acts: the envelope being handled, also in the
tasks a handler starts. It is None in code that acts for itself, such as a transport's reader or
the program.
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
    """The time between two interruptions of one session."""

    __slots__ = ("live", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.live = True

    def __repr__(self) -> str:
        return f"<Epoch {self.number}{'' if self.live else ' over'}>"


class Envelope:
    """A frame on its way into one processor, and then the work of handling it.

    `until`: loop seconds to which the handler asked its deadline to be extended. `passed_on`: the
    handler itself pushed the life-cycle frame that it handles.
    """

    __slots__ = ("direction", "epoch", "frame", "passed_on", "until")

    def __init__(self, frame: Frame, direction: FrameDirection, epoch: Epoch) -> None:
        self.frame = frame
        self.direction = direction
        self.epoch = epoch
        self.until = 0.0
        self.passed_on = False


current_work: contextvars.ContextVar[Envelope | None] = contextvars.ContextVar(
    "antiphon_work", default=None
)


def free_context() -> contextvars.Context:
    """A copy of the running context in which code acts for itself."""
    context = contextvars.copy_context()
    context.run(current_work.set, None)
    return context
