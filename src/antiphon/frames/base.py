"""What every frame is: immutable, numbered, and of a type that decides how it travels.

Two facts belong to the *type* of a frame, never to the code that handles it:

* `urgent`: it overtakes queued frames and is handled beside the ordered one.
* `interruptible`: an interruption may throw it away.

| base            | urgent | interruptible | for                                     |
|-----------------|--------|---------------|-----------------------------------------|
| `SystemFrame`   | yes    | no            | what must be known at once              |
| `DataFrame`     | no     | yes           | content, in order                       |
| `ControlFrame`  | no     | yes           | boundaries between content, in order    |

`UninterruptibleFrame`, mixed into a data or control frame, makes it survive interruptions.
"""

from __future__ import annotations

import itertools
from typing import Any, ClassVar, dataclass_transform

import msgspec

from antiphon.errors import ConfigurationError

_ids = itertools.count(1)


class UninterruptibleFrame:
    """Mixin without fields: frames of this type survive interruptions and are never cancelled."""

    __slots__ = ()


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Frame(msgspec.Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """One thing that flows through a pipeline. Immutable, so it may be shared freely.

    Two frames are equal only when they are the same frame. `id` grows within the process; `pts` is
    the presentation time in nanoseconds on the conversation's clock; source and destination name a
    track or participant of the transport.
    """

    urgent: ClassVar[bool] = False
    interruptible: ClassVar[bool] = True
    lossy: ClassVar[bool] = False
    """When a mailbox is full of frames of this type the oldest is dropped and counted."""
    lifecycle: ClassVar[bool] = False
    """Belongs to the kernel, which passes it on itself once a processor has handled it."""

    id: int = msgspec.field(default_factory=_ids.__next__)
    pts: int | None = None
    transport_source: str | None = None
    transport_destination: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if issubclass(cls, UninterruptibleFrame):
            cls.interruptible = False

    @property
    def extent(self) -> float:
        """Seconds of a live stream that it stands for: a mailbox bounds lossy frames by it."""
        return 0.06

    @property
    def name(self) -> str:
        """`TypeName#id`, for people."""
        return f"{type(self).__name__}#{self.id}"


class SystemFrame(Frame):
    """Handled as soon as it arrives and never dropped."""

    urgent: ClassVar[bool] = True
    interruptible: ClassVar[bool] = False


class DataFrame(Frame):
    """Content, handled in order."""


class ControlFrame(Frame):
    """A boundary or command, handled in order."""


def not_a_frame(who: str, thing: object) -> ConfigurationError:
    """The error for anything else that was pushed or queued."""
    hint = "call it, as in TextFrame('hi')" if isinstance(thing, type) else "wrap it in one"
    return ConfigurationError(f"{who} was given {thing!r}, which is no frame: {hint}")
