"""Frames as bytes and back: one MessagePack map for each frame, with the name of its type.

    {"type": "TextFrame", "id": 7, "text": "hello"}

Fields at their default are left out. What has no form outside the process (a context, a function,
an exception) is either refused, naming frame and field, or with `lenient=True` replaced by
`{"$opaque": "its repr"}`, which comes back as an `Opaque`: a log stays readable, a replay knows
what it cannot use.
"""

from __future__ import annotations

from typing import Any, Protocol, get_type_hints, runtime_checkable

import msgspec

from antiphon.errors import InvalidInputError
from antiphon.frames import audio, lifecycle, llm, speech, text, tools, transport, turns
from antiphon.frames.base import Frame

_OPAQUE = "$opaque"
_LONGEST_REPR = 200
_PLAIN = frozenset({str, bytes, bool, int, float, type(None)})


class Opaque(msgspec.Struct, frozen=True):
    """Stands for a value that was not recorded; `description` is its repr, 200 characters of it."""

    description: str


def standard_types() -> dict[str, type[Frame]]:
    """Every frame type of this package by its name."""
    modules = (audio, lifecycle, llm, speech, text, tools, transport, turns)
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Frame)
    }


@runtime_checkable
class Recordable(Protocol):
    """Something in a frame that knows what of it is worth encoding."""

    def recorded(self) -> Any:
        """Its content as structs, maps, lists and plain values."""
        ...


class FrameCodec:
    """Encodes and decodes the standard frames, and those of the program given as `types`.

    Raises `InvalidInputError` for data that is no frame, for a type it does not know, and for a
    value that cannot be encoded (unless `lenient`).
    """

    def __init__(self, *types: type[Frame], lenient: bool = False) -> None:
        self._types = standard_types() | {kind.__name__: kind for kind in types}
        self._lenient = lenient
        self._hints: dict[type[Frame], dict[str, Any]] = {}
        self._fields: dict[type[Frame], tuple[msgspec.structs.FieldInfo, ...]] = {}

    def encode(self, frame: Frame) -> bytes:
        """The frame as MessagePack."""
        return msgspec.msgpack.encode(self.to_builtins(frame))

    def decode(self, data: bytes) -> Frame:
        """The frame in MessagePack data."""
        try:
            return self.from_builtins(msgspec.msgpack.decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInputError(f"this is not an encoded frame: {error}") from error

    def to_builtins(self, frame: Frame) -> dict[str, Any]:
        """The frame as a map of plain values (bytes stay bytes)."""
        kind = type(frame)
        if self._types.get(kind.__name__) is not kind:
            raise InvalidInputError(
                f"{frame.name} is of a type this codec does not know: "
                f"pass {kind.__name__} to FrameCodec"
            )
        fields: dict[str, Any] = {"type": kind.__name__}
        for info in self._fields_of(kind):
            value = getattr(frame, info.name)
            if info.name != "id" and _is_default(info, value):
                continue
            if type(value) not in _PLAIN:
                value = self._plain(value, f"{frame.name}.{info.name}")
            fields[info.name] = value
        return fields

    def from_builtins(self, fields: object) -> Frame:
        """The frame of a map made by `to_builtins`."""
        if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
            raise InvalidInputError("an encoded frame is a map with the name of its type")
        name = fields["type"]
        kind = self._types.get(name)
        if kind is None:
            raise InvalidInputError(
                f"there is no frame type {name!r}: pass its class to FrameCodec"
            )
        hints = self._hints_of(kind)
        values: dict[str, Any] = {}
        for key, value in fields.items():
            if key == "type":
                continue
            if key not in hints:
                raise InvalidInputError(f"{name} has no field {key!r}")
            try:
                values[key] = self._typed(value, hints[key])
            except msgspec.ValidationError as error:
                raise InvalidInputError(f"{name}.{key}: {error}") from error
        try:
            return kind(**values)
        except TypeError as error:
            raise InvalidInputError(f"{name} cannot be made of these fields: {error}") from error

    def _plain(self, value: Any, where: str) -> Any:
        def unknown(part: Any) -> Any:
            if isinstance(part, Recordable):
                return part.recorded()
            if self._lenient:
                return {_OPAQUE: repr(part)[:_LONGEST_REPR]}
            kind = type(part).__name__
            raise InvalidInputError(f"{where} holds a {kind}, which cannot be encoded")

        try:
            return msgspec.to_builtins(value, enc_hook=unknown, builtin_types=(bytes,))
        except (TypeError, OverflowError, RecursionError) as error:
            return unknown(value) if self._lenient else self._refuse(where, error)

    def _refuse(self, where: str, error: Exception) -> Any:
        raise InvalidInputError(f"{where} cannot be encoded: {error}") from error

    def _typed(self, value: Any, hint: Any) -> Any:
        if hint is Any or _is_opaque(value):
            return _revive(hint, value)
        try:
            return msgspec.convert(value, hint, dec_hook=_revive, builtin_types=(bytes,))
        except TypeError:  # a type that has no form outside the process
            return value

    def _fields_of(self, kind: type[Frame]) -> tuple[msgspec.structs.FieldInfo, ...]:
        if kind not in self._fields:  # msgspec resolves the annotations anew at each call
            self._fields[kind] = msgspec.structs.fields(kind)
        return self._fields[kind]

    def _hints_of(self, kind: type[Frame]) -> dict[str, Any]:
        if kind not in self._hints:
            self._hints[kind] = get_type_hints(kind)
        return self._hints[kind]


def _is_default(info: msgspec.structs.FieldInfo, value: Any) -> bool:
    if info.default is not msgspec.NODEFAULT:
        return bool(type(info.default) is type(value) and info.default == value)
    return False


def _is_opaque(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {_OPAQUE}


def _revive(hint: Any, value: Any) -> Any:
    return Opaque(str(value[_OPAQUE])) if _is_opaque(value) else value
