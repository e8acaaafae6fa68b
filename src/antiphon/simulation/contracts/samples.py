"""One frame of every type, and frames that are unusually empty or long."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from antiphon.errors import ErrorCategory
from antiphon.frames.base import ControlFrame, DataFrame, Frame, SystemFrame
from antiphon.frames.codec import standard_types

_BASES = (SystemFrame, DataFrame, ControlFrame)
HUGE = 5_000
"""How many times as long a long text is; sound is a tenth of that."""

_PLAIN: dict[Any, Any] = {
    str: "text",
    int: 16_000,
    float: 0.5,
    bool: True,
    bytes: bytes(640),
    Any: {"a": [1, "text"]},
    type(None): None,
    ErrorCategory: ErrorCategory.SERVER,
}


def samples() -> Iterator[Frame]:
    """A frame of every standard type that is no life-cycle frame, with something in each field."""
    for kind in standard_types().values():
        if not kind.lifecycle and kind not in _BASES:
            yield sample(kind)


def sample(kind: type[Frame]) -> Frame:
    """A frame of a type, with something in each field that must be given."""
    hints = typing.get_type_hints(kind)
    values = {
        info.name: _value(hints[info.name])
        for info in msgspec.structs.fields(kind)
        if info.required
    }
    if "num_channels" in hints:
        values["num_channels"] = 1
    return kind(**values)


def emptied(frame: Frame) -> Frame:
    """The same without a text, without a sound."""
    return _changed(frame, lambda value: value[:0])


def enlarged(frame: Frame) -> Frame:
    """The same with a very long text or sound."""
    return _changed(frame, lambda v: v * (HUGE if isinstance(v, str) else HUGE // 10))


def _changed(frame: Frame, change: Any) -> Frame:
    fields = {"id": Frame().id}
    for info in msgspec.structs.fields(frame):
        value = getattr(frame, info.name)
        if info.name in {"text", "audio", "message", "messages"} and isinstance(value, str | bytes):
            fields[info.name] = change(value)
    return msgspec.structs.replace(frame, **fields)


def _value(hint: Any) -> Any:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _value(arguments[0])
    if origin is tuple:
        wanted = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return tuple(_value(argument) for argument in wanted)
    if origin is list:
        return [{"role": "user", "content": "text"}]
    if origin is dict:
        return {"a": 1}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        infos, hints = msgspec.structs.fields(hint), typing.get_type_hints(hint)
        return hint(**{info.name: _value(hints[info.name]) for info in infos if info.required})
    return _a_function


def _a_function(messages: list[Any]) -> list[Any]:
    return messages
