"""Frames as text that is the same in every run: no process-wide ids, no addresses."""

from __future__ import annotations

import enum
import functools
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

from antiphon.frames.base import Frame

_LONG = 120


def describe_frame(frame: Frame) -> str:
    """`TypeName(field=value, ...)`: the fields that differ from their defaults, without the id."""
    return f"{type(frame).__name__}({', '.join(_fields(frame))})"


def describe_value(value: Any) -> str:
    """A value by its content; an object without one by its type."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, str):
        return repr(value if len(value) <= _LONG else value[: _LONG - 1] + "…")
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes {zlib.crc32(value):08x}>"
    if isinstance(value, Frame):
        return describe_frame(value)
    if isinstance(value, msgspec.Struct):
        return f"{type(value).__name__}({', '.join(_fields(value))})"
    if isinstance(value, Mapping):
        items = (f"{describe_value(k)}: {describe_value(v)}" for k, v in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(describe_value(item) for item in value)}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(describe_value(item) for item in value))}}}"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}({', '.join(describe_value(arg) for arg in value.args)})"
    return f"<{type(value).__name__}>"


def same_content(one: Frame, other: Frame) -> bool:
    """Whether two frames are of one type and differ in nothing but their ids."""
    return type(one) is type(other) and all(
        getattr(one, field.name) == getattr(other, field.name)
        for field in msgspec.structs.fields(type(one))
        if field.name != "id"
    )


def _fields(struct: msgspec.Struct) -> list[str]:
    shown = []
    for name, default in _shown_fields(type(struct)):
        value = getattr(struct, name)
        if value is default or (type(value) is type(default) and value == default):
            continue
        shown.append(f"{name}={describe_value(value)}")
    return shown


@functools.cache
def _shown_fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    """The names of the fields and their defaults, without a frame's id."""
    fields = msgspec.structs.fields(kind)
    return tuple(
        (field.name, field.default)
        for field in fields
        if not (field.name == "id" and issubclass(kind, Frame))
    )
