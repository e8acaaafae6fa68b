"""Which method of a processor class handles which frames."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, overload

from antiphon.errors import ConfigurationError
from antiphon.frames.base import Frame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import accepts

S = TypeVar("S")
F = TypeVar("F", bound=Frame)
G = TypeVar("G", bound=Frame)

Method = Callable[[S, F, FrameDirection], Coroutine[Any, Any, None]]
M = TypeVar("M", bound=Callable[..., Coroutine[Any, Any, None]])
Handler = Callable[[Any, Any, FrameDirection], Awaitable[None]]

_declared: dict[Callable[..., Any], tuple[type[Frame], ...]] = {}


@overload
def handles(kind: type[F], /) -> Callable[[Method[S, F]], Method[S, F]]: ...
@overload
def handles(kind: type[F], other: type[G], /) -> Callable[[Method[S, F | G]], Method[S, F | G]]: ...
@overload
def handles(*types: type[Frame]) -> Callable[[M], M]: ...
def handles(*types: type[Frame]) -> Callable[[M], M]:
    """Declares the frame types that a method of a processor handles."""
    if not _are_frame_types(types):
        raise ConfigurationError(
            f"handles() takes frame types, as in @handles(TextFrame), not {types!r}"
        )

    def declare(method: M) -> M:
        if inspect.isfunction(method) and not inspect.iscoroutinefunction(method):
            raise ConfigurationError(
                f"{method.__qualname__} handles frames: declare it with `async def`, and do not "
                f"`yield` in it"
            )
        if inspect.isfunction(method) and not accepts(method, 3):
            raise ConfigurationError(
                f"{method.__qualname__} handles frames: it is called with the frame and its "
                f"direction, as in `async def {method.__name__}(self, frame, direction)`"
            )
        _declared[method] = types
        return method

    return declare


class HandlerTable:
    """The methods of one class by the frame types they were declared for, inherited ones included.

    `cache` holds what was found so far, by the type of a frame; all instances of the class share
    it.
    """

    def __init__(
        self, owner: type, inherited: HandlerTable | None, catch_all: Handler | None
    ) -> None:
        self.cache: dict[type[Frame], Handler | None] = {}
        self._owner = owner
        self._catch_all = catch_all
        own: dict[type[Frame], str] = {}
        for name, method in vars(owner).items():
            for kind in _declared.get(method, ()) if callable(method) else ():
                if kind in own:
                    raise ConfigurationError(
                        f"{owner.__name__}.{name} and .{own[kind]} both handle {kind.__name__}"
                    )
                own[kind] = name
        self._methods: dict[type[Frame], str] = (inherited._methods if inherited else {}) | own

    def find(self, kind: type[Frame]) -> Handler | None:
        """The method for the nearest type, the catch-all, or None: such frames flow past."""
        for base in kind.__mro__:
            if (name := self._methods.get(base)) is not None:
                method: Handler = getattr(self._owner, name)
                return method
        return self._catch_all

    def declares(self, kind: type[Frame]) -> bool:
        """Whether a method was declared for the type, or one of its bases."""
        return any(base in self._methods for base in kind.__mro__)


def _are_frame_types(types: tuple[object, ...]) -> bool:
    return bool(types) and all(isinstance(kind, type) and issubclass(kind, Frame) for kind in types)
