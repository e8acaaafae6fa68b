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

import inspect
import itertools
from typing import Any, ClassVar, Self, dataclass_transform

import msgspec

from antiphon.errors import ConfigurationError

_ids = itertools.count(1)


class UninterruptibleFrame:
    """Mixin without fields: frames of this type survive interruptions and are never cancelled."""

    __slots__ = ()


class _NoDataclass:
    """Says what to write instead when `@dataclass` looks for the fields of a frame's base."""

    def __get__(self, frame: object, owner: type) -> Any:
        caller = inspect.currentframe()
        caller = None if caller is None else caller.f_back
        if caller is not None and caller.f_code.co_name == "_process_class":  # of `dataclasses`
            raise ConfigurationError(
                "a frame takes no @dataclass: leave it away, `class MyFrame(DataFrame):` and the "
                "fields with their types are enough"
            )
        raise AttributeError("__dataclass_fields__")


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Frame(msgspec.Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """One thing that flows through a pipeline. Immutable, so it may be shared freely.

    `frame.replace(text="y")` makes a changed copy.

    Two frames are equal only when they are the same frame. `id` grows within the process; `pts` is
    the presentation time in nanoseconds on the conversation's clock; source and destination name a
    track or participant of the transport.
    """

    __dataclass_fields__: ClassVar[Any] = _NoDataclass()

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

    def replace(self, **fields: Any) -> Self:
        """A copy with other values for some fields, and an id of its own."""
        unknown = fields.keys() - set(self.__struct_fields__)
        if unknown:
            known = ", ".join(self.__struct_fields__)
            raise ConfigurationError(
                f"{type(self).__name__} has no field {min(unknown)!r}: it has {known}"
            )
        return msgspec.structs.replace(self, **{"id": next(_ids), **fields})

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
